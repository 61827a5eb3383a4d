"""Values that change over a run."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sg_keras.config.schedule import Schedule, Segment, scheduled, whole_steps


@pytest.mark.parametrize(
    "text, points",
    [
        ("2e-3; 2e-4 from 10000; 1e-4 from 20000", {0: 2e-3, 9_999_999: 2e-3, 10_000_000: 2e-4, 25_000_000: 1e-4}),
        ("linear 0..500 over 1000", {0: 0, 250_000: 125, 1_000_000: 500, 9_000_000: 500}),
        ("cosine 2e-4..5e-5 over 5000", {0: 2e-4, 2_500_000: 1.25e-4, 5_000_000: 5e-5}),
        ("LINEAR 0 .. 1 over 10kimg;3 from 4 kimg", {0: 0, 2_000: 0.2, 3_999: 0.3999, 4_000: 3, 20_000: 3}),
        ("1; linear 1..0 over 2 from 4", {3_999: 1, 5_000: 0.5, 6_000: 0}),
    ],
)
def test_values_over_a_run(text, points):
    schedule = Schedule.of(text)
    for nimg, value in points.items():
        assert schedule.at(nimg) == pytest.approx(value, rel=1e-12, abs=1e-15), nimg


def test_a_cosine_starts_and_ends_flat():
    schedule = Schedule.of("cosine 1..0 over 1")
    assert schedule.at(100) == pytest.approx((1 + math.cos(math.pi / 10)) / 2)


def test_what_stays_the_same_is_a_number():
    assert scheduled("2e-3") == 0.002 and scheduled(3) == 3.0
    assert scheduled("linear 1..2 over 3") == "linear 1..2 over 3"
    assert json.loads(json.dumps(scheduled("2E-3;1e-3 from 5"))) == "0.002; 0.001 from 5"


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "found '', expected a number, or a schedule such as"),
        ("1;", "found '1;', expected a number, or a schedule"),
        ("1 to 2", "expected a number, or a schedule"),
        ("linear 1..2", "expected a number, or a schedule"),
        ("nan", "expected a number, or a schedule"),
        ("linear 1..2 over 0", "expected a ramp over more than 0 kimg"),
        ("1 from 5", "expected the first value without 'from'"),
        ("1; 2 from 5; 3 from 5", "expected each 'from' to be later than the one before"),
    ],
)
def test_texts_that_are_no_schedules(text, message):
    with pytest.raises(ValueError, match=message):
        Schedule.of(text)


def test_steps_of_whole_numbers():
    assert whole_steps(4.0) == 4 and isinstance(whole_steps(4.0), int)
    assert whole_steps("0;2.0 from 5; 4 from 10") == "0; 2 from 5; 4 from 10"
    for text in ("linear 0..4 over 10", "0; 1.5 from 5"):
        with pytest.raises(ValueError, match=f"found '{text}', expected a whole number, or steps such as"):
            whole_steps(text)


def test_every_value_is_checked():
    def positive(value: float) -> None:
        if value <= 0:
            raise ValueError(f"found {value}")

    with pytest.raises(ValueError, match=r"found 0\.0"):
        scheduled("1; linear 1..0 over 5 from 3", positive)


_NUMBERS, _KIMG = st.floats(-1e6, 1e6), st.floats(1e-3, 1e5)
_SPANS = st.sampled_from([0.0, 1.0, 2.5])


@given(st.lists(st.tuples(_KIMG, _NUMBERS, _NUMBERS, _SPANS, st.sampled_from(["linear", "cosine"])), min_size=1))
def test_a_schedule_and_its_text_are_the_same(parts):
    starts = [0.0, *sorted({start for start, *_ in parts})]
    segments = [
        Segment(start, first, last, over, shape) if over else Segment(start, last, last)
        for start, (_, first, last, over, shape) in zip(starts, parts, strict=False)
    ]
    schedule = Schedule(tuple(segments))
    assert Schedule.of(str(schedule)) == schedule
    assert Schedule.of(schedule.plain).at(12_345) == schedule.at(12_345)


def test_times_are_scaled_and_known():
    schedule = Schedule.of("2; linear 2..1 over 100 from 50")
    assert str(schedule.scaled(0.01)) == "2; linear 2..1 over 1 from 0.5"
    assert schedule.changes_kimg == (50, 150)
    assert Schedule.of(3).changes_kimg == ()
