"""Images a second."""

import json

import pytest

from benchmarks import generate


@pytest.mark.long
def test_every_way_is_measured(capsys):
    words = ["--cfg=stylegan2", "--resolution=8", "--cbase=32", "--cmax=4", "--batches=1,2", "--seconds=0.01", "--json"]
    generate.main(words)
    *lines, last = capsys.readouterr().out.splitlines()
    found = json.loads(last)["stylegan2"]
    assert {batch: set(ways) for batch, ways in found.items()} == {
        "1": {"network", "alone"},
        "2": {"network", "alone", "together"},
    }
    assert found["1"]["network"]["ratio"] == 1
    assert found["2"]["alone"]["images_per_sec"] > 0 and found["2"]["alone"]["processor_ms"] > 0
    assert lines[0].startswith("stylegan2    batch   1 network")
