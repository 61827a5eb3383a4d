"""The model of step time: parameters are found again, and rows that it must not see change nothing."""

import dataclasses

import pytest

from sg_keras.planning import step_time_model
from sg_keras.planning.step_time_model import Row, StepModel, fit, grown, predict, read_rows
from sg_keras.tools.published_rows import config_of_options
from sg_keras.weights.parameter_counts import ParameterCount

KNOWN = StepModel(
    compute={"stylegan2 256x256": 0.004, "stylegan2 512x512": 0.011, "stylegan3-t 256x256": 0.02},
    overhead={"stylegan2": 0.08, "stylegan3-t": 0.03},
    exchange=0.05,
)
# The published pattern: one batch that is shared, and with several rounds on one GPU; or a batch that grows.
SPREAD = {1: (32, 16), 2: (32, 16), 4: (32, 8), 8: (32, 4)}
GROWING = {1: (8, 8), 2: (16, 8), 4: (32, 8), 8: (64, 8)}


def synthetic(model=KNOWN):
    rows = []
    for cfg, side, exchanged, pattern in (
        ("stylegan2", 256, 0.24, SPREAD),
        ("stylegan2", 512, 0.25, GROWING),
        ("stylegan3-t", 256, 0.2, SPREAD),
    ):
        for gpus, (batch, batch_gpu) in pattern.items():
            row = Row(cfg=cfg, resolution=side, gpus=gpus, batch=batch, batch_gpu=batch_gpu, exchanged_gb=exchanged)
            rows.append(dataclasses.replace(row, sec_per_kimg=dict.fromkeys(("V100", "A100"), predict(model, row))))
    return rows


def test_prediction_by_hand():
    row = Row(cfg="stylegan2", resolution=256, gpus=4, batch=64, batch_gpu=8, exchanged_gb=0.24)
    iteration = 2 * (0.08 + 8 * 0.004) + 2 * 3 / 4 * 0.24 * 0.05
    assert predict(KNOWN, row) == pytest.approx(iteration * 1000 / 64)


def test_network_between_machines_by_hand():
    row = Row(cfg="stylegan2", resolution=256, gpus=8, batch=64, batch_gpu=8, exchanged_gb=0.24)
    more = grown(row, 32)
    assert (more.batch, more.batch_gpu, more.rounds) == (256, 8, 1)
    within = (0.08 + 8 * 0.004) + 2 * 7 / 8 * 0.24 * 0.05
    between = 2 * 3 / 4 * 0.24e9 / (10e9 / 8)
    assert predict(KNOWN, more, 10) == pytest.approx((within + between) * 1000 / 256)
    assert predict(KNOWN, row, 10) == predict(KNOWN, row)


def test_known_parameters_are_found_again():
    model = fit(synthetic(), "V100")
    assert model.compute == pytest.approx(KNOWN.compute)
    assert model.overhead == pytest.approx(KNOWN.overhead)
    assert model.exchange == pytest.approx(KNOWN.exchange)


def test_rows_that_are_held_out_change_nothing():
    rows = synthetic()
    spoilt = [
        dataclasses.replace(row, sec_per_kimg={"V100": 1e3, "A100": 1e3}) if row.gpus in (2, 4) else row for row in rows
    ]
    assert fit(spoilt, "A100") == fit(rows, "A100")


def test_no_parameter_is_negative():
    """Faster on 8 GPUs than eight times 1: there is no time left for an exchange."""
    rows = [
        dataclasses.replace(row, sec_per_kimg={"V100": row.sec_per_kimg["V100"] * (0.8 if row.gpus == 8 else 1)})
        for row in synthetic(dataclasses.replace(KNOWN, overhead=dict.fromkeys(KNOWN.overhead, 0.0), exchange=0.0))
    ]
    model = fit(rows, "V100")
    assert min([*model.compute.values(), *model.overhead.values(), model.exchange]) == 0


def test_lines_of_the_table(tmp_path, monkeypatch):
    counts = {"G": ParameterCount(10_000_000, 7), "D": ParameterCount(20_000_000, 0)}
    monkeypatch.setattr(step_time_model, "parameter_counts", lambda config: counts)
    head = "section,label,sec_per_kimg_v100,sec_per_kimg_a100,gpu_mem_gb,options\n"
    lines = [
        "64x64 resolution,StyleGAN3-T,40.0,20.0,1.0,--cfg=stylegan3-t --gpus=1 --batch=32 --gamma=1 --batch-gpu=8",
        "64x64 resolution,StyleGAN3-T,6.0,3.0,1.0,--cfg=stylegan3-t --gpus=8 --batch=32 --gamma=1",
        "old,64x64,9.0,8.0,1.0,--cfg=stylegan2 --gpus=1 --batch=32 --gamma=1",
        "old,64x64,5.0,4.0,1.0,--cfg=stylegan2 --gpus=2 --batch=32 --gamma=1",
        "faces at 64x64,StyleGAN2,5.0,4.0,1.0,--cfg=stylegan2 --gpus=8 --batch=32 --gamma=1",
    ]
    (tmp_path / "rows.csv").write_text(head + "\n".join(lines) + "\n")
    rows = read_rows(tmp_path / "rows.csv", config_of_options)
    assert [(row.configuration, row.gpus, row.batch_gpu, row.rounds) for row in rows] == [
        ("stylegan3-t 64x64", 1, 8, 4),
        ("stylegan3-t 64x64", 8, 4, 1),
        ("stylegan2 64x64", 1, 32, 1),
        ("stylegan2 64x64", 2, 16, 1),
    ]
    assert rows[0].sec_per_kimg == {"V100": 40.0, "A100": 20.0}
    assert rows[0].exchanged_gb == pytest.approx(4 * (10e6 + 20e6 * 17 / 16) / 1e9)
    assert rows[2].exchanged_gb == pytest.approx(4 * (10e6 * 5 / 4 + 20e6 * 17 / 16) / 1e9)
