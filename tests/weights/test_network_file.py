"""Networks through files of other formats and back, to the last bit, and files that are refused."""

import functools
import inspect
import json
import pathlib
import pickle
import re

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import sg_keras
from sg_keras.models import Discriminator, Generator
from sg_keras.weights.network_description import NetworkDescription, build_network, describe
from sg_keras.weights.network_file import write_networks
from sg_keras.weights.official import torch_networks
from sg_keras.weights.official.official_pickle import read_records
from sg_keras.weights.official.plain_values import plain_array
from tests.weights.official_files import Raw, pickled
from tests.weights.test_official_networks import CASES, assert_same, tiny_networks

NAMES = ["networks.safetensors", "networks.pkl", "network-snapshot-000000"]


@pytest.fixture(scope="module")
def networks():
    return tiny_networks(*CASES["labels"])


@pytest.mark.parametrize("case", ["labels", "stylegan3-r"])
def test_round_trips_keep_every_bit(case, tmp_path):
    first = found = tiny_networks(*CASES[case])
    for name in [*NAMES, f"second/{NAMES[0]}"]:
        write_networks(tmp_path / name, found)
        found = sg_keras.load(tmp_path / name)
        assert_same(found, first)
        for key, network in first.items():
            assert found[key].get_config() == network.get_config()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*NAMES, "second"])
    assert (tmp_path / NAMES[0]).read_bytes() == (tmp_path / "second" / NAMES[0]).read_bytes()


def test_official_pickles_hold_no_network_without_the_constant(tmp_path):
    first = tiny_networks({"no_const": True}, {})
    for name in (NAMES[0], NAMES[2]):
        write_networks(tmp_path / name, first)
        found = sg_keras.load(tmp_path / name)
        assert_same(found, first)
        assert found["G"].get_config() == first["G"].get_config()
    message = r"networks.pkl: found a generator without the learnt constant .*cannot hold, expected NAME.safetensors"
    with pytest.raises(ValueError, match=message):
        write_networks(tmp_path / "networks.pkl", first)
    assert not (tmp_path / "networks.pkl").exists()


def test_pickles_hold_channels_that_a_rule_gives(tmp_path):
    """As channel_base and channel_max, which their readers know; other tables are for files of ours."""
    by_rule, other = [[4, 8], [8, 8], [16, 4]], [[4, 6], [8, 12], [16, 3]]
    networks = tiny_networks({"channels": by_rule}, {"channels": by_rule})
    assert "layout of official pickles" in write_networks(tmp_path / "rule.pkl", networks)
    found = sg_keras.load(tmp_path / "rule.pkl")
    assert_same(found, networks)
    assert {"channel_base": 64, "channel_max": 8}.items() <= found["D"].get_config().items()
    networks = tiny_networks({"channels": other}, {})
    with pytest.raises(
        ValueError, match=r"table.pkl: found G and G_ema with channels by a table .*, which official pick"
    ):
        write_networks(tmp_path / "table.pkl", networks)
    write_networks(tmp_path / NAMES[0], networks)
    found = sg_keras.load(tmp_path / NAMES[0])
    assert_same(found, networks)
    assert found["G"].get_config()["channels"] == other and "channels" not in found["D"].get_config()


def test_other_programs_can_read_the_files(networks, tmp_path):
    write_networks(tmp_path / NAMES[0], networks)
    tensors = safetensors.numpy.load_file(tmp_path / NAMES[0])
    assert tensors["G_ema.synthesis.b8.conv0.weight"].shape == (8, 8, 3, 3)
    assert tensors["D.mapping.embed.weight"].shape == (8, 3)
    assert tensors["G.synthesis.b4.conv1.noise_strength"].shape == ()
    np.testing.assert_array_equal(tensors["G.mapping.fc1.weight"].T, networks["G"].mapping.fc1.weight.numpy())


OFFICIAL = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles"


