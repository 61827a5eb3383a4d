"""Steps of the real trainer in a process of their own."""

import dataclasses

import pytest

from sg_keras.planning.measured_steps import MeasuredSteps
from sg_keras.tools.measured_process import measure_in_process
from tests.planning.tiny_plan import tiny_config

RUN = ["--data=digits", "--cfg=stylegan2", "--gamma=1", "--batch=8", "--gpus=0", "--cbase=64", "--map-depth=1"]


@pytest.mark.long
def test_steps_are_measured_and_nothing_is_written(tmp_path, monkeypatch):
    from sg_keras.flags import parse_command_line

    monkeypatch.chdir(tmp_path)
    config = parse_command_line(["--outdir=runs", *RUN, "--dry-run"]).config
    measured = MeasuredSteps(**measure_in_process(config, 5, 0))
    assert measured.iterations == 5
    assert set(measured.phase_sec) == {"Gmain", "Greg", "Dmain", "Dreg"} and min(measured.phase_sec.values()) > 0
    assert 0 <= measured.data_wait_sec <= measured.rest_sec + measured.data_wait_sec
    assert measured.start_sec > 1 and 0.3e9 < measured.peak_bytes < 3e9 and measured.device_bytes == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_what_keeps_a_run_from_training_is_one_line():
    missing = dataclasses.replace(tiny_config(), dataset=dataclasses.replace(tiny_config().dataset, path="/no/such"))
    with pytest.raises(
        ValueError, match=r"^--plan: found no way to train this run \(.*/no/such.*\), expected one"
    ) as found:
        measure_in_process(missing, 5, 0)
    assert "\n" not in str(found.value)
