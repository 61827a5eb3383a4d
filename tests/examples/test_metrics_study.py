"""The study of what scores see, on few patches."""

import pytest

from examples import metrics_study

pytest.importorskip("skimage", reason="needs scikit-image")
pytest.importorskip("matplotlib", reason="needs matplotlib")


@pytest.mark.long
def test_harm_is_seen_and_copies_are_told(tmp_path):
    rows = metrics_study.study(40)
    plain = rows["unharmed, N = 40"]
    assert rows["blur 2 pixels"]["kd"] > plain["kd"] and rows["noise 10 of 255"]["fd"] > plain["fd"]
    copies = rows["100% copies of reals"]
    assert copies["authpct"] == 0 and copies["fd"] < plain["fd"] and copies["coverage"] == 1
    metrics_study.draw(rows, tmp_path / "study.png")
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG")