def test_stylegan2_leaves_as_it_came(tmp_path):
    """Out of a published file of TensorFlow 1 and into one: the same variables under the same names."""
    source = OFFICIAL / "tf1_sg2_32.pkl"
    write_networks(tmp_path / "network.pkl", sg_keras.load(source))
    for theirs, ours in zip(read_records(source), read_records(tmp_path / "network.pkl"), strict=True):
        assert theirs.state["name"] == ours.state["name"]
        for part in ("", "synthesis", "mapping"):
            records = [record.state["components"].get(part) if part else record for record in (theirs, ours)]
            if records[0] is not None:
                said = [record.state["static_kwargs"] for record in records]
                assert {**said[1], **said[0], "dlatent_broadcast": 0} == {**said[1], "dlatent_broadcast": 0}
                variables = [dict(record.state["variables"]) for record in records]
                assert set(variables[0]) == set(variables[1])
                for name, value in variables[0].items():
                    atol = 1e-7 if name.endswith("mod_bias") else 0  # plus 1 and minus 1
                    np.testing.assert_allclose(plain_array(variables[1][name]), plain_array(value), rtol=0, atol=atol)


@pytest.mark.parametrize("case", ["narrow", "embedding alone", "resnet-skip", "orig", "other", "stylegan3-t"])
def test_official_layouts_say_enough_without_our_words(case, tmp_path, monkeypatch):
    """Others' files have no description of ours, and others' readers take no notice of it."""
    first = tiny_networks(*CASES[case])
    write_networks(tmp_path / "network.pkl", first)
    monkeypatch.setattr(torch_networks, "DESCRIPTION", "nothing")
    assert_same(sg_keras.load(tmp_path / "network.pkl"), first)
    content = read_records(tmp_path / "network.pkl")
    assert isinstance(content, tuple if case in ("narrow", "embedding alone", "resnet-skip") else dict)
    if case == "stylegan3-t":
        tree = torch_networks.ModuleTree(content["G_ema"])
        published = torch_networks.ModuleTree(read_records(OFFICIAL / "sg3t_32_proto4_numpy2.pkl")["G_ema"])
        for things in ("tensors", "modules"):
            ours, theirs = (_without_numbers(getattr(found, things)) for found in (tree, published))
            assert set(ours) == set(theirs)
            if things == "modules":
                assert [ours[name].class_name for name in ours] == [theirs[name].class_name for name in ours]


def _without_numbers(named):
    """By names without the layers' numbers and sizes, and without labels."""
    return {re.sub(r"L\d+_\d+_\d+", "L", name): held for name, held in named.items() if "embed" not in name}


def test_what_version_0_1_wrote_is_read(networks, tmp_path):
    described = {name: describe(network) for name, network in networks.items()}
    plain = {n: {"kind": d.kind, "config": d.config, "weights": dict(d.weights)} for n, d in described.items()}
    content = {"format": "sg_keras networks 1", "about": "", "networks": plain}
    (tmp_path / "network.pkl").write_bytes(pickle.dumps(content, protocol=4))
    assert_same(sg_keras.load(tmp_path / "network.pkl"), networks)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_overwritten_or_left_half_written(name, networks, tmp_path, monkeypatch):
    (tmp_path / name).write_text("years of work", encoding="utf-8")
    with pytest.raises(ValueError, match="found it there already, expected a new file or folder"):
        write_networks(tmp_path / name, networks)
    assert (tmp_path / name).read_text(encoding="utf-8") == "years of work"
    (tmp_path / name).unlink()
    with pytest.raises(AttributeError):
        write_networks(tmp_path / name, {**networks, "G_ema": None})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["networks.pt", "G.keras", "networks.npz"])
def test_other_formats_are_not_written(name, networks, tmp_path):
    with pytest.raises(ValueError, match=r"expected \.safetensors, \.pkl or a folder's name"):
        write_networks(tmp_path / name, networks)


