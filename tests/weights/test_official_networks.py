"""Networks of official pickles: written as PyTorch would, read back, and refused where they are not ours."""

import pathlib

import keras
import numpy as np
import pytest

import sg_keras
from sg_keras.models import Discriminator, Generator
from sg_keras.weights.official import read_official_pickle
from tests.weights.official_files import (
    Call,
    Raw,
    instructions,
    pickled,
    tensor,
    torch_module,
    torch_network,
    write_official,
    write_tensorflow,
)

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles"


def tiny_networks(generator_options: dict, discriminator_options: dict) -> dict[str, keras.Model]:
    """G, D and G_ema with random values everywhere."""
    shared = {"c_dim": 0, "img_resolution": 16, "img_channels": 3, "channel_base": 64, "channel_max": 8}
    further = {"z_dim": 6, "w_dim": 8, "mapping_kwargs": {"num_layers": 2}}
    networks = {
        "G": Generator(**{**shared, **further, **generator_options}, name="G"),
        "D": Discriminator(**{**shared, **discriminator_options}, name="D"),
        "G_ema": Generator(**{**shared, **further, **generator_options}, name="G_ema"),
    }
    random = np.random.default_rng(0)
    for network in networks.values():
        for variable in network.variables:
            variable.assign(random.standard_normal(variable.shape))
    return networks


def assert_same(found: dict[str, keras.Model], expected: dict[str, keras.Model]) -> None:
    """The same networks, to the last bit of their weights."""
    assert list(found) == ["G", "D", "G_ema"]
    for name, network in expected.items():
        assert found[name].name == name
        theirs = {variable.path: variable.numpy() for variable in found[name].variables}
        assert list(theirs) == [variable.path for variable in network.variables]
        for variable in network.variables:
            np.testing.assert_array_equal(theirs[variable.path], variable.numpy())


