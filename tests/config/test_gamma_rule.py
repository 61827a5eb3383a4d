"""The suggested gamma: what the published configurations have, where they follow a rule."""

import csv
import pathlib
import re

import pytest

from sg_keras.config.gamma_rule import suggested_gamma
from sg_keras.config.sizes import ImageSize

with (pathlib.Path(__file__).parents[1] / "fixtures" / "training_configs.csv").open(newline="") as table:
    ROWS = list(csv.DictReader(table))


def test_it_is_that_of_the_published_rows():
    """All of the automatic configuration, of the StyleGAN3 tables by resolution and of its ablations."""
    compared = 0
    for row in ROWS:
        options = dict(word[2:].split("=", 1) for word in row["options"].split())
        general = "default" in row["section"] or re.fullmatch(r"[0-9]+x[0-9]+ resolution", row["section"])
        if general or ("ablations" in row["section"] and options["cfg"] != "stylegan2"):
            side = int(re.search(r"([0-9]+)x[0-9]+", str(row)).group(1))
            found = suggested_gamma(options["cfg"], ImageSize(side, side), int(options["batch"])).gamma
            assert found == pytest.approx(float(options["gamma"]), rel=1e-12), row
            compared += 1
    assert compared == 15 + 32 + 2


def test_rectangles_and_where_it_comes_from():
    gamma, source = suggested_gamma("stylegan2", ImageSize(256, 512), 32)
    assert gamma == 0.8192 and source.startswith("0.8192 = 0.0002 * 512 * 256 / batch of 32, the rule of StyleGAN2-ADA")
    assert suggested_gamma("stylegan3-r", ImageSize(256, 256), 64).source.startswith("1 = 1/1024 * 256 * 256 / batch")