def _rewritten(tmp_path, networks, change):
    path = tmp_path / "networks.safetensors"
    write_networks(path, networks)
    tensors = safetensors.numpy.load_file(path)
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    descriptions = json.loads(metadata["networks"])
    change(tensors, descriptions)
    metadata["networks"] = json.dumps(descriptions)
    safetensors.numpy.save_file(tensors, path, metadata=metadata)
    return path


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t, d: t.pop("D.b4.out.bias"), r"D: found no b4.out.bias, expected it with shape \[8\]"),
        (lambda t, d: t.update({"G.extra": np.zeros(1)}), "G: found 'extra', expected weights of StyleGAN2"),
        (lambda t, d: t.update({"G.mapping.w_avg": np.zeros(8, np.int32)}), "G: found mapping.w_avg of type int32"),
        (lambda t, d: d.pop("G_ema"), "G_ema: found no kind and config"),
        (lambda t, d: d.update(G=d["D"]), "G: found a Discriminator, expected a Generator"),
        (lambda t, d: d["G"]["config"].update(z_dim="8"), "G: z_dim: found '8', expected a whole number"),
        (lambda t, d: d["G"]["config"].update(depth=8), "G: found the argument 'depth', expected one of z_dim"),
        (
            lambda t, d: d["D"]["config"].update(channel_max=2**30, channel_base=2**30),
            "D: found b16.fromrgb.weight with",
        ),
        (lambda t, d: d["D"]["config"].update(mapping_kwargs={"num_layers": 2**30}), "D: found no mapping.fc2.weight"),
        (lambda t, d: d["G"]["config"].update(mapping_kwargs=[1]), "G: "),
        (lambda t, d: d["G"]["config"].update(architecture=[]), "G: "),
    ],
)
def test_descriptions_that_do_not_fit_are_one_line(change, message, networks, tmp_path):
    path = _rewritten(tmp_path, networks, change)
    with pytest.raises(ValueError, match=message) as caught:
        sg_keras.load(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


DEEP, WIDE = b"K\x01" + b"\x85" * 100_000, b"K\x01" + b"q\x000(h\x00h\x00l" * 100


@pytest.mark.parametrize("endless", [DEEP, WIDE], ids=["deep", "wide"])
@pytest.mark.parametrize("place", ["kind", "cfg", "activation", "z_dim", "resample_filter", "num_layers", "unknown"])
def test_endless_values_in_a_plain_pickle(endless, place, tmp_path):
    config = {"mapping_kwargs": {"num_layers": Raw(endless)}} if place == "num_layers" else {place: Raw(endless)}
    kind = Raw(endless) if place == "kind" else "Generator"
    network = {"kind": kind, "config": config, "weights": {}}
    path = tmp_path / "networks.pkl"
    path.write_bytes(
        pickled({"format": "sg_keras networks 1", "networks": dict.fromkeys(["G", "D", "G_ema"], network)})
    )
    with pytest.raises(ValueError, match=r"networks.pkl: (G|D): found|networks.pkl: G: \w+: found") as caught:
        sg_keras.load(path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("content", [b"", b"12345678", b"\xff" * 100, (2**62).to_bytes(8, "little") + b"{}"])
def test_damaged_safetensors(content, tmp_path):
    (tmp_path / "networks.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"networks.safetensors: found a damaged file \(.*\), expected a safetensors"):
        sg_keras.load(tmp_path / "networks.safetensors")


def test_safetensors_of_other_programs(tmp_path):
    safetensors.numpy.save_file({"weight": np.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="found weights without a description of networks"):
        sg_keras.load(tmp_path / "other.safetensors")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([8, 16, 64]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = sorted({*inspect.signature(Generator).parameters, *inspect.signature(Discriminator).parameters})


@functools.cache
def tiny_description(case: str, name: str) -> NetworkDescription:
    return describe(tiny_networks(*CASES[case])[name])


FURTHER = ["num_layers", "lr_multiplier", "w_avg_beta", "num_critical", "first_cutoff", "margin_size", "filter_size"]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["labels", "stylegan3-t"]),
    st.sampled_from(["G", "D"]),
    st.dictionaries(st.sampled_from(ARGUMENTS), VALUES, min_size=1, max_size=2),
    st.sampled_from(["", "mapping_kwargs", "synthesis_kwargs"]),
    st.dictionaries(st.sampled_from(FURTHER), VALUES, max_size=2),
)
def test_arguments_of_any_kind(case, name, changed, group, further):
    tiny = tiny_description(case, name)
    config = {**tiny.config, **changed}
    if isinstance(config.get(group), dict):
        config[group] = {**config[group], **further}
    try:
        build_network(NetworkDescription(tiny.kind, config, tiny.weights), name, "reference")
    except ValueError as error:
        assert str(error).startswith(f"{name}: ") and "\n" not in str(error)
