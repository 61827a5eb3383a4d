"""The study of what scores see, on few patches, in a process of its own: a worker would keep its memory."""

import json
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("skimage", reason="needs scikit-image")
pytest.importorskip("matplotlib", reason="needs matplotlib")
ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.long
def test_harm_is_seen_and_copies_are_told(tmp_path):
    picture, numbers = tmp_path / "study.png", tmp_path / "study.json"
    words = ["-m", "examples.metrics_study", f"--out={picture}", "--patches=40", f"--json={numbers}"]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stderr
    rows = json.loads(numbers.read_text())
    plain = rows["unharmed, N = 40"]
    assert rows["blur 2 pixels"]["kd"] > plain["kd"] and rows["noise 10 of 255"]["fd"] > plain["fd"]
    copies = rows["100% copies of reals"]
    assert copies["authpct"] == 0 and copies["fd"] < plain["fd"] and copies["coverage"] == 1
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert all(name in done.stdout for name in rows)
