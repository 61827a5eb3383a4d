"""sg_keras.tools.blend and sg_keras.tools.average."""

import pathlib
import shutil

import numpy as np
import pytest

import sg_keras
from sg_keras.tools import average, blend, generate
from sg_keras.weights import published_weights
from tests.weights.test_official_networks import assert_same

PICKLES = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles"
OFFICIAL = PICKLES / "sg3t_32_proto4_numpy2.pkl"


@pytest.fixture(scope="module")
def other(snapshot, tmp_path_factory):
    """A snapshot of the same networks with other weights."""
    networks = sg_keras.load(snapshot)
    for network in networks.values():
        network.set_weights([weights + 0.5 for weights in network.get_weights()])
    folder = tmp_path_factory.mktemp("blend") / "other"
    sg_keras.weights.write_snapshot(folder, networks.values(), None)
    return folder


def test_a_blend_is_read_as_any_network(snapshot, other, tmp_path, capsys):
    output = tmp_path / "new" / "blended"
    assert blend.main([f"--low={snapshot}", f"--high={other}", "--resolution=8", f"--output={output}"]) == 0
    assert capsys.readouterr().out == f"stylegan2 16x16, joined at 8: a network snapshot in {output}\n"
    low, high, found = (sg_keras.load(place) for place in (snapshot, other, output))
    for key, value in published_weights(found["G_ema"]).items():
        is_low = key.startswith(("mapping.", "synthesis.b4."))
        np.testing.assert_array_equal(value, published_weights((low if is_low else high)["G_ema"])[key], err_msg=key)
    assert generate.main([f"--network={output}", "--seeds=0", "--class=1", f"--outdir={tmp_path / 'out'}"]) == 0


@pytest.mark.long
def test_official_files(tmp_path):
    output = tmp_path / "blended.safetensors"
    words = [f"--low={OFFICIAL}", f"--high={OFFICIAL}", "--resolution=16", "--ramp=2", f"--output={output}"]
    assert blend.main(words) == 0
    assert_same(sg_keras.load(output), sg_keras.load(OFFICIAL))
    averaged = tmp_path / "averaged.pkl"
    words = [f"--network={OFFICIAL}", f"--network={output}", "--weights=1,2", f"--output={averaged}"]
    assert average.main(words) == 0
    assert_same(sg_keras.load(averaged), sg_keras.load(OFFICIAL))


def test_an_average(snapshot, other, tmp_path, capsys):
    words = [f"--network={snapshot}", f"--network={other}", "--weights=3,1", f"--output={tmp_path / 'averaged'}"]
    assert average.main(words) == 0
    assert "stylegan2 16x16, the average of 2: a network snapshot in" in capsys.readouterr().out
    first, second, found = (sg_keras.load(p)["D"].get_weights() for p in (snapshot, other, tmp_path / "averaged"))
    for one, two, mean in zip(first, second, found, strict=True):
        np.testing.assert_allclose(mean, 0.75 * one + 0.25 * two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "tool, options, message",
    [
        (blend, ["--low=SNAPSHOT", "--high=SNAPSHOT", "--resolution=4"], "--resolution: found 4, expected more than 4"),
        (
            blend,
            ["--low=SNAPSHOT", "--high=OTHER", "--resolution=8"],
            "--high: G: found c_dim 3 in the low and 0 in the",
        ),
        (blend, ["--low=nowhere", "--high=SNAPSHOT", "--resolution=8"], "--low: found 'nowhere', which does not exist"),
        (blend, ["--low=SNAPSHOT", "--high=SNAPSHOT"], "--resolution: found nothing, expected a value"),
        (average, ["--network=SNAPSHOT"], "--network: found one, expected two at least"),
        (
            average,
            ["--network=SNAPSHOT", "--network=SNAPSHOT", "--weights=1"],
            "--weights: found 1, expected 2 numbers",
        ),
        (
            average,
            ["--network=SNAPSHOT", "--network=OTHER"],
            "--network: G: found c_dim 3 in the first and 0 in number",
        ),
        (average, ["--weights=1,2"], "--network: found nothing, expected a value"),
    ],
)
def test_one_line_errors(snapshot, unconditional_snapshot, tmp_path, tool, options, message, capsys):
    places = {"SNAPSHOT": str(snapshot), "OTHER": str(unconditional_snapshot)}
    typed = [name + "=" + places.get(value, value) for name, _, value in (word.partition("=") for word in options)]
    assert tool.main([*typed, f"--output={tmp_path / 'out'}"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_what_is_there_stays(snapshot, tmp_path, capsys):
    output = tmp_path / "out"
    shutil.copytree(snapshot, output)
    for words in (
        [blend, f"--low={snapshot}", f"--high={snapshot}", "--resolution=8"],
        [average, f"--network={snapshot}", f"--network={snapshot}"],
    ):
        assert words[0].main([*words[1:], f"--output={output}"]) == 1
        assert (
            capsys.readouterr().err
            == f"Error: --output: {output}: found it there already, expected a new file or folder\n"
        )
