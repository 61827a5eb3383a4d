"""What commands set for themselves, and what a program that imports sg_keras keeps."""

import os
import subprocess
import sys
import types

import keras
import pytest

from sg_keras.config import environment
from sg_keras.config.environment import check_backend, settings_not_used, settle_environment


@pytest.fixture
def variables(monkeypatch):
    """The environment of a process without Keras, which may be changed."""
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(environment, "_not_used", {})
    changed = {name: value for name, value in os.environ.items() if not name.startswith(("KERAS_", "TF", "XLA_"))}
    monkeypatch.setattr(os, "environ", changed)
    return changed


def test_commands_set_what_they_need(variables):
    variables |= {"KERAS_BACKEND": "torch", "TF_XLA_FLAGS": "--tf_xla_auto_jit=2", "TF_USE_LEGACY_KERAS": "0"}
    variables |= {"KERAS_MAX_EPOCHS": "abc", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "1"}
    settle_environment()
    assert (variables["KERAS_BACKEND"], variables["KERAS_HOME"]) == ("tensorflow", os.devnull)
    assert not {"TF_XLA_FLAGS", "KERAS_MAX_EPOCHS"} & set(variables)
    assert (variables["TF_ENABLE_ONEDNN_OPTS"], variables["CUDA_VISIBLE_DEVICES"]) == (
        "0",
        "1",
    )  # the user's own affair
    ignored = {"KERAS_BACKEND": "torch", "KERAS_MAX_EPOCHS": "abc", "TF_XLA_FLAGS": "--tf_xla_auto_jit=2"}
    assert settings_not_used() == ignored
    settle_environment()
    assert settings_not_used() == ignored


def test_nothing_is_changed_once_keras_is_loaded(variables, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", keras)
    variables["TF_XLA_FLAGS"] = "--tf_xla_auto_jit=2"
    before = dict(variables)
    settle_environment()
    assert variables == before


def test_keras_takes_nothing_from_the_users_files(tmp_path):
    """However they are damaged: one process, since Keras reads them once."""
    (tmp_path / ".keras").mkdir()
    settings = '{"floatx": "float16", "epsilon": 1, "backend": "torch", "image_data_format": "channels_first"}'
    (tmp_path / ".keras" / "keras.json").write_text(settings)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KERAS_")}
    variables = {**kept, "HOME": str(tmp_path), "KERAS_BACKEND": "jax", "KERAS_NNX_ENABLED": "1"}
    program = (
        "import sg_keras.tools; from keras import config as c;"
        "print(c.floatx(), c.epsilon(), c.backend(), c.image_data_format(), c.dtype_policy().name)"
    )
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "float32 1e-07 tensorflow channels_last float32\n"
    assert (tmp_path / ".keras" / "keras.json").read_text() == settings


def test_a_program_keeps_its_settings_and_hears_what_cannot_be(variables, monkeypatch):
    variables["TF_XLA_FLAGS"] = "--tf_xla_auto_jit=2"
    check_backend()
    assert variables["TF_XLA_FLAGS"] == "--tf_xla_auto_jit=2" and "KERAS_HOME" not in variables
    assert variables["KERAS_BACKEND"] == "tensorflow"  # keras.json may say otherwise
    variables["KERAS_BACKEND"] = "jax"
    with pytest.raises(ImportError, match=r"^KERAS_BACKEND: found the backend 'jax', expected 'tensorflow', which"):
        check_backend()
    other = types.SimpleNamespace(config=types.SimpleNamespace(backend=lambda: "torch"))
    monkeypatch.setitem(sys.modules, "keras", other)
    with pytest.raises(ImportError, match=r"^Keras: found the backend 'torch', expected 'tensorflow', which"):
        check_backend()
