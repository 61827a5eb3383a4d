"""The benchmark of the ops at the smallest sizes: that it runs, agrees and counts, not how fast anything is."""

from __future__ import annotations

import json

import pytest
import tensorflow as tf

from benchmarks.ops import main
from benchmarks.ops_cases import OPS, cases
from benchmarks.ops_measuring import measure
from sg_keras.ops import library

needs_ops = pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")


@needs_ops
@pytest.mark.parametrize("op", ["bias_act", "upfirdn2d", "scale_bias_act"])
def test_compositions_agree_and_all_figures_are_there(op: str) -> None:
    for case in cases(op, shrink=8):
        row = measure(case, seconds=0)
        assert row["ratio"] == pytest.approx(row["composed_ms"] / row["ours_ms"])
        assert (row["share_of_copy"] is None) == (case.traffic is None)
        assert row["composed"] in case.composed


@needs_ops
def test_a_composition_that_computes_something_else_is_refused() -> None:
    case = cases("channel_scale", shrink=8)[0]
    wrong = type(case)(**(vars(case) | {"composed": {"sum": lambda x, s: x + s[:, tf.newaxis, tf.newaxis]}}))
    with pytest.raises(ValueError, match="sum: found a relative error of"):
        measure(wrong, seconds=0)


@pytest.mark.parametrize("op", OPS)
def test_sizes_are_those_that_were_agreed_on(op: str) -> None:
    names = [case.name for case in cases(op)]
    expected = {
        "bias_act": "bias_act lrelu 8x128x128x64, forward + backward",
        "upfirdn2d": "upfirdn2d up 2 [1,3,3,1] 8x64x64x64, forward",
        "filtered_lrelu": "filtered_lrelu up 4 down 2 4x84x84x128, forward + backward",
    }
    assert not names or expected.get(op, names[0]) in names


@pytest.mark.long
@needs_ops
def test_the_last_line_is_a_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--op=channel_scale", "--threads=1", "--tiny", "--seconds=0", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert [row["threads"] for row in rows] == [1, 1]
    assert all(row["op"] == "channel_scale" and row["ours_ms"] > 0 for row in rows)


@pytest.mark.parametrize(("option", "message"), [("--threads=0", "threads: found 0"), ("--op=x", "failed with status")])
def test_bad_options_are_one_line(option: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([option, "--tiny"]) == 1
    assert message in capfd.readouterr().err
