"""The golden runner over the small reference folder, and what it says about wrong, unknown and missing things."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.golden import __main__ as runner
from tests.golden.checks_training import Trajectory, _initial, _judge_weights
from tests.golden.manifest import load_manifest
from tests.golden.report import FAIL, OK, UNCOVERED, Options, Report, judged
from tests.golden.tolerance import best_pattern, compare, elementwise_limit, limits_of

FOLDER = Path(__file__).parent / "fixtures" / "golden"
CASE = "bias_act/lrelu_4d_clamp.npz"
LIMITS = {"rule": "op", "f64": {"rtol": 0, "atol": 1e-9}, "f32": {"rtol": 0, "atol": 1e-3}}


def _run(folder: Path, *groups: str, impl: str = "reference", dtype: str = "float32") -> tuple[Report, str]:
    stream = io.StringIO()
    report = runner.run(folder, list(groups), Options(impl, dtype), stream)
    return report, stream.getvalue()


def _small_folder(tmp_path: Path, change: Any) -> Path:
    """A folder with one case, whose manifest entry and arrays `change` may alter."""
    content = json.loads((FOLDER / "manifest.json").read_text())
    group = next(g for g in content["groups"] if g["group"] == "bias_act")
    entry = next(c for c in group["cases"] if c["file"] == CASE)
    with np.load(FOLDER / CASE) as archive:
        arrays = dict(archive)
    change(group, entry, arrays)
    (tmp_path / CASE).parent.mkdir()
    np.savez(tmp_path / CASE, **arrays)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 2, "groups": [{**group, "cases": [entry]}]}))
    return tmp_path


@pytest.mark.parametrize(
    ("impl", "dtype"),
    [
        pytest.param("reference", "float64", marks=pytest.mark.long),
        pytest.param("custom", "float32", marks=pytest.mark.rounding),
    ],
    indirect=["impl"],
)
def test_every_case_of_the_small_folder_passes(impl: str, dtype: str):
    # Tables depend on neither implementation nor precision: once is enough.
    groups = {case.group for case in load_manifest(FOLDER)}
    groups -= {"design_tables", "dataset_conversion"} if (impl, dtype) != ("reference", "float64") else set()
    report, printed = _run(FOLDER, *sorted(groups), impl=impl, dtype=dtype)
    assert not [(r.name, r.details) for r in report.results if r.status == FAIL]
    assert {r.name for r in report.results if r.status == OK} == {case.name for case in load_manifest(FOLDER, groups)}
    assert not [r.name for r in report.results if r.status == UNCOVERED]
    lines = [line for line in printed.splitlines() if not line.startswith("    kinks: ")]
    assert all(len(line.split()) == 4 for line in lines)


def test_groups_can_be_left_out(capsys: pytest.CaptureFixture[str]):
    words = [str(FOLDER), "--group=design_tables", "--group=bias_act", "--without=design_tables", "--without=none"]
    assert runner.main([*words, "--impl=reference"]) == 0
    cases = load_manifest(FOLDER, ["bias_act"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[:-1]] == [case.name for case in cases]


def test_a_wrong_number_fails_and_names_the_array(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def change(group: Any, entry: Any, arrays: Any) -> None:
        arrays["dx"][0, 0, 0, 0] += 0.01

    folder = _small_folder(tmp_path, change)
    assert runner.main([str(folder), "--impl=reference"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{CASE} 1.00e-02 ") and lines[0].endswith(" FAIL")
    assert "dx" in lines[1] and lines[-1] == "golden: 0 passed, 1 failed, 0 uncovered"


@pytest.mark.parametrize("axis", [0, 2, 3])
def test_the_axis_of_the_bias_is_an_argument(tmp_path: Path, axis: int):
    def change(group: Any, entry: Any, arrays: Any) -> None:
        entry["args"]["dim"] = axis
        for name, array in arrays.items():
            if array.ndim == 4:
                arrays[name] = np.moveaxis(array, 1, axis)
                entry["arrays"][name]["shape"] = list(arrays[name].shape)

    report, _ = _run(_small_folder(tmp_path, change), dtype="float64")
    assert [r.status for r in report.results] == [OK]


def test_an_unknown_output_array_fails(tmp_path: Path):
    def change(group: Any, entry: Any, arrays: Any) -> None:
        arrays["d3_x"] = arrays["x"]
        entry["arrays"]["d3_x"] = {**entry["arrays"]["x"], "role": "output"}

    report, printed = _run(_small_folder(tmp_path, change))
    assert report.results[0].status == FAIL and "d3_x" in printed


def test_an_unknown_argument_fails(tmp_path: Path):
    report, printed = _run(_small_folder(tmp_path, lambda group, entry, arrays: entry["args"].update(slope=1)))
    assert report.results[0].status == FAIL and "slope" in printed


def test_an_array_that_the_file_lacks_fails(tmp_path: Path):
    report, printed = _run(_small_folder(tmp_path, lambda group, entry, arrays: arrays.pop("db")))
    assert report.results[0].status == FAIL and "db" in printed


@pytest.mark.parametrize("field", ["group", "function"])
def test_what_has_no_code_is_uncovered(tmp_path: Path, field: str, capsys: pytest.CaptureFixture[str]):
    def change(group: Any, entry: Any, arrays: Any) -> None:
        (group if field == "group" else entry)[field] = "something new"

    assert runner.main([str(_small_folder(tmp_path, change))]) == 0
    assert capsys.readouterr().out == f"{CASE} - - uncovered\ngolden: 0 passed, 0 failed, 1 uncovered\n"


@pytest.mark.parametrize("case", ["no folder", "not format 2", "not JSON", "unknown group"])
def test_what_cannot_be_run_is_one_line(tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]):
    empty = '{"format": 2, "groups": []}'
    text = {"not format 2": empty.replace("2", "1"), "not JSON": "{", "unknown group": empty}
    if case in text:
        (tmp_path / "manifest.json").write_text(text[case])
    assert runner.main([str(tmp_path), "--group=nothing"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and captured.err.startswith("golden: ")


def test_the_runner_needs_a_copy_of_nothing_but_the_manifest(tmp_path: Path):
    shutil.copytree(FOLDER / "upfirdn2d", tmp_path / "upfirdn2d")
    shutil.copy(FOLDER / "manifest.json", tmp_path)
    report, _ = _run(tmp_path, "upfirdn2d", dtype="float64")
    assert report.results and all(r.status == OK for r in report.results)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("op", [0.9, 2.4]), ("tensor", [0.9, 2.4]), ("absolute", [0.6, 2.1]), ("equal", [0, 0])],
)
def test_rules(rule: str, expected: list[float]):
    np.testing.assert_allclose(elementwise_limit(rule, 0.5, 0.1, np.array([1.0, -4.0])), expected)


def test_small_values_are_judged_by_op_as_if_they_reached_one():
    np.testing.assert_allclose(elementwise_limit("op", 0, 0.1, np.array([0.01])), [0.1])


def test_float32_arrays_have_a_floor():
    assert elementwise_limit("tensor", 0, 1e-9, np.array([4.0], np.float32)) == pytest.approx(8e-7)
    assert elementwise_limit("tensor", 0, 1e-9, np.array([4.0])) == pytest.approx(4e-9)


def test_limits_of_the_other_precision_serve_where_there_is_one_alone():
    assert limits_of({"rule": "op", "f32": {"rtol": 1, "atol": 2}}, "y", "float64") == ("op", 1, 2)
    assert limits_of({"rule": "op", "f64": {"rtol": 1, "atol": 2}}, "y", "float32") == ("op", 1, 2)
    assert limits_of(LIMITS, "y", "float32") == ("op", 0, 1e-3)


KINKS = {**LIMITS, "f32_without_kinks": {"rtol": 0, "atol": 1e-5}}


@pytest.mark.parametrize(
    ("dtype", "error", "status", "remarked"),
    [
        ("float32", 1e-6, OK, False),
        ("float32", 1e-4, OK, True),
        ("float32", 1e-2, FAIL, True),
        ("float64", 1e-4, FAIL, False),
    ],
)
def test_what_a_kink_may_move_is_said_in_float32_and_fails_in_float64(dtype, error, status, remarked):
    stream = io.StringIO()
    Report(stream).add(judged("case", [compare("y", np.array([1 + error]), np.ones(1), KINKS, dtype)]))
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith(status)
    assert [line for line in rest if "kinks: 1 of 1 arrays exceed" in line] == rest[:remarked]


@pytest.mark.parametrize(("dtype", "status"), [("float32", OK), ("float64", FAIL)])
def test_kinks_move_single_tensors_of_a_trajectory_in_float32_but_not_the_median(dtype, status):
    (case,) = load_manifest(FOLDER, ["training"])
    divergence = {"iter4/G": {"worst_rel_to_update": 1e-3, "median_rel_to_update": 1e-3}}
    case = dataclasses.replace(case, entry={**case.entry, "weight_divergence": divergence})
    names = case.below("f32/iter4/G/")

    def judgements(moved: list[str]):
        weights = {n: a + 0.1 * np.abs(a - _initial(case, "G", n)) * (n in moved) for n, a in names.items()}
        trajectory = Trajectory({}, {(4, "G"): weights}, np.zeros([4, 3]))
        return _judge_weights("f32", 4, "G", case, trajectory, Options("reference", dtype))

    one = "synthesis.b8.conv0.weight"
    assert judged("case", judgements([one])).status == status
    assert judged("case", judgements(list(names))).status == FAIL


def test_overrides_replace_limits_of_matching_arrays():
    tolerance = {**LIMITS, "overrides": {"after/*ema": {"f32": {"rtol": 7, "atol": 8}}}}
    assert limits_of(tolerance, "after/x.ema", "float64") == ("op", 7, 8)
    assert limits_of(tolerance, "before/x.ema", "float64") == ("op", 0, 1e-9)


def test_patterns_fit_whole_names_or_their_last_parts():
    patterns = {"mapping.*.weight": 1, "w_avg": 2, "weight": 3}
    assert best_pattern("mapping.fc0.weight", patterns) == "mapping.*.weight"
    assert best_pattern("mapping.w_avg", patterns) == "w_avg"
    assert best_pattern("b4.conv.weight", patterns) == "weight"
    assert best_pattern("b4.conv.bias", patterns) is None


@pytest.mark.parametrize("found", [np.ones(3), np.array([1.0, np.nan]), np.array([1.0, np.inf])])
def test_wrong_shapes_and_wild_numbers_fail(found: np.ndarray):
    assert not compare("y", found, np.ones(2), LIMITS, "float32").passed
