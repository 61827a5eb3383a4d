"""Frozen parts of networks, and what unfreezes them."""

import contextlib
import dataclasses
import itertools
import json
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sg_keras.checkpoint import find_start
from sg_keras.config import ResumeRequest
from sg_keras.data import make_pipeline, open_dataset
from sg_keras.training.distribution.devices import split_for_replicas
from sg_keras.training.run import run
from sg_keras.training.step.stylegan import build_stylegan
from tests.training.test_exact_resume import end, final_fingerprint, status_lines, wait_for_tick
from tests.training.tiny_run import command, finish_here, only_run, start, tiny_config

D_LAYERS = ["b8.fromrgb", "b8.conv0", "b8.conv1", "b8.skip"]  # as freeze-D counts them
STYLEGAN3 = {"cfg": "stylegan3-t", "cbase": 64, "cmax": 4}


def iterations(model, image_folder, count):
    """Train; after each iteration all variables of the state by name."""
    with contextlib.closing(open_dataset(str(image_folder), use_labels=True)) as dataset:
        nimg = int(model.cur_nimg)
        batches = make_pipeline(dataset, seed=0, batch=8, start_nimg=nimg, num_phases=model.num_phases)
        for batch in batches.take(count):
            model.train_step(split_for_replicas(batch, model.distribute_strategy, model.batch_gpu))
            yield values(model)


def values(model):
    return {name: np.asarray(variable).copy() for name, variable in model.state_variables().items()}


def changed(before, after):
    return {name for name, value in after.items() if not np.array_equal(value, before[name])}


def frozen_names(model):
    """Published names of what is frozen now, with the network's in front."""
    variables = [*model.G.trainable_variables, *model.D.trainable_variables]
    return {v.path.replace("/", ".") for v in variables if model.freezing.is_frozen(v)}


def trained_names(network):
    return {v.path.replace("/", ".") for v in network.trainable_variables}


RULES = {
    "d:first2": lambda name: name.startswith(("D.b8.fromrgb.", "D.b8.conv0.")),
    "d:first4": lambda name: name.startswith(tuple(f"D.{layer}." for layer in D_LAYERS)),
    "d:all": lambda name: name.startswith("D."),
    "d:mapping.embed": lambda name: name.startswith("D.mapping.embed."),
    "d:4px": lambda name: name.startswith("D.b4."),
    "g:mapping": lambda name: name.startswith("G.mapping."),
    "g:<=4px": lambda name: name.startswith("G.synthesis.b4."),
    "g:>=8px": lambda name: name.startswith("G.synthesis.b8."),
    "g:synthesis.b8.conv0.weight": lambda name: name == "G.synthesis.b8.conv0.weight",
    "d:first1; g:mapping": lambda name: name.startswith(("D.b8.fromrgb.", "G.mapping.")),
}


@pytest.mark.parametrize("freeze", RULES)
def test_rules_name_parts(freeze, image_folder, tmp_path):
    model = build_stylegan(tiny_config(image_folder, tmp_path, freeze=freeze))
    every = trained_names(model.G) | trained_names(model.D)
    assert frozen_names(model) == {name for name in every if RULES[freeze](name)} != set()


def test_resolutions_of_stylegan3_are_sampling_rates(image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, **STYLEGAN3)
    config = dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, resolution=32))
    model = build_stylegan(dataclasses.replace(config, freeze="g:<=16px"))
    rates = {layer.name: layer.design.out_sampling_rate for layer in model.G.synthesis.plan.layers}
    frozen = {name.split(".")[2] for name in frozen_names(model)}
    assert frozen == {"input"} | {name for name, rate in rates.items() if rate <= 16}
    assert 0 < len(frozen) < len(rates)


