"""The script that makes the data file of BRISQUE's regression."""

from __future__ import annotations

import pathlib

import pytest

from examples import brisque_model
from sg_keras.curation import brisque
from sg_keras.files.download import size_and_sha256


def test_the_file_in_the_package_is_the_one_that_the_script_made():
    assert size_and_sha256([brisque_model.PLACE])[1] == brisque.MODEL_SHA256
    attribution = brisque_model.PLACE.with_name("brisque_ATTRIBUTION.txt").read_text(encoding="ascii")
    assert brisque_model.VECTORS_SHA256 in attribution and brisque_model.RANGES_SHA256 in attribution


def test_other_files_are_refused(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "svm.txt").write_text("SV")
    words = [str(tmp_path / "svm.txt"), str(tmp_path / "svm.txt"), "--out", str(tmp_path / "out.npz")]
    assert brisque_model.main(words) == 1
    assert "svm.txt: found SHA-256" in capsys.readouterr().err and not (tmp_path / "out.npz").exists()


def test_files_become_arrays(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    import pickle

    import numpy as np

    vectors, ranges = tmp_path / "svm.txt", tmp_path / "normalize.pickle"
    vectors.write_text("svm_type epsilon_svr\ngamma 0.05\nrho -2\nSV\n-3 1:0.5 36:2 \n1 2:-1 \n")
    ranges.write_bytes(pickle.dumps({"min_": [float(i) for i in range(36)], "max_": [i + 0.5 for i in range(36)]}))
    for name, file in (("VECTORS_SHA256", vectors), ("RANGES_SHA256", ranges)):
        monkeypatch.setattr(brisque_model, name, size_and_sha256([file])[1])
    made = [brisque_model.make_model(vectors, ranges, tmp_path / f"{name}.npz") for name in "ab"]
    assert made[0] == made[1]
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["vectors"].shape == (2, 36) and arrays["vectors"][0, 35] == 2 and arrays["vectors"][1, 1] == -1
        assert arrays["weights"].tolist() == [-3, 1] and arrays["rho"] == -2 and arrays["least"][35] == 35