SMALL_STYLEGAN3 = {"num_layers": 3, "num_critical": 1, "margin_size": 4, "magnitude_ema_beta": 0.9}
CASES = {
    "stylegan2": ({}, {}),
    "labels": ({"c_dim": 3}, {"c_dim": 3, "mapping_kwargs": {"num_layers": 2}}),
    "narrow": (
        {"c_dim": 2, "mapping_kwargs": {"num_layers": 3, "layer_features": 5, "embed_features": 4}},
        {"c_dim": 2, "cmap_dim": 5, "mapping_kwargs": {"num_layers": 1, "lr_multiplier": 0.1}},
    ),
    "embedding alone": ({"c_dim": 2}, {"c_dim": 2, "mapping_kwargs": {"num_layers": 0, "lr_multiplier": 0.01}}),
    "resnet-skip": ({"architecture": "resnet", "conv_clamp": None}, {"architecture": "skip", "conv_clamp": None}),
    "orig": ({"architecture": "orig", "use_noise": False}, {"architecture": "orig", "mbstd_group_size": None}),
    "other": (
        {"activation": "swish", "img_channels": 1},
        {"activation": "relu", "img_channels": 1, "freeze_layers": 2},
    ),
    "stylegan3-t": ({"cfg": "stylegan3-t", "synthesis_kwargs": SMALL_STYLEGAN3}, {}),
    "stylegan3-r": ({"cfg": "stylegan3-r", "synthesis_kwargs": {**SMALL_STYLEGAN3, "output_scale": 0.5}}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_pytorch_would_write_is_read(case, tmp_path):
    expected = tiny_networks(*CASES[case])
    written = {}
    if case.startswith("stylegan3-r"):  # official files say what makes an R by these arguments
        written = {"conv_kernel": 1, "use_radial_filters": True}
    found = sg_keras.load(write_official(tmp_path / "network.pkl", expected, **written), ops="reference")
    assert_same(found, expected)
    config, ours = (networks["G"].get_config() for networks in (found, expected))
    for name in ("cfg", "architecture", "conv_clamp", "activation", "use_noise"):
        assert config[name] == ours[name]
    z, c = np.ones([2, 6], np.float32), np.eye(3, dtype=np.float32)[:2, : config["c_dim"]]
    images = expected["G_ema"](z, c, truncation_psi=0.5)
    np.testing.assert_allclose(found["G_ema"](z, c, truncation_psi=0.5), images, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["D"](images, c), expected["D"](images, c), rtol=1e-4, atol=1e-4)


EMBED_ONLY = {"num_layers": 0, "lr_multiplier": 0.1}
G_DEPTH = {"num_layers": 2, "w_avg_beta": 0.995}
#: (arguments of G, of D, settings of G, of D that the file says): widths and depths of the labels' ways in.
TENSORFLOW_CASES = {
    "no-labels": ({"mapping_kwargs": G_DEPTH}, {}, {}, {}),
    "defaults": ({"c_dim": 3, "mapping_kwargs": G_DEPTH}, {"c_dim": 3, "mapping_kwargs": EMBED_ONLY}, {}, {}),
    "said": (
        {"c_dim": 2, "mapping_kwargs": {**G_DEPTH, "num_layers": 3, "embed_features": 4, "layer_features": 5}},
        {"c_dim": 2, "cmap_dim": 5, "mapping_kwargs": {"num_layers": 2, "lr_multiplier": 0.05}},
        {"label_fmaps": 4, "mapping_fmaps": 5, "mapping_layers": 3, "mapping_lrmul": 0.01},
        {"mapping_layers": 2, "mapping_fmaps": 5, "mapping_lrmul": 0.05},
    ),
    "none-said": (
        {"c_dim": 1, "architecture": "resnet", "mapping_kwargs": {**G_DEPTH, "lr_multiplier": 0.02}},
        {"c_dim": 1, "architecture": "skip", "mapping_kwargs": {"num_layers": 1, "lr_multiplier": 0.1}},
        {"label_fmaps": None, "mapping_fmaps": None, "mapping_lrmul": 0.02},
        {"mapping_layers": 1, "mapping_fmaps": None},
    ),
}


@pytest.mark.parametrize("case", TENSORFLOW_CASES)
def test_what_tensorflow_1_would_write_is_read(case, tmp_path):
    of_networks, said = TENSORFLOW_CASES[case][:2], TENSORFLOW_CASES[case][2:]
    expected = tiny_networks(*of_networks)
    for network in (expected["G"], expected["G_ema"]):  # in the file a bias of styles is less by one, which rounds
        for variable in network.variables:
            if variable.path.endswith("affine/bias"):
                variable.assign(np.round(variable.numpy() * 64) / 64)
    found = sg_keras.load(write_tensorflow(tmp_path / "network.pkl", expected, *said), ops="reference")
    assert_same(found, expected)
    for name in ("G", "D"):
        ours, theirs = (networks[name].mapping for networks in (expected, found))
        if ours is not None:
            assert theirs.get_config()["lr_multiplier"] == ours.get_config()["lr_multiplier"]
    z, c = np.ones([2, 6], np.float32), np.eye(3, dtype=np.float32)[:2, : found["G"].c_dim]
    images = expected["G_ema"](z, c, truncation_psi=0.5)
    np.testing.assert_allclose(found["G_ema"](z, c, truncation_psi=0.5), images, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["D"](images, c), expected["D"](images, c), rtol=1e-4, atol=1e-4)


def test_a_label_without_layers_is_projected_as_it_is_embedded():
    """By hand: what a discriminator says is its features times the normalised embedding."""
    D = tiny_networks({}, {"c_dim": 3, "mapping_kwargs": EMBED_ONLY})["D"]
    assert [v.path for v in D.mapping.variables] == ["D/mapping/embed/weight", "D/mapping/embed/bias"]
    c = np.array([[0.5, 1.0, -2.0]], np.float32)
    weight, bias = (v.numpy().astype(np.float64) for v in D.mapping.variables)
    embedded = c @ weight / np.sqrt(3) + bias
    embedded /= np.sqrt(np.mean(embedded**2) + 1e-8)
    np.testing.assert_allclose(np.asarray(D.mapping(None, c)), embedded, rtol=1e-5)


@pytest.mark.parametrize(
    "of_g, of_d, message",
    [
        ({"label_fmaps": 4}, {}, r"G: found mapping.embed.weight with shape \[8, 3\], expected \[4, 3\]"),
        ({}, {"mapping_fmaps": 4}, r"D: found b4.out.weight with shape \[8, 8\], expected \[4, 8\]"),
        ({"label_size": 0}, {}, "G: found mapping.fc0.weight with shape"),
        ({"mapping_fmaps": "wide"}, {}, "G: mapping_fmaps: found str, expected a number"),
        ({"labels": "yes"}, {}, "G: found the setting 'labels', expected one of"),
    ],
)
def test_labels_that_do_not_fit_are_one_line(of_g, of_d, message, tmp_path):
    networks = tiny_networks(*TENSORFLOW_CASES["defaults"][:2])
    with pytest.raises(ValueError, match=message) as caught:
        sg_keras.load(write_tensorflow(tmp_path / "network.pkl", networks, of_g, of_d))
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def networks():
    return tiny_networks({}, {})


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"img_resolution": 2**14}, "G: found no synthesis.b32.conv0.weight, expected it with shape"),
        ({"img_resolution": 2**20}, "G: img_resolution: found 1048576, expected 4 to 16384"),
        ({"img_resolution": 36}, "G: img_resolution: found 36x36, expected 32x32 or 40x40"),
        ({"img_resolution": "big"}, "G: img_resolution: found a str, expected a whole number"),
        ({"w_dim": 10**9}, "G: found synthesis.b4.conv1.affine.weight with shape"),
        ({"c_dim": 5}, "D: found no mapping.fc0.weight in it, expected a network"),
        ({"activation": "sine"}, "G: activation: found 'sine', expected one of linear"),
        ({"conv_clamp": float("inf")}, "G: conv_clamp: found an infinite number"),
    ],
)
def test_arguments_that_do_not_fit_the_weights_are_one_line(changed, message, networks, tmp_path):
    path = write_official(tmp_path / "network.pkl", networks, **changed)
    with pytest.raises(ValueError, match=message) as caught:
        sg_keras.load(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


TABLE = [[4, 6], [8, 12], [16, 3]]


@pytest.mark.parametrize("layout", ["torch", "tensorflow"])
def test_channels_of_edited_programs_are_those_of_the_weights(layout, tmp_path):
    """Whoever changes the published programs leaves channel_base and channel_max as they were, or anything else."""
    expected = tiny_networks({"channels": TABLE}, {"channels": TABLE})
    if layout == "torch":
        path = write_official(tmp_path / "network.pkl", expected, channel_base=2**30, channel_max=2**20)
    else:
        path = write_tensorflow(tmp_path / "network.pkl", expected, {}, {})
    found = sg_keras.load(path, ops="reference")
    assert [network.get_config()["channels"] for network in found.values()] == [TABLE] * 3
    for name in ("G", "D", "G_ema"):
        shapes = [[tuple(v.shape) for v in networks[name].variables] for networks in (found, expected)]
        assert shapes[0] == shapes[1]
    z = np.ones([2, 6], np.float32)
    np.testing.assert_allclose(found["G_ema"](z), expected["G_ema"](z), rtol=1e-4, atol=1e-3)


def test_weights_that_share_memory(networks, tmp_path):
    """A small file could describe a mapping of any depth by one weight."""
    weight = instructions(tensor(np.ones([64, 64], np.float32))) + b"r" + b"\1\1\0\0" + b"0"
    bias = instructions(tensor(np.ones([64], np.float32))) + b"r" + b"\2\1\0\0"
    fetched = [Raw(b"j\1\1\0\0"), Raw(b"j\2\1\0\0")]
    layer = {"_parameters": dict(zip(("weight", "bias"), fetched, strict=True)), "_buffers": {}, "_modules": {}}
    layers = {f"fc{n}": torch_module("FullyConnectedLayer", layer) for n in range(100)}
    mapping = torch_module("MappingNetwork", {"_modules": layers})
    first = torch_module("SynthesisLayer", {"_parameters": {"weight": tensor(np.ones([2, 2, 3, 3], np.float32))}})
    block = torch_module("SynthesisBlock", {"_modules": {"conv1": first}})
    synthesis = torch_module("SynthesisNetwork", {"_modules": {"b4": block}})
    sizes = dict.fromkeys(("z_dim", "w_dim"), 64) | {"c_dim": 0, "img_resolution": 4, "img_channels": 3}
    network = torch_module("Generator", {"_modules": {"mapping": mapping, "synthesis": synthesis}, **sizes})
    content = {"G": network, "D": torch_network(networks["D"]), "G_ema": torch_network(networks["G_ema"])}
    path = tmp_path / "network.pkl"
    path.write_bytes(pickled(Raw(weight + bias + b"0" + instructions(content))))
    with pytest.raises(ValueError, match=r"network.pkl: found \d+ kB of weights in a file of \d+ kB, expected each"):
        sg_keras.load(path)


@pytest.mark.parametrize("changed", [{"num_layers": 10**9}, {"filter_size": 10**9}, {"first_cutoff": 1e300}])
def test_a_plan_without_end_is_refused(changed, tmp_path):
    networks = tiny_networks({"cfg": "stylegan3-t", "synthesis_kwargs": SMALL_STYLEGAN3}, {})
    networks["G"]._arguments["synthesis_kwargs"] |= changed
    with pytest.raises(ValueError, match=f"network.pkl: G: .*{next(iter(changed))}: found"):
        sg_keras.load(write_official(tmp_path / "network.pkl", networks))


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "found an empty file"),
        (b"PK\x03\x04....", "found a zip file, as torch.save writes it"),
        (b"<html>", "found a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "found a Git LFS pointer"),
        (b"nonsense", "expected a network file"),
        (pickled([1, 2]), "found a pickle of a list, expected a pickle of StyleGAN2-ADA or StyleGAN3"),
        (pickled({"G_ema": 1}), "found no network G and no D and no G_ema in it"),
        (pickled((Call("dnnlib.tflib.network", "Network"),)), "found a pickle of a tuple"),
        (pickled({"format": "sg_keras networks 9", "networks": {}}), "expected 'sg_keras networks 1'"),
    ],
)
def test_other_files_are_named(content, message, tmp_path):
    path = tmp_path / "network.pkl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        sg_keras.load(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*.pkl")))
def test_published_files(name):
    descriptions = read_official_pickle(FIXTURES / name)
    assert {key: d.kind for key, d in descriptions.items()} == {
        "G": "Generator",
        "D": "Discriminator",
        "G_ema": "Generator",
    }
    assert descriptions["G"].config["img_resolution"] == 32


def test_other_filters_are_another_network(tmp_path):
    from sg_keras.weights.network_description import build_network, describe

    description = describe(tiny_networks({}, {})["G"])
    name = "synthesis.b8.conv0.resample_filter"
    description.filters[name] = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64
    build_network(description, "G", "reference")
    description.filters[name] = np.ones([4, 4], np.float32) / 16
    with pytest.raises(ValueError, match=f"G: found other values of {name}"):
        build_network(description, "G", "reference")