@pytest.mark.parametrize(
    "freeze, message",
    [
        (
            "g:synthesis.b16",
            "--freeze: found 'g:synthesis.b16', expected all, a resolution or one of mapping, synthesis",
        ),
        ("d:64px", "--freeze: found 'd:64px', expected all, a resolution or one of b4, b8, mapping"),
        ("d:first5", "--freeze: found 'd:first5', expected 4 layers at most, which D has"),
        ("g:mapping.w_avg", "--freeze: found 'g:mapping.w_avg'"),  # a buffer
    ],
)
def test_rules_that_mean_nothing_are_refused_before_a_run_directory_is_made(freeze, message, image_folder, tmp_path):
    with pytest.raises(ValueError) as error:
        run(tiny_config(image_folder, tmp_path / "runs", freeze=freeze))
    assert str(error.value).startswith(message)
    assert not (tmp_path / "runs").exists()


def test_frozen_variables_get_no_update_of_any_kind(image_folder, tmp_path):
    model = build_stylegan(tiny_config(image_folder, tmp_path, freeze="d:first2; g:mapping; g:4px"))
    before = values(model)
    *_, after = iterations(model, image_folder, 5)
    touched = changed(before, after)
    for variable in [*model.G.trainable_variables, *model.D.trainable_variables]:
        name, optimizer = variable.path, f"{variable.path[0].lower()}_optimizer"
        path = name[2:]
        states = {name, f"{optimizer}/momentum/{path}", f"{optimizer}/velocity/{path}"}
        if model.freezing.is_frozen(variable):
            assert not states & touched, name
        elif name != "D/b4/out/bias":  # whose gradient may vanish
            assert name in touched, name
    for network, optimizer in ((model.G, model.g_optimizer), (model.D, model.d_optimizer)):
        steps = np.asarray(optimizer.steps)
        frozen = np.array([model.freezing.is_frozen(v) for v in network.trainable_variables])
        assert (steps[frozen] == 0).all() and (steps[~frozen] > 0).all()
    assert "G/mapping/w_avg" in touched  # a buffer: what the mapping network does is still measured


@pytest.mark.long
def test_freezed_is_the_same_as_the_first_layers(image_folder, tmp_path):
    results = []
    for options in ({"freezed": 3}, {"freeze": "d:first3"}):
        model = build_stylegan(tiny_config(image_folder, tmp_path, **options))
        before = values(model)
        *_, after = iterations(model, image_folder, 2)
        names = {f"D/{layer.replace('.', '/')}/{leaf}" for layer in D_LAYERS[:3] for leaf in ("weight", "bias")}
        assert names <= after.keys() and not names & changed(before, after)
        assert {"D/b8/skip/weight", "D/b4/conv/weight"} <= changed(before, after)
        results.append({name: value for name, value in after.items() if name.startswith(("G/", "D/", "G_ema/"))})
        assert model.freezing.frozen_parameters(0)["D"] == sum(before[name].size for name in names)
    for name, value in results[0].items():
        np.testing.assert_array_equal(value, results[1][name], err_msg=name)


def test_average_follows_what_is_frozen(image_folder, tmp_path):
    model = build_stylegan(tiny_config(image_folder, tmp_path, freeze="g:mapping", ema_rampup=0.0))
    weight = model.G_ema.mapping.fc0.weight
    weight.assign(weight.value + 1.0)
    *_, after = iterations(model, image_folder, 1)
    apart = after["G_ema/mapping/fc0/weight"] - after["G/mapping/fc0/weight"]
    np.testing.assert_allclose(apart, 0.5 ** (8 / 2500), atol=1e-4)  # half-life 10 kimg * 8 / 32


@pytest.mark.parametrize("freeze", ["g:all", "g:all; d:all"])
def test_a_whole_network_can_be_frozen(freeze, image_folder, tmp_path):
    model = build_stylegan(tiny_config(image_folder, tmp_path, freeze=freeze, aug="ada"))
    before = values(model)
    *_, after = iterations(model, image_folder, 2)
    touched = changed(before, after)
    for network in ("G", "D"):
        trained = {name.replace(".", "/") for name in trained_names(getattr(model, network))}
        is_frozen = f"{network.lower()}:all" in freeze
        assert bool(trained & touched) is not is_frozen
        assert any(name.startswith(f"{network.lower()}_optimizer") for name in touched) is not is_frozen
    assert "G/mapping/w_avg" in touched and model.monitor.first() is None
    assert {"Loss/G/loss", "Loss/D/loss"} <= model.statistics.read_and_reset().keys()


