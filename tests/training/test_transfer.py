"""New runs that start from existing networks."""

import dataclasses
import json
import pathlib
import re
import shutil

import numpy as np
import pytest

import sg_keras
from sg_keras.checkpoint import find_start
from sg_keras.config import ResumeRequest
from sg_keras.training.run import run
from sg_keras.training.starting_weights import REPORT_FILE, take_starting_weights
from sg_keras.training.step.stylegan import build_stylegan
from sg_keras.weights import published_weights
from sg_keras.weights.network_file import write_networks
from sg_keras.weights.snapshot import newest_snapshot
from tests.served_folder import Requests, served_folder
from tests.training.tiny_run import tiny_config

NETWORKS = ("G", "D", "G_ema")
GOLDEN = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles"
PICKLES = {
    "stylegan3-t": GOLDEN / "sg3t_32_proto4_numpy2.pkl",
    "stylegan2": GOLDEN / "tf1_sg2_32.pkl",
}


@pytest.fixture(scope="module")
def snapshot(finished_run) -> pathlib.Path:
    """Snapshot of a run of 20 iterations."""
    found = newest_snapshot(finished_run)
    assert found is not None
    return found


def weights_of(networks) -> dict[str, np.ndarray]:
    return {
        f"{name}.{tensor}": value for name in NETWORKS for tensor, value in published_weights(networks[name]).items()
    }


def networks_of(model) -> dict:
    return {name: getattr(model, name) for name in NETWORKS}


def taken_into(config, source, partial=False):
    """A new model with the source's weights, its weights before, and the lines of the log."""
    model, lines = build_stylegan(config), []
    before = weights_of(networks_of(model))
    report = take_starting_weights(str(source), partial, model, lines.append)
    return model, before, report, lines


def test_weights_are_taken_over_and_optimizers_start_fresh(image_folder, snapshot, tmp_path):
    model, _, report, lines = taken_into(tiny_config(image_folder, tmp_path), snapshot)
    expected = weights_of(sg_keras.load(snapshot))
    found = weights_of(networks_of(model))
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
    for optimizer in model.optimizers.values():
        assert not np.any(optimizer.steps) and not any(np.any(m) for m in optimizer.velocities)
    assert (int(model.cur_nimg), float(model.pl_mean)) == (0, 0.0)
    assert sum(len(network.taken) for network in report.networks) == len(expected)
    assert re.fullmatch(
        rf"Transfer from {snapshot} \([0-9,]+ bytes, SHA-256 [0-9a-f]{{64}} of G.keras, D.keras, G_ema.keras\)\n"
        r"G: \d+ tensors taken, 0 of another shape, 0 missing, 0 unused\n"
        r"D: \d+ tensors taken, 0 of another shape, 0 missing, 0 unused\n"
        r"G_ema: \d+ tensors taken, 0 of another shape, 0 missing, 0 unused",
        "\n".join(lines),
    )


@pytest.mark.parametrize("ending", [".safetensors", ".pkl"])
def test_files_of_ours_are_sources_too(ending, image_folder, snapshot, tmp_path):
    path = tmp_path / f"networks{ending}"
    networks = sg_keras.load(snapshot)
    write_networks(path, networks)
    model, *_ = taken_into(tiny_config(image_folder, tmp_path), path)
    found = weights_of(networks_of(model))
    for name, value in weights_of(networks).items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_what_does_not_fit_is_refused_in_a_line_and_nothing_is_changed(image_folder, snapshot, tmp_path):
    config = tiny_config(image_folder, tmp_path / "runs", transfer=str(snapshot), cmax=2)
    with pytest.raises(ValueError) as error:
        run(config)
    message = str(error.value)
    assert re.match(
        r"--resume: found \d+ tensors of another shape and 0 missing in .*\(G\.synthesis\.b4\.const is "
        r"\[4, 4, 4\] there and \[2, 4, 4\] here, .*, \.\.\.\), expected networks built alike; "
        r"--resume_partial=1 takes what fits",
        message,
    )
    assert "\n" not in message
    assert not (tmp_path / "runs").exists()


CHANGES = {
    "grown": {"resolution": 16, "cbase": 64},
    "shrunk from 16": {"resolution": 8},
    "capacity": {"cmax": 2},
    "without labels": {"c_dim": 0},
}


