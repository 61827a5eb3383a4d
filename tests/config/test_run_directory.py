"""Names of run directories."""

import dataclasses
import os
import pathlib

import pytest

from sg_keras.config import run_directory_name, run_number
from tests.training.tiny_run import tiny_config


def named(name="noise", desc=""):
    config = tiny_config(pathlib.Path("noise"), pathlib.Path("runs"), run={"desc": desc})
    return dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, name=name))


def test_what_a_name_says():
    assert run_directory_name(named(), 3) == "00003-stylegan2-noise-gpus0-batch8-gamma0.1"
    assert run_directory_name(named(desc="two words"), 123456) == (
        "123456-stylegan2-noise-gpus0-batch8-gamma0.1-two words"
    )


@pytest.mark.parametrize("letter", ["a", "\u00fc", "\u732b"])
def test_a_long_name_of_a_data_set_is_cut_between_letters(letter):
    name = run_directory_name(named(letter * 250, desc="d" * 20), 0)
    assert 195 <= len(os.fsencode(name)) <= 200
    assert name.startswith(f"00000-stylegan2-{letter}") and name.endswith(f"{letter}-gpus0-batch8-gamma0.1-{'d' * 20}")


def test_a_description_that_no_file_system_takes():
    with pytest.raises(ValueError, match=r"--desc: found 250 bytes, expected about \d+ at most"):
        run_directory_name(named(desc="d" * 250), 0)


def test_the_number_of_a_name():
    names = ["00003-stylegan2-noise", "00012", "123456-x", "0003-x", "run", "00003x", "00003_x", ""]
    assert [run_number(name) for name in names] == [3, 12, 123456, None, None, None, None, None]
