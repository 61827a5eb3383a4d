"""A phase is compiled once: in a long run nothing is traced again."""

import pytest

from sg_keras.data import make_pipeline, open_dataset
from sg_keras.training.distribution.devices import split_for_replicas
from sg_keras.training.step.stylegan import build_stylegan
from tests.training.tiny_run import tiny_config

ITERATIONS = 200
OPTIONS = {
    "stylegan2": {"cfg": "stylegan2", "aug": "ada", "augment": {"p": 0.5, "ada_kimg": 0.64}},
    "stylegan3-r": {"cfg": "stylegan3-r", "blur_fade_kimg": 100.0, "aug": "noaug", "batch": 4},
}


@pytest.mark.long
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(OPTIONS["stylegan2"], id="stylegan2"),
        pytest.param(OPTIONS["stylegan3-r"], id="stylegan3-r"),
    ],
)
def test_no_phase_is_traced_again_in_200_iterations(options, image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, **options)
    model = build_stylegan(config)
    dataset = open_dataset(str(image_folder), use_labels=True)
    batches = make_pipeline(dataset, seed=0, batch=config.batch, start_nimg=0, num_phases=model.num_phases)
    counts = []
    for number, batch in enumerate(batches.take(ITERATIONS)):
        model.train_step(split_for_replicas(batch, model.distribute_strategy, model.batch_gpu))
        if number in (0, ITERATIONS - 1):
            counts.append(
                {name: function.experimental_get_tracing_count() for name, function in model._compiled.items()}
            )
    assert set(counts[0]) == {phase.name for phase in model.phases} | {"ema"}
    assert counts[0] == counts[1] == dict.fromkeys(counts[0], 1)