@pytest.mark.parametrize("change", CHANGES)
def test_partial_transfer_takes_what_fits_and_lists_the_rest(change, image_folder, snapshot, tmp_path):
    config, source = tiny_config(image_folder, tmp_path), snapshot
    options = dict(CHANGES[change])
    if change.startswith("shrunk"):
        source = tmp_path / "large.safetensors"
        large = build_stylegan(with_data(tiny_config(image_folder, tmp_path, seed=1, cbase=64), resolution=16))
        write_networks(source, networks_of(large))
    data = {name: options.pop(name) for name in ("resolution", "c_dim") if name in options}
    config = with_data(tiny_config(image_folder, tmp_path, **options), **data)
    with pytest.raises(ValueError, match="--resume_partial=1 takes what fits"):
        taken_into(config, source)

    model, before, report, _ = taken_into(config, source, partial=True)
    there, here = weights_of(sg_keras.load(source)), weights_of(networks_of(model))
    for name, value in here.items():
        fits = name in there and there[name].shape == value.shape
        np.testing.assert_array_equal(value, there[name] if fits else before[name], err_msg=name)
    listed = {kind: set() for kind in ("taken", "mismatched", "missing", "unused")}
    for network in report.networks:
        listed["taken"] |= {f"{network.name}.{name}" for name in network.taken}
        for kind in ("mismatched", "missing", "unused"):
            listed[kind] |= {f"{network.name}.{row[0]}" for row in getattr(network, kind)}
    assert listed["taken"] == {name for name in here if name in there and there[name].shape == here[name].shape}
    assert listed["mismatched"] == {n for n in here if n in there and there[n].shape != here[n].shape}
    assert listed["missing"] == set(here) - set(there) and listed["unused"] == set(there) - set(here)
    assert all(listed[kind] for kind in EXPECTED_KINDS[change])
    for name in set.union(*listed.values()):
        assert name.partition(".")[2] in report.text()


EXPECTED_KINDS = {
    "grown": ("taken", "missing", "unused"),
    "shrunk from 16": ("taken", "missing", "unused"),
    "capacity": ("taken", "mismatched"),
    "without labels": ("taken", "mismatched", "unused"),
}


def with_data(config, **changes):
    return dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, **changes))


def test_growing_carries_every_block_that_both_have(image_folder, snapshot, tmp_path):
    config = with_data(tiny_config(image_folder, tmp_path, cbase=64), resolution=16)
    _, _, report, _ = taken_into(config, snapshot, partial=True)
    G, D, _ = report.networks
    assert {name.split(".")[1] for name, _ in G.missing} == {"b16"} and not G.unused and not G.mismatched
    assert {name.split(".")[0] for name, _ in D.missing} == {"b16"}
    assert {name for name, _ in D.unused} == {"b8.fromrgb.weight", "b8.fromrgb.bias"}
    assert ("img_resolution", 8, 16) in G.arguments


@pytest.mark.parametrize("cfg", PICKLES)
def test_official_pickles_are_taken_over_whole_by_networks_like_theirs(cfg, image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, cfg=cfg)
    source = sg_keras.load(PICKLES[cfg], ops="reference")
    config = matching(config, source)
    model, _, report, _ = taken_into(config, PICKLES[cfg])
    assert all(not n.mismatched and not n.missing and not n.unused for n in report.networks)
    found = weights_of(networks_of(model))
    for name, value in weights_of(source).items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def matching(config, source):
    """A configuration of networks like those of a file."""
    G, D = source["G"].get_config(), source["D"].get_config()
    names = ("channel_base", "channel_max", "architecture", "conv_clamp")
    return dataclasses.replace(
        config,
        dataset=dataclasses.replace(
            config.dataset, resolution=G["img_resolution"], channels=G["img_channels"], c_dim=G["c_dim"]
        ),
        generator=dataclasses.replace(
            config.generator,
            z_dim=G["z_dim"],
            w_dim=G["w_dim"],
            mapping_layers=G["mapping_kwargs"]["num_layers"],
            **{name: G[name] for name in names},
        ),
        discriminator=dataclasses.replace(config.discriminator, **{name: D[name] for name in names}),
    )


