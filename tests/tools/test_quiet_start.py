"""What is different while TensorFlow is loaded."""

import gc
import pathlib
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
