"""The copy of EfficientNet-Lite0's weights is what the example makes of the package's file."""

import pytest

from examples import efficientnet_lite0_weights as example
from sg_keras.features import efficientnet_lite0 as lite0
from tests.golden.checks_features import package_file
from tests.golden.report import UncoveredError


def test_it_makes_the_copy_in_the_package(tmp_path, capsys):
    try:
        source = package_file("efficientnet-lite0-57934424.pth")
    except UncoveredError as reason:
        pytest.skip(str(reason))
    path = tmp_path / "copy.npz"
    assert example.main([str(source), f"--out={path}"]) == 0
    assert capsys.readouterr().out == f"{path}: SHA-256 {lite0.VENDORED_SHA256}\n"
    assert path.read_bytes() == example.PLACE.read_bytes()


def test_another_file_is_one_line(tmp_path, capsys):
    source = tmp_path / "other.pth"
    source.write_bytes(b"something else")
    assert example.main([str(source), f"--out={tmp_path / 'copy.npz'}"]) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"efficientnet_lite0_weights: {source}: found SHA-256 ") and line.count("\n") == 1
    assert list(tmp_path.iterdir()) == [source]
