"""Dataclasses of the configuration: validation, JSON round trip, names of run directories."""

import dataclasses
import json

import pytest

from sg_keras.config import (
    DatasetConfig,
    ResumeRequest,
    RunConfig,
    TrainingConfig,
    TrainingOptions,
    next_run_number,
    resolve,
    run_directory_name,
)
from sg_keras.config.options.fields import FIELD_OPTIONS, flatten

DATASET = DatasetConfig(path="/data/x.zip", name="x", resolution=64, channels=3, num_images=10)


def make(run=None, **options):
    chosen = {"cfg": "stylegan2", "batch": 32, "gamma": 1.0, "gpus": 0, **options}
    return resolve(TrainingOptions(**chosen), DATASET, run or RunConfig(outdir="runs"))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cfg": "stylegan3-r", "fp32": True},
        {"gpus": 2, "batch_gpu": 4},
        {"transfer": "https://example.org/net.pkl"},
        {"aug": "diffaug", "diffaug": ("color", "cutout")},
    ],
)
def test_json_round_trip(options):
    run = RunConfig(outdir="runs", metrics=("fid50k_full",), sample_grid=(5, 4), desc="ä")
    config = make(run=run, **options)
    assert TrainingConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("resolution, kept", [(64, 64), ([64, 64], 64), ([64, 96], [64, 96])])
def test_squares_are_one_number_in_files_and_rectangles_height_and_width(resolution, kept):
    values = json.loads(make().to_json())
    values["dataset"]["resolution"] = resolution  # of files from before there were rectangles: one number
    config = TrainingConfig.from_dict(values)
    assert json.loads(config.to_json())["dataset"]["resolution"] == kept
    assert TrainingConfig.from_json(config.to_json()) == config
    assert str(config.dataset.size) == ("64x64" if kept == 64 else "96x64")


def test_what_the_channels_of_a_level_need():
    data = dataclasses.replace(DATASET, resolution=(384, 640))
    options = {"cfg": "stylegan2", "batch": 32, "gamma": 1.0, "gpus": 0}
    resolve(TrainingOptions(**options, cbase=256), data, RunConfig(outdir="runs"))
    with pytest.raises(ValueError, match="cbase: found 255, expected 256 or more, for one channel at 640x384"):
        resolve(TrainingOptions(**options, cbase=255), data, RunConfig(outdir="runs"))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda values: values.update(extra=1), r"training_config: found \['extra'\], expected known fields only"),
        (lambda values: values["loss"].update(extra=1), r"loss: found \['extra'\]"),
        (lambda values: values["loss"].pop("r1_gamma"), "expected also r1_gamma"),
        (lambda values: values.pop("batch"), "expected also batch"),
        (lambda values: values.update(run=3), "run: found 3, expected an object"),
        (lambda values: values.pop("run"), "run: found None, expected an object"),
    ],
)
def test_bad_json_names_the_field(change, message):
    values = json.loads(make().to_json())
    change(values)
    with pytest.raises(ValueError, match=message):
        TrainingConfig.from_dict(values)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"batch": 30, "gpus": 4}, "batch: found 30, expected a multiple of --gpus=4"),
        ({"batch_gpu": 5}, "batch-gpu: found 5, expected a divisor"),
        ({"batch_gpu": 2}, "batch-gpu: found 2, expected a multiple of the minibatch"),
        ({"batch": 12, "mbstd_group": 8}, "batch-gpu: found 12, expected a multiple of the minibatch"),
        ({"cbase": 32}, "cbase: found 32, expected 64 or more"),
        ({"cfg": "stylegan1"}, "cfg: found 'stylegan1'"),
        ({"g_arch": "big"}, "g_arch: found 'big'"),
        ({"gamma": -1.0}, "gamma: found -1.0"),
        ({"aug": "always"}, "aug: found 'always'"),
        ({"augpipe": "bcg"}, "augpipe: found 'bcg'"),
        ({"ada_interval": 0}, "ada_interval: found 0"),
        ({"ada_kimg": 0.0}, "ada_kimg: found 0.0"),
        ({"diffaug": ()}, "diffaug: found ()"),
        ({"gpus": -1}, "gpus: found -1"),
        ({"cpu_devices": 0}, "cpu_devices: found 0"),
        ({"fp32": True, "precision": "float16"}, "precision: found 'float16'"),
        ({"precision": "float16"}, "precision: found 'float16' with --gpus=0, expected bfloat16"),
        ({"precision": "bfloat16", "num_fp16_res": -1}, "num_fp16_res: found -1"),
    ],
)
def test_impossible_configurations_are_refused(options, message):
    with pytest.raises(ValueError) as error:
        make(**options)
    assert str(error.value).startswith(message)


