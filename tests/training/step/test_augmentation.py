"""Augmentation in training: what D gets, ADA's controller, exact continuation, and one graph for every p."""

import itertools
import types

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.augment import next_p
from sg_keras.checkpoint import CheckpointStore, fingerprint
from sg_keras.config import AugmentConfig
from sg_keras.data import make_pipeline, open_dataset
from sg_keras.training.step.augmentation import Augmentation
from sg_keras.training.step.nonfinite import NonFiniteMonitor
from sg_keras.training.step.random_streams import PhaseRandom
from sg_keras.training.step.stylegan import build_stylegan
from tests.training.tiny_run import tiny_config

BATCH = 8
ADA = {"p": 0.5, "ada_interval": 3, "ada_kimg": 0.24}  # p moves by 0.1


@pytest.fixture
def ada_config(image_folder, tmp_path):
    return tiny_config(image_folder, tmp_path, aug="ada", augment=ADA, d_reg_interval=3)


def train(config, model, iterations):
    """Further iterations; returns p and the sums after each."""
    dataset = open_dataset(config.dataset.path, use_labels=True)
    start = int(model.cur_nimg.numpy())
    batches = make_pipeline(dataset, seed=0, batch=config.batch, start_nimg=start, num_phases=model.num_phases)
    seen = []
    for batch in itertools.islice(batches, iterations):
        model.train_step(batch)
        seen.append([float(v.numpy()) for v in (model.augment_p, *model.augmentation.state.values())])
    return seen


def print_of(model):
    return fingerprint((name, variable.numpy()) for name, variable in model.state_variables().items())


@pytest.mark.long
@pytest.mark.parametrize(
    "options",
    [
        {"aug": "ada", "augment": ADA},
        {"aug": "fixed", "augpipe": "bgcfnc", "p": 0.3, "batch_gpu": 4, "cfg": "stylegan3-r"},
        {"aug": "diffaug"},
    ],
    ids=["ada", "fixed", "diffaug"],
)
def test_going_on_from_any_iteration_gives_the_same_bits(options, image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, d_reg_interval=3, **options)
    model = build_stylegan(config)
    train(config, model, 1)
    store = CheckpointStore(tmp_path / "checkpoints", model.state_variables(), keep=9)
    prefixes = [store.save(1, {})]
    for number in range(2, 5):
        train(config, model, 1)
        prefixes.append(store.save(number, {}))
    final = print_of(model)
    for number, prefix in enumerate(prefixes, start=1):
        store.restore(prefix)
        train(config, model, 4 - number)
        assert print_of(model) == final


@pytest.mark.long
def test_the_controller_follows_the_signs_of_the_reals_without_new_graphs(ada_config):
    model = build_stylegan(ada_config)
    seen = train(ada_config, model, 7)
    # The signs are those of the tick's statistics, whose mean people see; Dreg runs in iterations 0, 3 and 6.
    signs = model.statistics.read_and_reset()["Loss/signs/real"]
    assert signs["num"] == 7 * BATCH + 3 * BATCH
    assert [count for _, _, count in seen] == [2 * BATCH, 3 * BATCH, 0, 2 * BATCH, 3 * BATCH, 0, 2 * BATCH]
    assert seen[2][1] == seen[5][1] == 0
    assert all(p == 0.5 for p, _, _ in seen[:2]) and seen[3][0] == seen[4][0] == seen[2][0]
    assert abs(seen[2][0] - 0.5) == pytest.approx(0.1) and abs(seen[5][0] - seen[2][0]) == pytest.approx(0.1)
    again = build_stylegan(ada_config)
    assert train(ada_config, again, 7) == seen and print_of(again) == print_of(model)
    # One graph a phase serves every p.
    for p in (0.0, 0.2, 1.0):
        model.augment_p.assign(p)
        train(ada_config, model, 4)
    counts = {name: function.experimental_get_tracing_count() for name, function in model._compiled.items()}
    assert set(counts) == {"Gmain", "Greg", "Dmain", "Dreg", "ema"} and set(counts.values()) == {1}


class Watch(NonFiniteMonitor):
    """Says what it is told."""

    found = None

    def first(self):
        return self.found


