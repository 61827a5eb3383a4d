"""The benchmark of projection runs on little and tells what it says; how fast anything is decides nothing here."""

import json

from benchmarks import projection


def test_a_small_round(capsys):
    projection.main(["--resolution=8", "--cbase=64", "--cmax=8", "--loss=pixel", "--batch=2", "--steps=1", "--json"])
    *lines, last = capsys.readouterr().out.splitlines()
    found = json.loads(last)
    assert set(found) == {"steps_per_sec", "images_per_sec", "network_alone_steps_per_sec", "ratio", "other_load"}
    assert min(found["steps_per_sec"], found["network_alone_steps_per_sec"]) > 0
    assert lines[0].startswith("stylegan2 8x8, 2 at a time, pixel: ")
