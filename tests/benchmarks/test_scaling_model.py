"""What is told of the model of step time: errors, rows beyond the limit, tables and plot."""

import dataclasses

import pytest

from benchmarks import scaling_model
from sg_keras.planning.step_time_model import error, fit
from tests.planning.test_step_time_model import synthetic


def test_rows_beyond_the_limit_are_named():
    rows = synthetic()
    models = {kind: fit(rows, kind) for kind in scaling_model.GPU_TYPES}
    assert scaling_model.verdict(models, rows).count("none of the 6 rows is beyond 15%") == 2
    slow = next(k for k, row in enumerate(rows) if row.gpus == 4)
    rows[slow] = dataclasses.replace(rows[slow], sec_per_kimg={"V100": 100.0, "A100": rows[slow].sec_per_kimg["A100"]})
    text = scaling_model.verdict(models, rows)
    assert f"BEYOND 15%: stylegan2 256x256 on 4 GPUs, {error(models['V100'], rows[slow], 'V100'):+.1%}" in text
    assert text.count("none of the 6 rows is beyond 15%") == 1
    assert "**" in scaling_model.comparison(models, rows)


def test_missing_table_is_one_line(tmp_path, capsys):
    assert scaling_model.main([f"--table={tmp_path / 'none.csv'}"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_tables_and_plot(tmp_path):
    pytest.importorskip("matplotlib")
    rows = synthetic()
    models = {kind: fit(rows, kind) for kind in scaling_model.GPU_TYPES}
    assert "bandwidth 20.0 GB/s" in scaling_model.parameters(models, rows)
    lines = scaling_model.extrapolation(models, rows, [10, 100]).splitlines()
    assert len(lines) == 2 + 3 * 2 and lines[0].count("Gbit/s") == 6
    assert scaling_model.report(models, rows, [10, 100]).endswith("\n".join(lines))
    scaling_model.plot(models, rows, [10, 100], tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