def test_what_is_drawn_anew_and_frozen_is_pointed_out(image_folder, snapshot, tmp_path):
    config = tiny_config(image_folder, tmp_path, cbase=64, freezed=1, freeze="d:first2; g:16px; g:4px")
    *_, lines = taken_into(with_data(config, resolution=16), snapshot, partial=True)
    assert lines[1:] == [
        "Note: what starts anew and is frozen stays as it was drawn until it is unfrozen: 18 tensors "
        "(G.synthesis.b16.conv0.weight, G.synthesis.b16.conv0.noise_strength, G.synthesis.b16.conv0.bias, "
        "G.synthesis.b16.conv0.affine.weight, ...)"
    ]


@pytest.mark.long
def test_a_run_starts_from_a_network_and_continues_without_it(image_folder, snapshot, tmp_path):
    source = tmp_path / "network"
    shutil.copytree(snapshot, source)
    outdir = tmp_path / "runs"
    config = tiny_config(image_folder, outdir, transfer=str(source), run={"total_kimg": 0.032})
    assert (config.ema_rampup, config.augment.ada_kimg) == (None, 100.0)
    assert run(config) == 0
    (run_dir,) = outdir.iterdir()
    report = (run_dir / REPORT_FILE).read_text(encoding="utf-8")
    assert "\nTaken:\n  G.synthesis.b4.const\n" in report and "  G_ema.mapping.w_avg\n" in report
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert report.partition("\n\nTaken:")[0] in log

    shutil.rmtree(source)
    longer = tiny_config(image_folder, outdir, run={"total_kimg": 0.064})  # with --resume=latest
    request = ResumeRequest("latest", str(outdir))
    assert find_start(longer, request).config.resume == str(source)
    assert run(longer, request) == 0
    assert json.loads((run_dir / "training_config.json").read_text())["resume"] == str(source)
    assert "Continuing from " in (run_dir / "log.txt").read_text(encoding="utf-8")


def test_sources_that_are_not_there_or_something_else(image_folder, tmp_path):
    model = build_stylegan(tiny_config(image_folder, tmp_path))
    with pytest.raises(OSError, match=r"--resume: found nothing at .*gone\.pkl"):
        take_starting_weights(str(tmp_path / "gone.pkl"), False, model, print)
    (tmp_path / "odd.pkl").write_bytes(b"something")
    with pytest.raises(ValueError, match=r"--resume: .*odd\.pkl: ") as error:
        take_starting_weights(str(tmp_path / "odd.pkl"), False, model, print)
    assert "\n" not in str(error.value)


# From the web --------------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path, monkeypatch):
    """(folder, its address), with an empty cache folder."""
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    with served_folder(tmp_path / "served") as address:
        yield tmp_path / "served", address


def test_networks_are_fetched_once(served, image_folder, snapshot, tmp_path):
    folder, address = served
    networks = sg_keras.load(snapshot)
    write_networks(folder / "networks.safetensors", networks)
    url = f"{address}/networks.safetensors?download=1"
    config = tiny_config(image_folder, tmp_path)
    *_, lines = taken_into(config, url)
    assert f"Transfer from {url} (fetched, kept as {tmp_path / 'cache' / 'networks'}" in lines[0]
    size = (folder / "networks.safetensors").stat().st_size
    assert f", {size:,} bytes, SHA-256 " in lines[0]
    model, *_, lines = taken_into(config, url)
    assert f"Transfer from {url} (not fetched again, kept as {tmp_path / 'cache' / 'networks'}" in lines[0]
    assert Requests.paths == ["/networks.safetensors?download=1"]
    found = weights_of(networks_of(model))
    for name, value in weights_of(networks).items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize(
    "name, reason", [("absent.pkl", "404 File not found"), ("short.pkl", "it ended after 12 of 100 bytes")]
)
def test_what_cannot_be_fetched_leaves_a_line_and_nothing_else(served, name, reason, image_folder, tmp_path):
    _, address = served
    model = build_stylegan(tiny_config(image_folder, tmp_path))
    with pytest.raises(OSError) as error:
        take_starting_weights(f"{address}/{name}", False, model, print)
    message = f"--resume: found that {address}/{name} cannot be fetched ({reason}), expected a file of networks there"
    assert str(error.value) == message
    assert list((tmp_path / "cache" / "networks").iterdir()) == []
