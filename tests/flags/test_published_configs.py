"""The 66 published configurations and two recipes can be typed, and resolve to what was published."""

import csv
import pathlib
import re
import shlex

import pytest

from sg_keras.flags import parse_command_line, resolved_configuration
from tests.flags.test_command_line import get

CSV = pathlib.Path(__file__).parents[1] / "fixtures" / "training_configs.csv"
DOCS = pathlib.Path(__file__).parents[2] / "docs" / "training_configs.md"
with CSV.open(newline="") as table:
    ROWS = list(csv.DictReader(table))

FIELDS = {
    "gpus": "gpus",
    "batch": "batch",
    "gamma": "loss.r1_gamma",
    "batch-gpu": "batch_gpu",
    "snap": "run.snapshot_ticks",
    "mirror": "dataset.mirror",
    "aug": "augment.mode",
    "kimg": "run.total_kimg",
    "resume": "resume",
    "cbase": "discriminator.channel_base",
    "glr": "optimizer.g_lr",
    "dlr": "optimizer.d_lr",
    "cfg": "generator.cfg",
    "map-depth": "generator.mapping_layers",
    "mbstd-group": "discriminator.mbstd_group_size",
}

CIFAR10 = """--outdir=runs --cfg=stylegan2 --data={data} --gpus=2 --batch=64 --gamma=0.01 --cond=1 --kimg=100000
    --mbstd-group=32 --cbase=16384 --cmax=512 --glr=0.0025 --dlr=0.0025 --ema_kimg=500 --ema_rampup=0.05
    --map-depth=2 --pl_weight=0 --style_mixing_prob=0 --d_arch=orig --aug=ada --target=0.6 --precision=float16"""
SMALL_GPU = """--outdir=runs --cfg=stylegan2 --data={data} --gpus=1 --batch=16 --gamma=0.8192 --cbase=8192 --cmax=256
    --z-dim=32 --w-dim=32 --sample-grid=5x5 --image_snap=4 --tick=4"""


def resolution_of(row):
    """Side of the images a row is for; the reproduced 'stylegan2' configuration is for 1024x1024."""
    match = re.search(r"([0-9]+)x[0-9]+|paper([0-9]+)", f"{row['section']} {row['label']}")
    return int(match.group(1) or match.group(2)) if match else 1024


def test_there_are_66():
    assert len(ROWS) == 66


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['label']}-{row['options']}"[:90])
def test_row_passes_a_dry_run(row, flat_images):
    side = resolution_of(row)
    words = ["--outdir=runs", f"--data={flat_images(side)}", *row["options"].split(), "--dry-run"]
    parsed = parse_command_line(words)
    config = parsed.config
    assert config.dataset.resolution == side
    options = dict(word[2:].split("=", 1) for word in row["options"].split())
    for name, text in options.items():
        value = get(config, FIELDS[name])
        assert value == (text if isinstance(value, str) else float(text)), name
    if "batch-gpu" not in options:
        assert config.batch_gpu == int(options["batch"]) // int(options["gpus"])
    assert config.ema_kimg == int(options["batch"]) * 10 / 32
    assert (config.ema_rampup, config.augment.ada_kimg) == ((None, 100) if "resume" in options else (0.05, 500))
    text = resolved_configuration(parsed)
    assert f"batch{options['batch']}-gamma{float(options['gamma']):g}" in text
    if "resume" in options:
        assert options["resume"] in next(line for line in text.splitlines() if line.startswith("  resume "))


def test_published_cifar10_configuration(flat_images, tmp_path):
    folder = pathlib.Path(flat_images(32))
    labels = '{"labels": [["80.png", 0], ["160.png", 9]]}'
    for image in folder.glob("*.png"):
        (tmp_path / image.name).write_bytes(image.read_bytes())
    (tmp_path / "dataset.json").write_text(labels)
    config = parse_command_line([*shlex.split(CIFAR10.format(data=tmp_path)), "-n"]).config
    expected = {
        "batch": 64,
        "run.total_kimg": 100000,
        "discriminator.mbstd_group_size": 32,
        "optimizer.g_lr": 0.0025,
        "optimizer.d_lr": 0.0025,
        "loss.r1_gamma": 0.01,
        "ema_kimg": 500,
        "ema_rampup": 0.05,
        "generator.mapping_layers": 2,
        "loss.pl_weight": 0,
        "loss.g_reg_interval": 4,
        "loss.style_mixing_prob": 0,
        "discriminator.architecture": "orig",
        "generator.architecture": "skip",
        "augment.target": 0.6,
        "generator.num_fp16_res": 4,
        "discriminator.num_fp16_res": 4,
        "dataset.c_dim": 10,
        "batch_gpu": 32,
    }
    assert {field: get(config, field) for field in expected} == expected
    for network in (config.generator, config.discriminator):
        assert {min(network.channel_base // side, network.channel_max) for side in (4, 8, 16, 32)} == {512}


def test_small_gpu_recipe(flat_images):
    parsed = parse_command_line([*shlex.split(SMALL_GPU.format(data=flat_images(64))), "-n"])
    config = parsed.config
    assert (config.generator.z_dim, config.generator.w_dim, config.run.sample_grid) == (32, 32, (5, 5))
    assert [
        min(config.generator.channel_base // side, config.generator.channel_max) for side in (4, 8, 16, 32, 64)
    ] == [256, 256, 256, 256, 128]
    assert config.run.image_snapshot_ticks * config.run.tick_kimg * 1000 / config.batch == 1000  # iterations
    assert "4px 256, 8px 256, 16px 256, 32px 256, 64px 128" in resolved_configuration(parsed)


def test_documentation_has_every_row_and_both_recipes():
    text = DOCS.read_text()
    for row in ROWS:
        words = [row[name] for name in ("sec_per_kimg_v100", "sec_per_kimg_a100", "gpu_mem_gb")]
        words += [word.removeprefix("--resume=") for word in row["options"].split()]
        assert any(line.startswith("|") and all(word in line for word in words) for line in text.splitlines()), row
    unwrapped = " ".join(text.replace("\\\n", " ").split())
    for recipe in (CIFAR10, SMALL_GPU):
        for word in recipe.replace("{data}", "").split():
            assert word in unwrapped, word
