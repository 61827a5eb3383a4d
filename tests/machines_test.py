"""The runner of tests/machines.py; pytest itself is not run."""

import subprocess

import pytest

from tests import machines


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch):
    """Commands and environments that would have been run; those with AVX2 fail."""
    made = []

    def run(command, env, **options):
        made.append((command, env))
        bad = "AVX2" in env.values()
        return subprocess.CompletedProcess(
            command, int(bad), "F.\n2 failed, 1 passed in 3s\n" if bad else "3 passed\n", ""
        )

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.delenv("CI", raising=False)
    return made


def test_every_setting_is_a_process_with_its_own_variables_alone(calls, capsys, monkeypatch):
    monkeypatch.setenv("SG_KERAS_PROCESSOR", "avx2")  # of the caller, whose other settings it would change
    assert machines.main(["-x"]) == 1
    settings = [setting for setting in machines.SETTINGS.values() if not setting.for_ci]
    assert len(calls) == len(settings) == 10
    for (command, environment), setting in zip(calls, settings, strict=True):
        held = ("ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS", "SG_KERAS_PROCESSOR", "TF_NUM_INTRAOP_THREADS")
        assert {key: environment[key] for key in held if key in environment} == setting.environment
        assert command[-1] == "-x" and command[command.index("-m", 2) + 1] == setting.tests
    lines = capsys.readouterr().out.splitlines()
    assert "2 failed, 1 passed in 3s" in lines
    assert sum(line.startswith("onednn-avx2         FAILED") for line in lines) == 2
    assert lines[-1] == "machines: 9 of 10 settings passed in 0 s, not onednn-avx2"


def test_few_settings_in_ci(calls, capsys, monkeypatch):
    few = ["old-processor", "no-onednn-threads-1"]
    assert machines.parse(["--ci"]) == (few, [], True)
    together = {variable for name in few for variable in machines.SETTINGS[name].environment.items()}
    alone = {variable for s in machines.SETTINGS.values() for variable in s.environment.items() if not s.for_ci}
    assert len(together) == 4 and together <= alone
    monkeypatch.setenv("CI", "true")
    assert machines.parse([]) == (few, [], True)
    assert machines.parse(["--settings=threads-4,as-it-is"])[0] == ["threads-4", "as-it-is"]
    assert machines.main(["--settings=threads-3"]) == 1
    assert capsys.readouterr().err.startswith("machines: --settings: found 'threads-3', expected some of as-it-is, ")
    assert not calls
