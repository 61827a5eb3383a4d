"""Measurements of convolutions: made once on a machine, whoever else measures, and never trusted when damaged."""

import dataclasses
import json

import pytest
import tensorflow as tf

from sg_keras.files import processor
from sg_keras.training import measured_speed
from sg_keras.training.measured_speed import Speed, convolution_speed, known_speed

SHAPES = [(2, 8, 8, 4), (2, 4, 4, 8)]


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "precision"


@pytest.fixture
def calls(monkeypatch):
    """Shapes that were measured; each measurement takes a second longer than the one before."""
    made = []
    monkeypatch.setattr(measured_speed, "measure", lambda shape, dtype: made.append((shape, dtype)) or len(made))
    return made


def test_a_measurement_is_kept(folder, calls):
    assert known_speed(SHAPES) is None and not folder.exists()
    first = convolution_speed(SHAPES)
    assert (first.float32_sec, first.bfloat16_sec, first.ratio) == (3.0, 7.0, 3 / 7)
    assert calls == [(shape, dtype) for dtype in (tf.float32, tf.bfloat16) for shape in SHAPES]
    (kept,) = folder.iterdir()
    assert first.kept == kept
    assert convolution_speed(SHAPES) == known_speed(SHAPES) == first and len(calls) == 4
    values = json.loads(kept.read_text(encoding="utf-8"))
    assert (values["date"], values["tensorflow"], values["shapes"]) == (
        first.date,
        tf.__version__,
        [*map(list, SHAPES)],
    )
    assert convolution_speed(SHAPES[:1]) != first and len(calls) == 6  # other shapes


@pytest.mark.parametrize("what", ["flags", "cores", "TensorFlow", "oneDNN"])
def test_another_machine_measures_for_itself(what, calls, monkeypatch, tmp_path):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    first = convolution_speed(SHAPES)
    if what == "flags":
        (tmp_path / "cpuinfo").write_text("model name\t: one\nflags\t: sse amx_bf16\n", encoding="utf-8")
        monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    elif what == "cores":
        monkeypatch.setattr(measured_speed, "usable_cores", lambda: 1000)
    elif what == "TensorFlow":
        monkeypatch.setattr(tf, "__version__", "9.9")
    else:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert known_speed(SHAPES) is None
    assert convolution_speed(SHAPES).kept != first.kept


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"float32_sec": 1, "date": "2026-01-01"}', '{"float32_sec": 1, "bfloat16_sec": 0, "date": 3}'],
)
def test_what_cannot_be_read_is_measured_again(text, calls):
    first = convolution_speed(SHAPES)
    first.kept.write_text(text, encoding="utf-8")
    assert known_speed(SHAPES) is None
    again = convolution_speed(SHAPES)
    assert again != first and known_speed(SHAPES) == again and again.kept == first.kept


def test_of_two_processes_that_measure_both_take_what_the_first_one_kept(monkeypatch, calls):
    other, own = Speed(1.0, 2.0, "2026-01-01"), measured_speed._kept

    def late(place, speed, shapes):
        own(place, other, shapes)
        return own(place, speed, shapes)

    monkeypatch.setattr(measured_speed, "_kept", late)
    found = convolution_speed(SHAPES)
    assert dataclasses.replace(found, kept=None) == other and len(calls) == 4
    assert len(list(found.kept.parent.iterdir())) == 1


def test_where_nothing_can_be_kept_it_is_measured_each_time(calls, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "file"))
    assert convolution_speed(SHAPES).kept is None
    assert convolution_speed(SHAPES).kept is None and len(calls) == 8
    monkeypatch.delenv("SG_KERAS_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("sg_keras.files.cache.home_folder", lambda: None)
    assert known_speed(SHAPES) is None and convolution_speed(SHAPES).kept is None
