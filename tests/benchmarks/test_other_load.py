"""The share of the cores that other processes take."""

from __future__ import annotations

import pathlib

import pytest

from benchmarks.other_load import OtherLoad


def test_others_share_is_what_this_process_did_not_use(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([(0.0, 100.0, 1.0), (2.0, 103.0, 2.5)])  # seconds: wall, busy cores, of them this process
    monkeypatch.setattr(OtherLoad, "_now", lambda self: next(moments))
    monkeypatch.setattr(OtherLoad, "_num_cores", lambda self: 2)
    assert OtherLoad().share() == pytest.approx((3.0 - 1.5) / 4.0)


@pytest.mark.skipif(not pathlib.Path("/proc/stat").exists(), reason="Linux only")
def test_it_is_a_share() -> None:
    load = OtherLoad()
    sum(range(2_000_000))
    assert 0 <= load.share() <= 1.05
