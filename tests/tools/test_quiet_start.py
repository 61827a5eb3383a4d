"""What is different while TensorFlow is loaded."""

import gc
import pathlib
import subprocess
import sys

import pytest

from sg_keras.tools.quiet_start import load_quietly


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("collects", [False, True])
def test_nothing_is_collected_while_modules_are_loaded(fails, collects, tmp_path: pathlib.Path, monkeypatch):
    (tmp_path / "a_module.py").write_text(f"import gc\nFOUND = gc.isenabled()\nassert not {fails}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "a_module", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (gc.enable if collects else gc.disable)()
    try:
        if fails:
            with pytest.raises(AssertionError):
                load_quietly("a_module")
        else:
            load_quietly("a_module")
            assert sys.modules["a_module"].FOUND is False
        assert gc.isenabled() is collects
    finally:
        gc.enable()
        sys.modules.pop("a_module", None)


def test_what_keras_alone_would_import_seems_missing_meanwhile(tmp_path: pathlib.Path, monkeypatch):
    (tmp_path / "a_module.py").write_text("try:\n    import sklearn\nexcept ImportError:\n    sklearn = None\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "sklearn", raising=False)
    load_quietly("a_module")
    assert sys.modules.pop("a_module").sklearn is None
    assert "sklearn" not in sys.modules
    monkeypatch.setitem(sys.modules, "sklearn", sys)  # it was there before
    load_quietly("a_module")
    assert sys.modules.pop("a_module").sklearn is sys


def test_a_network_is_read_and_images_are_made_without_what_takes_long_to_load():
    """Half a second each, in every command: what needs them imports them in its functions."""
    slow = {"scipy.signal", "scipy.interpolate", "scipy.stats", "sklearn", "matplotlib.pyplot"}
    code = (
        "import sys; from sg_keras.tools.quiet_start import load_quietly; load_quietly('tensorflow', 'keras');"
        f"import sg_keras.inference, sg_keras.weights; print(sorted({slow!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
