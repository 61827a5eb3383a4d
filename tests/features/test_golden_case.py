"""The runner of reference cases: the package's weights are held to the case's limits, the copy to its own."""

from __future__ import annotations

import importlib.util
import pathlib
from typing import Any

import numpy as np
import pytest

from tests.features.test_efficientnet_lite0 import EXACT, FIXTURE, SOURCE
from tests.golden.checks_features import PACKAGE, check
from tests.golden.manifest import Case
from tests.golden.report import FAIL, OK, UNCOVERED, Options, UncoveredError

ARGS = {"weights": SOURCE[0], "weights_sha256": SOURCE[1], "mean": 127, "std": 128, "size": 224}
ARGS |= {"stage_last_blocks": [0, 2, 4, 7, 10, 14, 15]}


def _case(rename: Any = str, offset: float = 0, **args: Any) -> Case:
    """A case of the small file; arrays may be called otherwise, and the pooled features be wrong."""
    with np.load(FIXTURE, allow_pickle=False) as archive:
        arrays = dict(archive)
    arrays["pool"] = arrays["pool"] + np.float32(offset)
    arrays = {rename(name): array for name, array in arrays.items()}
    described = {
        name: {"shape": list(a.shape), "dtype": str(a.dtype), "role": "input" if "image" in name else "output"}
        for name, a in arrays.items()
    }
    entry = {"file": "features/small.npz", "function": "EfficientNet-Lite0 features", "tolerance": EXACT}
    case = Case("features", pathlib.Path(), {**entry, "args": {**ARGS, **args}, "arrays": described})
    case.__dict__["arrays"] = arrays  # in place of a file
    return case


def _statuses(case: Case) -> dict[str, str]:
    return {result.name: result.status for result in check(case, Options("reference", "float64"))}


@pytest.fixture
def _package():
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip(f"{PACKAGE} is not installed")


@pytest.mark.usefixtures("_package")
@pytest.mark.parametrize(("offset", "exact", "copy"), [(0, OK, OK), (0.01, FAIL, OK), (1, FAIL, FAIL)])
def test_each_set_of_weights_has_its_limits(offset, exact, copy):
    expected = {"features/small.npz": exact, "features/small.npz:float16-copy": copy}
    assert _statuses(_case(offset=offset)) == expected


@pytest.mark.usefixtures("_package")
def test_images_of_another_name():
    names = {"images_uint8": "image_64_uint8"}
    assert set(_statuses(_case(lambda name: names.get(name, f"{name}_64"))).values()) == {OK}


@pytest.mark.parametrize("args", [{"weights": "other.pth"}, {"weights_sha256": "0" * 64}])
def test_other_weights_are_uncovered_and_the_copy_is_judged(args):
    expected = {"features/small.npz": UNCOVERED, "features/small.npz:float16-copy": OK}
    assert _statuses(_case(**args)) == expected


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result, copy = check(_case(), Options("reference", "float64"))
    assert (result.status, copy.status) == (UNCOVERED, OK)
    assert result.details == (f"{PACKAGE} is not installed: pip install 'sg-keras[dev]'",)


def test_another_network_is_uncovered():
    with pytest.raises(UncoveredError, match="another network or other input than ours"):
        check(_case(mean=128), Options())
