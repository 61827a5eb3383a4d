"""The training step benchmark on networks as small as they get: what it counts and prints, not how fast they are."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from benchmarks import training_step
from benchmarks.measured_step import Round
from benchmarks.training_step import main
from sg_keras.config import TrainingConfig

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


def test_two_steps_by_turns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """How fast they are, the other tests say; here, which they are, and what becomes of the figures."""
    order: list[bool] = []

    class Step:
        def __init__(self, config: TrainingConfig) -> None:
            assert config.discriminator.fmaps == "4:4,8:4"
            self.batch, self.no_const = config.batch, config.generator.no_const

        def measure(self) -> Round:
            order.append(self.no_const)
            return Round(step_sec=2.4 + 0.1 * len(order), wait_sec=0, alone_sec=2 - self.no_const, other_load=0)

    monkeypatch.setattr(training_step, "MeasuredStep", Step)
    words = ["--resolution=8", "--fmaps=4:4,8:4", "--no-const", "--batch=4", "--rounds=3", "--json"]
    assert main([*words, "--against=--no_const=0"]) == 0
    line, figures = capsys.readouterr().out.splitlines()[-2:]
    found = json.loads(figures)
    assert order == [True, False] * 3
    assert (found["overhead_factor"], found["against"], found["img_per_s"]) == (2.7, 1.4, [1.6, 1.54])
    assert found["ratios"] == [round(2 * a / b, 4) for a, b in ((2.5, 2.6), (2.7, 2.8), (2.9, 3.0))]
    assert line.startswith(
        "overhead factor 2.7, against 1.4 with --no_const=0: ratio 1.9286 (1.923 to 1.933 in 3 rounds)"
    )


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
