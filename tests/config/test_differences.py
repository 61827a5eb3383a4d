"""What may change when a run is continued, and what may not."""

import dataclasses

import pytest

from sg_keras.config import RunConfig, adopt_choices, compare, format_differences
from tests.config.test_training_config import make


@pytest.mark.parametrize(
    "change, field",
    [
        ({"cbase": 2048}, "generator.channel_base"),
        ({"batch": 64}, "batch"),
        ({"gamma": 2.0}, "loss.r1_gamma"),
        ({"seed": 1}, "seed"),
        ({"ops": "reference"}, "ops"),
        ({"gpus": 1}, "gpus"),
        ({"cpu_devices": 2}, "cpu_devices"),
        ({"glr": 0.001}, "optimizer.g_lr"),
        ({"cfg": "stylegan3-t"}, "generator.cfg"),
        ({"aug": "noaug"}, "augment.mode"),
        ({"augpipe": "bg"}, "augment.pipe"),
        ({"target": 0.5}, "augment.target"),
        ({"ada_interval": 8}, "augment.ada_interval"),
        ({"ada_kimg": 100.0}, "augment.ada_kimg"),
        ({"diffaug": ("color",)}, "augment.diffaug"),
        ({"freezed": 2}, "discriminator.freeze_layers"),
        ({"freeze": "g:mapping"}, "freeze"),
        ({"ema_kimg": 3.0}, "ema_kimg"),
        ({"fp32": True}, "generator.conv_clamp"),
        ({"precision": "bfloat16"}, "precision"),
        ({"precision": "bfloat16"}, "generator.num_fp16_res"),
        ({"transfer": "https://example.org/net.pkl"}, "resume"),
    ],
)
def test_options_that_alter_the_run_block(change, field):
    blocking, allowed = compare(make(), make(**change))
    assert field in [difference[0] for difference in blocking] and allowed == []


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/data/y.zip"},
        {"resolution": 32},
        {"resolution": (64, 96)},
        {"c_dim": 3},
        {"num_images": 11},
        {"mirror": True},
        {"mirrory": True},
        {"channels": 1},
    ],
)
def test_other_data_blocks(change):
    config = make()
    other = dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, **change))
    ((name, value),) = change.items()
    assert compare(config, other)[0] == [(f"dataset.{name}", getattr(config.dataset, name), value)]


@pytest.mark.parametrize(
    "change",
    [
        {"total_kimg": 1.0},
        {"tick_kimg": 1.0},
        {"snapshot_ticks": 1},
        {"image_snapshot_ticks": 1},
        {"desc": "again"},
        {"checkpoint_minutes": 1.0},
        {"keep_checkpoints": 9},
        {"metrics": ("fid50k_full",)},
        {"sample_grid": (2, 2)},
        {"debug": True},
        {"nobench": True},
        {"outdir": "elsewhere"},
    ],
)
def test_options_that_say_how_long_and_where_are_taken(change):
    new = make(run=RunConfig(**{"outdir": "runs", **change}))
    ((name, value),) = change.items()
    assert compare(make(), new) == ([], [(f"run.{name}", getattr(RunConfig(outdir="runs"), name), value)])


def test_determinism_blocks_and_workers_do_not():
    new = make(run=RunConfig(outdir="runs", deterministic=True))
    new = dataclasses.replace(new, dataset=dataclasses.replace(new.dataset, workers=8))
    blocking, allowed = compare(make(), new)
    assert [row[0] for row in blocking] == ["run.deterministic"] and [row[0] for row in allowed] == ["dataset.workers"]


def test_equal_configurations_do_not_differ():
    assert compare(make(), make()) == ([], [])


def test_automatic_choices_come_from_the_saved_run():
    saved = make(ops="reference")
    assert compare(saved, adopt_choices(saved, make()))[0] == []
    assert compare(saved, adopt_choices(saved, make(ops="custom")))[0] == [("ops", "reference", "custom")]


def test_a_transferred_run_is_continued_by_another_resume():
    saved = make(cfg="stylegan3-r", transfer="https://example.org/net.pkl", resume_partial=True)
    requested = make(cfg="stylegan3-r")  # --resume=latest is no part of the configuration
    assert compare(saved, requested)[0] != []
    assert adopt_choices(saved, requested) == saved
    changed = adopt_choices(saved, make(cfg="stylegan3-r", ema_rampup=0.2))
    assert compare(saved, changed)[0] == [("ema_rampup", None, 0.2)]


def test_table_names_options():
    blocking, _ = compare(make(), make(cbase=2048, ema_rampup=0.0))
    lines = format_differences(blocking).splitlines()
    assert lines[0].split() == ["option", "field", "saved", "requested"]
    assert [line.split() for line in lines[1:]] == [
        ["--cbase", "generator.channel_base", "32768", "2048"],
        ["--cbase", "discriminator.channel_base", "32768", "2048"],
        ["--ema_rampup", "ema_rampup", "0.05", "none"],
    ]


def test_sizes_are_shown_width_first():
    rows = format_differences([("dataset.resolution", 64, (64, 96))]).splitlines()
    assert rows[1].split() == ["dataset.resolution", "64", "96x64"]
