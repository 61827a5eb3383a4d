"""The training step benchmark on networks as small as they get: what it counts and prints, not how fast they are."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.training_step import main

ROOT = pathlib.Path(__file__).parents[2]
TINY = ["--resolution=8", "--cbase=64", "--cmax=8", "--map-depth=1", "--batch", "4", "--rounds=1", "--json"]


def figures_of(*words: str) -> dict[str, Any]:
    """The last line of the benchmark in a process of its own: a worker would keep its memory."""
    command = [sys.executable, "-m", "benchmarks.training_step", *TINY, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.long
def test_the_last_line_is_a_json_object_with_all_figures() -> None:
    figures = figures_of("--aug=ada", "--p=0.3", "--augpipe=bgcfnc")
    assert set(figures["img_per_s"]) == {"best", "median"}
    assert set(figures["phase_sec"]) == {"Gmain", "Greg", "Dmain", "Dreg", "ema"}
    assert all(sec > 0 for sec in figures["phase_sec"].values())
    assert sum(figures["share_by_layer_kind"].values()) == pytest.approx(1, abs=0.01)
    assert figures["share_by_layer_kind"]["augmentation"] > 0
    assert figures["overhead_factor"] > 0
    assert 0 <= figures["data_wait"] < 1
    assert figures["peak_gb"] > 0
    # What the traced graphs say, TensorFlow ran: nothing merged, nothing forgotten.
    assert figures["products_per_step"]["counted"] == figures["products_per_step"]["ran"] > 0


def test_what_cannot_be_is_refused_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TINY, "--precision=float16"]) == 1
    error = capsys.readouterr().err
    assert "precision: found 'float16' with --gpus=0, expected bfloat16" in error
    assert len(error.splitlines()) == 1


@pytest.mark.long
@pytest.mark.bfloat16
def test_half_precision_is_measured_as_trained() -> None:
    figures = figures_of("--precision=bfloat16")
    assert figures["precision"] == "bfloat16"
    assert figures["products_per_step"]["counted"] == figures["products_per_step"]["ran"] > 0
