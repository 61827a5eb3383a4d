"""The iteration that is traced without memory is the one that training runs."""

import dataclasses

import pytest
import tensorflow as tf

from sg_keras.config import DatasetConfig, RunConfig, TrainingOptions, resolve
from sg_keras.files.process_memory import peak_bytes, resident_bytes
from sg_keras.planning.memory import memory_plan
from sg_keras.planning.products import products_of
from sg_keras.planning.traced_step import trace_step
from sg_keras.training.step.stylegan import build_stylegan
from sg_keras.weights.parameter_counts import parameter_counts
from tests.planning.tiny_plan import tiny_config, tiny_step


def test_phases_are_those_of_training():
    config = tiny_config()
    model = build_stylegan(config)
    batch, size = config.batch, config.dataset.size
    data = {
        "image": tf.zeros([batch, size.height, size.width, 1], tf.uint8),
        "label": tf.zeros([batch, 0]),
        "gen_label": tf.zeros([batch, model.num_phases, 0]),
    }
    step = tiny_step()
    assert [phase.name for phase in step.phases] == [phase.name for phase in model.phases]
    for traced, phase in zip(step.phases, model.phases, strict=True):
        own = model.phase_graph(phase, data, 0)
        assert products_of(traced.graph) == products_of(own)
        assert len(traced.graph.get_operations()) == len(own.get_operations())
    numbers = sum(int(tf.size(variable.value)) for net in (model.G, model.D, model.G_ema) for variable in net.variables)
    assert step.sizes.networks == step.sizes.snapshot == 4 * numbers
    held = sum(variable.dtype.size * int(tf.size(variable)) for variable in model.state_variables().values())
    assert step.sizes.checkpoint == held


def test_half_precision_takes_half_the_memory_of_its_activations():
    """That of a GPU, where none is: its compiled ops are in the graphs, and not what they are made of in TensorFlow."""
    step = trace_step(
        dataclasses.replace(tiny_config(precision="bfloat16", num_fp16_res=4), precision="float16", gpus=1)
    )
    own = [{op.type for op in phase.graph.get_operations() if "SgKeras" in op.type} for phase in step.phases]
    assert own == [
        {op.type for op in phase.graph.get_operations() if "SgKeras" in op.type} for phase in tiny_step().phases
    ]
    full, half = (memory_plan(tiny_config(), each, 0, 0) for each in (tiny_step(), step))
    assert half.activations < 0.75 * full.activations


@pytest.mark.long
def test_the_largest_networks_are_traced_without_memory_for_them():
    """XXL at 1024x1024: 150 million parameters, 2.5 GB of state and far more of activations."""
    options = TrainingOptions(cfg="stylegan2", capacity="xxl", batch=32, batch_gpu=4, gamma=10.0, gpus=8)
    data = DatasetConfig(path="data", resolution=1024, channels=3, num_images=1000)
    config = resolve(options, data, RunConfig(outdir="runs"))
    before = resident_bytes()
    step = trace_step(config)
    assert resident_bytes() - before < 0.5e9
    assert peak_bytes() < 4e9
    counts = parameter_counts(config)
    trained = counts["G"].parameters + counts["D"].parameters
    assert trained == pytest.approx(150e6, rel=0.02)
    assert step.sizes.optimizers == 8 * trained
    memory = memory_plan(config, step, before, 0)
    assert memory.device_bytes > 10e9
    reals = next(op for op in step.phases[-1].graph.get_operations() if op.type == "Placeholder")
    assert reals.outputs[0].shape == [4, 1024, 1024, 3]
