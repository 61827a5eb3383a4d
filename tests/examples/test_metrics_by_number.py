"""Scores by the number of fakes, on few features."""

import numpy as np
import pytest

from examples import metrics_by_number

pytest.importorskip("skimage", reason="needs scikit-image")
pytest.importorskip("matplotlib", reason="needs matplotlib")


def test_draws_share_nothing_and_frechet_falls_with_the_number(tmp_path):
    random = np.random.default_rng(0)
    real, fake = (random.standard_normal([n, 30]).astype(np.float32) for n in (64, 100))
    found = metrics_by_number.by_number(real, fake, [16, 64])
    assert {family: [len(draws) for draws in by.values()] for family, by in found.items()} == {
        family: [3, 1] for family in metrics_by_number.FAMILIES
    }
    assert len({draw.value for draw in found["fd"][16]}) == 3
    assert min(draw.value for draw in found["fd"][16]) > found["fd"][64][0].value
    study = {"unharmed": found}
    assert len(metrics_by_number.report(study).splitlines()) == 3
    metrics_by_number.draw(study, tmp_path / "numbers.png")
    assert (tmp_path / "numbers.png").read_bytes().startswith(b"\x89PNG")