def test_configurations_of_older_runs_are_read():
    values = json.loads(make(aug="noaug").to_json())
    for name in ("pipe", "ada_interval", "diffaug"):
        del values["augment"][name]
    del values["dataset"]["mirrory"], values["freeze"], values["resume_partial"], values["graft"]
    values["machines"] = values.pop("cluster_size")
    assert TrainingConfig.from_dict(values) == make(aug="noaug")


def test_replicas_and_rounds():
    config = make(gpus=2, batch_gpu=4)
    assert (config.num_replicas, config.num_rounds) == (2, 4)
    assert make(cpu_devices=2).batch_gpu == 16


def test_option_names_are_fields():
    assert set(FIELD_OPTIONS) <= set(dict(flatten(dataclasses.asdict(make()))))


@pytest.mark.parametrize(
    "options, desc, name",
    [
        ({"gamma": 0.01}, "", "00003-stylegan2-x-gpus0-batch32-gamma0.01"),
        ({"gamma": 52.4288, "gpus": 1}, "try 2", "00003-stylegan2-x-gpus1-batch32-gamma52.4288-try 2"),
        ({"gamma": 10.0}, "", "00003-stylegan2-x-gpus0-batch32-gamma10"),
    ],
)
def test_run_directory_name(options, desc, name):
    assert run_directory_name(make(run=RunConfig(outdir="runs", desc=desc), **options), 3) == name


def test_next_run_number(tmp_path):
    assert next_run_number(str(tmp_path / "nothing")) == 0
    assert next_run_number(str(tmp_path)) == 0
    for name in ("00000-a", "00007-b", "notes", "9-c", "123"):
        (tmp_path / name).mkdir()
    assert next_run_number(str(tmp_path)) == 8
    (tmp_path / "100000-many").mkdir()
    assert next_run_number(str(tmp_path)) == 100001


def test_resume_request_checks_itself():
    with pytest.raises(ValueError, match="kind 'other'"):
        ResumeRequest("other", "x")
    with pytest.raises(ValueError, match="tick 3 with latest"):
        ResumeRequest("latest", "x", 3)


def test_config_imports_the_standard_library_alone():
    import subprocess
    import sys

    code = (
        "import sys, sg_keras.config; "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'tensorflow', 'keras', 'absl')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=1800).returncode == 0


@pytest.mark.parametrize(
    ("capacity", "channels", "latents"),
    [
        ("small", {32: 256, 64: 256, 128: 128, 1024: 16}, 32),
        ("config-f", {64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}, 512),
        ("m", {64: 512, 128: 384, 256: 192, 512: 96, 1024: 48}, 512),
        ("l", {64: 512, 128: 512, 256: 256, 512: 128, 1024: 64}, 512),
        ("xl", {64: 640, 128: 640, 256: 320, 512: 160, 1024: 80}, 512),
        ("xxl", {64: 768, 128: 768, 256: 384, 512: 192, 1024: 96}, 512),
    ],
)
def test_capacities_have_the_channels_of_the_reports(capacity, channels, latents):
    data = DatasetConfig(path="data", resolution=1024, channels=3)
    options = TrainingOptions(cfg="stylegan2", batch=32, gamma=10.0, gpus=0, capacity=capacity)
    config = resolve(options, data, RunConfig(outdir="runs"))
    for network in (config.generator, config.discriminator):
        found = {level: min(network.channel_base // level, network.channel_max) for level in channels}
        assert found == channels
    assert (config.generator.z_dim, config.generator.w_dim) == (latents, latents)
    typed = resolve(dataclasses.replace(options, cmax=100, z_dim=7), data, RunConfig(outdir="runs"))
    assert (typed.generator.channel_max, typed.generator.z_dim) == (100, 7)
