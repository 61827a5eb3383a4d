"""What every tool takes as a network, and how its errors call it."""

import shutil

import pytest
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore
from sg_keras.tools import convert, export, fingerprint, generate
from sg_keras.tools.network_option import named_errors
from tests.served_folder import served_folder


@pytest.fixture
def run_dir(tmp_path):
    """A run directory with a checkpoint, as far as errors need it."""
    run = tmp_path / "00000-run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "training_config.json").write_text("{}")
    state = {"cur_nimg": tf.Variable(24, dtype=tf.int64)}
    CheckpointStore(run / "checkpoints", state, keep=2).save(3, {"tick": 3, "nimg": 24})
    return run


def _tools(network, tmp_path):
    """Each tool's entry point, its command line, and what it calls the network."""
    yield generate.main, [f"--network={network}", "--seeds=0", f"--outdir={tmp_path / 'out'}"], "--network"
    yield export.main, [f"--network={network}", f"--outdir={tmp_path / 'out'}"], "--network"
    yield convert.main, [str(network), str(tmp_path / "out")], "SRC"
    yield fingerprint.main, [str(network)], "RUN_DIR"


@pytest.mark.parametrize(
    "form, message",
    [
        ("{run}@99", "found no checkpoint of tick 99 in {run}, expected one of these ticks: 3"),
        ("{run}@99x", "found '{run}@99x', which does not exist, expected a run directory"),
        ("http://127.0.0.1:1/a.pkl", "found that http://127.0.0.1:1/a.pkl cannot be fetched"),
        ("ftp://127.0.0.1/a.pkl", "found 'ftp://127.0.0.1/a.pkl', expected an address that starts with https://"),
    ],
)
def test_errors_name_the_option_and_what_was_typed(form, message, run_dir, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for main, words, name in _tools(form.format(run=run_dir), tmp_path):
        assert main(words) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"Error: {name}: {message.format(run=run_dir)}") and error.count("\n") == 1, words
        assert "--resume" not in error
    assert not (tmp_path / "out").exists()


def test_the_systems_own_words_are_not_all():
    with pytest.raises(ValueError, match=r"^--network: a: found that permission is denied"):
        named_errors("--network", lambda: (_ for _ in ()).throw(PermissionError(13, "Permission denied", "a")))


def test_the_average_alone_is_enough_for_images(unconditional_snapshot, tmp_path, capsys):
    alone = tmp_path / "average.keras"
    shutil.copy(unconditional_snapshot / "G_ema.keras", alone)
    for typed in (alone, unconditional_snapshot / "D.keras"):
        assert generate.main([f"--network={typed}", "--seeds=3", f"--outdir={tmp_path / typed.name}.out"]) == 0
    one, other = ((tmp_path / f"{name}.out" / "seed0003.png").read_bytes() for name in ("average.keras", "D.keras"))
    assert one == other
    assert convert.main([str(alone), str(tmp_path / "net.pkl")]) == 1
    assert "found one network alone, expected a snapshot's folder" in capsys.readouterr().err


def test_networks_are_the_same_in_every_format(unconditional_snapshot, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    with served_folder(tmp_path / "served") as address:
        assert convert.main([str(unconditional_snapshot), str(tmp_path / "served" / "net.SafeTensors")]) == 0
        assert convert.main([f"{address}/net.SafeTensors", str(tmp_path / "net.PKL")]) == 0
        capsys.readouterr()
        for place in (unconditional_snapshot, f"{address}/net.SafeTensors", tmp_path / "net.PKL"):
            assert fingerprint.main([str(place)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and len(set(lines)) == 1 and lines[0].startswith("networks sha256 ")
