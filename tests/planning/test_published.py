"""Which published configuration is nearest, and times on GPUs."""

import dataclasses

import pytest

from sg_keras.planning.published import GpuModel, nearest_row
from tests.planning.tiny_plan import rows, tiny_config


def test_nearest_row_and_how_it_differs():
    published = rows(tiny_config())
    nearest = nearest_row(tiny_config(gamma=5.0, cmax=16), published)
    assert nearest.row.name == "tiny-1gpu"
    assert ("gamma", "5", "1") in nearest.differences and ("cmax", "16", "512") in nearest.differences
    other = nearest_row(dataclasses.replace(tiny_config(), gpus=8, batch=64, batch_gpu=8), published)
    assert (other.row.name, other.differences) == ("tiny-8gpus", ())


def test_rows_are_fitted_and_operations_count():
    model = GpuModel(rows(tiny_config()))
    config = tiny_config()
    paces = model.paces(config, 1.0)
    assert [pace.sec_per_kimg for pace in paces] == pytest.approx([20.0, 10.0], rel=1e-3)
    assert model.paces(config, 3.0)[0].sec_per_kimg > 20
    assert "x 3 by operations" in model.paces(config, 3.0)[0].source
    assert GpuModel(rows(tiny_config())).paces(dataclasses.replace(config, generator=_stylegan3(config)), 1.0) == []


def _stylegan3(config):
    return dataclasses.replace(config.generator, cfg="stylegan3-t")