@pytest.mark.long
def test_unfreezing_compiles_the_networks_phases_once_more(image_folder, tmp_path):
    freeze = "g:mapping until 0.024kimg; d:first1; g:4px until 0.04kimg"
    model = build_stylegan(tiny_config(image_folder, tmp_path, freeze=freeze))
    functions, weights = [], [values(model)]
    for after in iterations(model, image_folder, 20):
        functions += [f for f in model._compiled.values() if f not in functions]
        weights.append(after)
    touched = [changed(a, b) for a, b in itertools.pairwise(weights)]
    assert ["G/mapping/fc0/weight" in names for names in touched] == [False] * 3 + [True] * 17
    assert ["G/synthesis/b4/const" in names for names in touched] == [False] * 5 + [True] * 15
    assert not any("D/b8/fromrgb/weight" in names for names in touched)
    assert all("G/synthesis/b8/conv0/weight" in names for names in touched)
    # Gmain and Greg in three stages each (Greg is due at 0, 4 and 8), Dmain, Dreg and the average once.
    assert [f.experimental_get_tracing_count() for f in functions] == [1] * 9


def test_log_tensorboard_and_snapshots(image_folder, tmp_path):
    freeze = "g:mapping until 0.064kimg; d:first1; g:4px from 0.064kimg"
    config = tiny_config(image_folder, tmp_path, freeze=freeze, freezed=1, run={"total_kimg": 0.128})
    assert run(config) == 0
    (run_dir,) = tmp_path.iterdir()
    log = (run_dir / "log.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in log if line.startswith(("Frozen", "Unfrozen"))]
    assert lines == [
        "Frozen: --freezed=1, of D b8.fromrgb",
        "Frozen: g:mapping until 0.064kimg (6 variables, 240 parameters)",
        "Frozen: d:first1 (2 variables, 16 parameters)",
        "Frozen later: g:4px from 0.064kimg (10 variables, 300 parameters)",
        "Unfrozen at kimg 0.064: g:mapping until 0.064kimg (6 variables, 240 parameters)",
        "Frozen at kimg 0.064: g:4px from 0.064kimg (10 variables, 300 parameters)",
    ]
    assert log.index(lines[4]) > log.index(next(line for line in log if line.startswith("tick 1 ")))
    events = EventAccumulator(str(run_dir))
    events.Reload()
    for name, expected in (("G", [240, 240, 300, 300, 300]), ("D", [16] * 5)):
        scalars = events.Tensors(f"Schedule/frozen_parameters/{name}")
        assert [int(tf.make_ndarray(s.tensor_proto)) for s in scalars] == expected[: len(scalars)]
        assert len(scalars) >= 4
    assert json.loads((run_dir / "training_config.json").read_text())["freeze"] == freeze


def test_other_rules_are_refused_on_resume(finished_run, image_folder):
    config = tiny_config(image_folder, finished_run.parent, freeze="g:mapping")
    with pytest.raises(ValueError, match=r"(?s)would alter the run.*--freeze +freeze +none +g:mapping"):
        find_start(config, ResumeRequest("run_dir", str(finished_run)))


@pytest.mark.long
def test_a_killed_run_unfreezes_at_the_same_point(image_folder, tmp_path):
    """Killed before, and continued over, the kimg at which something is unfrozen."""
    words = ("--ops=reference", "--kimg=0.4", "--tick=0.04", "--snap=1", "--image_snap=100")
    words += ("--freeze=g:mapping until 0.2kimg; d:first2 until 0.28kimg", "--freezed=1")
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    finish_here(command(image_folder, undisturbed, *words))
    again = command(image_folder, killed, "--resume=latest", *words)
    process = start(again)
    wait_for_tick(process, killed, 0, 3)
    time.sleep(0.1)
    end(process, 9)
    killed_at = len(status_lines(killed))
    finish_here(again)
    assert final_fingerprint(killed) == final_fingerprint(undisturbed)
    assert final_fingerprint(killed)[0] == 400 and killed_at >= 3
    log = (only_run(killed) / "log.txt").read_text(encoding="utf-8")
    assert "Continuing from" in log and "Unfrozen at kimg 0.28: d:first2" in log
