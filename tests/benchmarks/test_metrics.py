"""The benchmark of scores runs on little and tells what it says; how fast anything is decides nothing here."""

import json

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import metrics
from sg_keras.features import BoxAverages


class SmallNetwork:
    """Sees images as EfficientNetLite0 does, at once."""

    def features(self, images: np.ndarray) -> np.ndarray:
        return BoxAverages().features(images)

    def network(self, images: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        assert not training
        return {"pool": tf.reduce_mean(images, [1, 2])}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(metrics, "FEATURES", 32)
    monkeypatch.setattr(metrics, "EfficientNetLite0", SmallNetwork)


def test_a_small_round(capsys, monkeypatch):
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    monkeypatch.setattr(metrics, "many", lambda: {"seconds": 1.0, "peak_gb": 0.5})
    metrics.main(["--features=40", "--images=100", "--many", "--json"])
    *lines, last = capsys.readouterr().out.splitlines()
    found = json.loads(last)
    assert set(found) == {"many", "seconds", "scikit_learn", "seeing", "other_load"}
    assert len(found["seconds"]) == 5 and min(found["seconds"].values()) > 0 and found["scikit_learn"] > 0
    assert found["seeing"]["ratio"] in found["seeing"]["ratios"] and found["seeing"]["images_per_sec"] > 0
    assert "precision and recall of 50,000: 1 s, 0.50 GB at most" in lines
    assert any(line.startswith("density and coverage") and line.endswith("40 reals and fakes") for line in lines)


def test_many_tells_the_memory_of_the_process():
    found = metrics.many(60)
    assert found["seconds"] > 0
    assert 0.05 < found["peak_gb"] < 100


def test_features_are_drawn_from_one_distribution():
    few, others = metrics.draw(1000, 0), metrics.draw(1000, 1)
    assert few.shape == (1000, 32) and few.min() == 0
    assert (few != others).any() and (metrics.draw(1000, 0) == few).all()
    assert np.corrcoef(np.cov(few.T).ravel(), np.cov(others.T).ravel())[0, 1] > 0.9  # one mixing matrix