def test_trajectory_of_p():
    """A recorded sequence of signs: up, up, down, at the target, nothing seen, clamped, not finite."""
    config = AugmentConfig(mode="ada", ada_interval=2, p=0.1)
    values = types.SimpleNamespace(ada_target=0.5, ada_kimg=0.04)
    augmentation, watch, trajectory = Augmentation(config, "reference"), Watch(), []
    sequence = [(4, 4), (1, 4), (4, 4), (3, 4), (0, 4), (-4, 4), (2, 4), (2, 4), (0, 0), (0, 0), (-4, 4), (-4, 4)]
    for iteration, (total, count) in enumerate([*sequence, (4, 4), (4, 4)], start=1):
        augmentation.observe([tf.constant([total, count], tf.float32)] if count else [])
        watch.found = (2, 96) if iteration > len(sequence) else None
        augmentation.adjust(iteration, 4, values, watch)
        trajectory.append(float(augmentation.p.numpy()))
    step = 4 * 2 / 40
    even = [0.1 + step, 0.1 + 2 * step, 0.1 + step, 0.1 + step, 0.1 + step, 0.1, 0.1]
    assert trajectory[1::2] == pytest.approx(even)
    assert trajectory[2::2] == trajectory[1:-1:2]  # nothing happens between
    assert next_p(0.1, -1, 0.5, 4, 2, 0.04) == 0
    assert [float(v) for v in augmentation.state.values()] == [8, 8]  # where training stopped, all stays as it is


def test_nothing_is_kept_where_p_is_not_steered(image_folder, tmp_path):
    for aug in ("noaug", "fixed", "diffaug"):
        model = build_stylegan(tiny_config(image_folder, tmp_path, aug=aug))
        assert not [name for name in model.state_variables() if name.startswith("ada")]


def test_no_augmentation_leaves_nothing_in_the_graph(image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path)
    model = build_stylegan(config)
    scalars = model.scalars_at(0)
    assert (scalars.blur_sigma, scalars.augment_p) == (None, None)
    batch = next(iter(make_pipeline(open_dataset(config.dataset.path, use_labels=True), seed=0, batch=BATCH,
                                    start_nimg=0, num_phases=model.num_phases)))  # fmt: skip
    plain = [op.type for phase in model.phases for op in model.phase_graph(phase, batch, 0).get_operations()]
    assert "Select" not in plain
    fixed = build_stylegan(tiny_config(image_folder, tmp_path, aug="fixed"))
    graphs = {phase.name: fixed.phase_graph(phase, batch, 0) for phase in fixed.phases}
    warped = {name for name, graph in graphs.items() if any(op.type == "Select" for op in graph.get_operations())}
    assert warped == {"Gmain", "Dmain", "Dreg"}


@pytest.mark.rounding
def test_a_probability_of_zero_changes_no_bit(image_folder, tmp_path, monkeypatch):
    """Of what D is given and what its gradient gives back. Whole runs differ: another graph rounds in other places."""
    model = build_stylegan(tiny_config(image_folder, tmp_path, aug="fixed", p=0.0))
    images, upstream = (tf.random.stateless_normal([8, 8, 8, 3], [1, seed]) for seed in (2, 3))
    batch = {"image": tf.zeros([8, 8, 8, 3], tf.uint8), "label": tf.zeros([8, 3]), "gen_label": tf.zeros([8, 4, 3])}
    micros = [model.micro_batch(batch, model.scalars_at(0), phase.index, 0, 0) for phase in model.phases]
    monkeypatch.setattr(model, "D", lambda images, labels: images)
    for micro, kind in itertools.product(micros, ("fake", "real")):
        assert micro.scalars.augment_p is not None
        with tf.GradientTape() as tape:
            tape.watch(images)
            given = model.discriminate(images, micro.labels, micro, kind)
        np.testing.assert_array_equal(given, images)
        np.testing.assert_array_equal(tape.gradient(given, images, output_gradients=upstream), upstream)


def test_every_image_has_numbers_of_its_own():
    random = PhaseRandom(tf.Variable(3, dtype=tf.int64), 4, 0.0)
    kinds = itertools.product(range(4), ("fake", "real"))
    tables = np.concatenate([random.augmentation(*kind, tf.constant(16, tf.int64)).uniforms(8) for kind in kinds])
    assert len(np.unique(tables, axis=0)) == 64
    later = random.augmentation(0, "fake", tf.constant(20, tf.int64)).uniforms(4)
    np.testing.assert_array_equal(later, tables[4:8])  # however a batch is cut into micro-batches


def test_fakes_and_reals_go_through_the_pipeline_before_d(image_folder, tmp_path, monkeypatch):
    model = build_stylegan(tiny_config(image_folder, tmp_path, aug="fixed", p=1.0))
    images = tf.random.stateless_uniform([8, 8, 8, 3], [1, 2], -1, 1)
    batch = {"image": tf.zeros([8, 8, 8, 3], tf.uint8), "label": tf.zeros([8, 3]), "gen_label": tf.zeros([8, 4, 3])}
    micros = {phase.name: model.micro_batch(batch, model.scalars_at(0), phase.index, 0, 0) for phase in model.phases}
    given = [images]
    monkeypatch.setattr(model, "D", lambda images, labels: given.append(images))
    for phase, kind in (("Gmain", "fake"), ("Dmain", "fake"), ("Dmain", "real"), ("Dreg", "real")):
        model.discriminate(images, micros[phase].labels, micros[phase], kind)
    assert all(np.abs(one - other).max() > 0.1 for one, other in itertools.combinations(given, 2))
