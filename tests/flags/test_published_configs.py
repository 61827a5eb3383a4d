"""The recipes: the 66 published configurations resolve to what was published, practice recipes to what they say."""

import collections
import csv
import pathlib
import re

import pytest

from sg_keras.config.schedule import Schedule
from sg_keras.flags import parse_command_line, resolved_configuration
from sg_keras.flags.recipes import all_recipes
from tests.flags.test_command_line import get

CSV = pathlib.Path(__file__).parents[1] / "fixtures" / "training_configs.csv"
with CSV.open(newline="") as table:
    ROWS = list(csv.DictReader(table))
PUBLISHED = [recipe for recipe in all_recipes() if recipe.measured is not None]

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


def resolution_of(recipe):
    """Side of the images a row is for; the reproduced 'stylegan2' configuration is for 1024x1024."""
    match = re.search(r"([0-9]+)x[0-9]+|paper([0-9]+)", recipe.title)
    return int(match.group(1) or match.group(2)) if match else 1024


def test_the_recipes_are_the_rows_of_the_published_tables():
    sections = list(dict.fromkeys(row["section"] for row in ROWS))
    rows = [tuple(row.values()) for row in ROWS]
    found = []
    for recipe in PUBLISHED:
        number, section = recipe.measured.table
        assert sections[number - 1] == section
        figures = (recipe.measured.sec_per_kimg_v100, recipe.measured.sec_per_kimg_a100, recipe.measured.gpu_mem_gb)
        (label,) = {row[1] for row in rows if row[0] == section and row[1] in recipe.title} or {"?"}
        found.append((section, label, *figures, " ".join(recipe.options)))
    assert collections.Counter(found) == collections.Counter(rows) and len(found) == 66


@pytest.mark.parametrize("recipe", PUBLISHED, ids=lambda recipe: recipe.name)
def test_row_passes_a_dry_run(recipe, flat_images):
    side = resolution_of(recipe)
    parsed = parse_command_line(["--outdir=runs", f"--data={flat_images(side)}", f"--recipe={recipe.name}", "-n"])
    config = parsed.config
    assert config.dataset.resolution == side
    options = dict(line[2:].split("=", 1) for line in recipe.options)
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
    config = parse_command_line(["--recipe=cifar10", "--outdir=runs", f"--data={tmp_path}", "-n"]).config
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
        "augment.mode": "ada",
        "augment.pipe": "bgc",
        "augment.target": 0.6,
        "generator.num_fp16_res": 4,
        "discriminator.num_fp16_res": 4,
        "precision": "float16",
        "dataset.c_dim": 10,
        "batch_gpu": 32,
    }
    assert {field: get(config, field) for field in expected} == expected
    for network in (config.generator, config.discriminator):
        assert {min(network.channel_base // side, network.channel_max) for side in (4, 8, 16, 32)} == {512}


def test_small_gpu_recipe(flat_images):
    parsed = parse_command_line(["--recipe=small-gpu", "--outdir=runs", f"--data={flat_images(256)}", "-n"])
    config = parsed.config
    assert (config.generator.z_dim, config.generator.w_dim, config.run.sample_grid) == (32, 32, (5, 5))
    assert config.run.image_snapshot_ticks * config.run.tick_kimg * 1000 / config.batch == 1000  # iterations
    channels = "4px 256, 8px 256, 16px 256, 32px 256, 64px 256, 128px 128, 256px 64"
    assert resolved_configuration(parsed).count(channels) == 2


@pytest.mark.parametrize(
    "name, base, expected",
    [
        ("practice-l", 65536, [(0, 2e-3, 2e-3, 10), (10e6, 2e-4, 2e-4, 10), (20e6, 1e-4, 2e-4, 5)]),
        ("practice-xl", 81920, [(0, 1.5e-3, 1.5e-3, 10), (6e6, 1.5e-4, 3e-4, 10), (20e6, 1.5e-4, 3e-4, 5)]),
        (
            "practice-xxl",
            98304,
            [(0, 1.5e-3, 1.5e-3, 10), (6e6, 1.5e-4, 3e-4, 10), (20e6, 1.5e-4, 3e-4, 5)],
        ),
    ],
)
def test_recipes_of_larger_networks(name, base, expected, flat_images):
    config = parse_command_line([f"--recipe={name}", "--outdir=runs", f"--data={flat_images(1024)}", "-n"]).config
    assert (config.generator.channel_base, config.loss.style_mixing_prob) == (base, 0)
    half_precision = "4; 5 from 20000" if name == "practice-l" else 5
    assert config.generator.num_fp16_res == config.discriminator.num_fp16_res == half_precision
    values = (config.optimizer.g_lr, config.optimizer.d_lr, config.loss.r1_gamma)
    assert [(nimg, *(Schedule.of(value).at(int(nimg)) for value in values)) for nimg, *_ in expected] == expected


def test_few_shot_recipe(flat_images, tmp_path):
    (tmp_path / "net.pkl").write_bytes(b"")
    words = ["--recipe=few-shot", "--outdir=runs", f"--data={flat_images(256)}", f"--resume={tmp_path / 'net.pkl'}"]
    config = parse_command_line([*words, "-n"]).config
    assert (config.augment.mode, config.augment.ada_kimg, config.dataset.mirror) == ("ada", 100, True)
    assert (config.discriminator.freeze_layers, config.loss.r1_gamma, config.ema_rampup) == (10, 0.8192, None)
