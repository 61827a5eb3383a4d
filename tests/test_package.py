"""The package's root."""

import pathlib
import re
import subprocess
import sys

import sg_keras

ROOT = pathlib.Path(__file__).parents[1]


def test_version_is_that_of_the_metadata():
    metadata = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^version = "(.+)"$', metadata, re.MULTILINE).group(1) == sg_keras.__version__


def test_importing_it_loads_no_tensorflow_and_rooms_come_when_they_are_needed():
    code = (
        "import sys, sg_keras; assert 'tensorflow' not in sys.modules; assert 'ops' in dir(sg_keras); "
        "print(sg_keras.ops.upfirdn2d.__name__, sg_keras.models.Generator.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "upfirdn2d Generator\n"


def test_what_does_not_exist():
    assert not hasattr(sg_keras, "nothing")
