"""The study of projection runs on little; what it finds decides nothing here."""

import json

import numpy as np
import pytest
from PIL import Image

from examples import projection_study
from tests.tools.conftest import write_tiny_snapshot


@pytest.mark.long
def test_a_small_study(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(projection_study.Study, "ways", few)
    network = write_tiny_snapshot(tmp_path / "network-snapshot-000001", c_dim=0)
    for k, pixels in enumerate(np.random.default_rng(0).integers(0, 256, [2, 16, 16], np.uint8)):
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
    words = [f"--network={network}", f"--targets={tmp_path}", f"--out={tmp_path / 'study.png'}"]
    assert (
        projection_study.main([*words, "--steps=2", "--count=2", "--tuned=2", f"--json={tmp_path / 'rows.json'}"]) == 0
    )
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [row["way"] for row in rows] == ["the mean image", "w+, pixel", "w, untuned", "w, tuned"]
    assert [row["images"] for row in rows] == [2, 2, 1, 1]
    assert all(row["held_out_pixel"] > 0 and 0 <= row["own_found_by_image"] <= 1 for row in rows)
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(rows)
    with Image.open(tmp_path / "study.png") as picture:
        assert picture.height == 5 * 16 * 3


def few(study):
    pixels = projection_study.PixelFeatures()
    return [
        projection_study.Way("w+, pixel", pixels, {"space": "w+"}),
        projection_study.Way("w, tuned", pixels, {"num_steps": 2}, tunes=True),
    ]
