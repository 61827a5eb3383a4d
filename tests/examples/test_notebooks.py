"""The notebooks, run from the first cell to the last."""

import os
import pathlib
import resource
import shutil

import pytest

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "notebooks"
FIRST, *OTHERS = ("train_on_digits", "explore_a_network", "project_and_edit")
CPU_SECONDS = 240  # that each may take: two minutes of two cores, whatever else they do


def executed(name, folder):
    """A notebook with its outputs, and the seconds of a processor that it took."""
    import nbclient
    import nbformat

    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=1200, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    before = _cpu_seconds()
    client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    return notebook, _cpu_seconds() - before


def _cpu_seconds():
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def kinds_of_outputs(notebook):
    return [set(output.get("data", {})) for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder in which the first notebook was run, that notebook, and the seconds."""
    folder = tmp_path_factory.mktemp("notebooks")
    return folder, *executed(FIRST, folder)


def test_they_are_kept_without_outputs():
    import nbformat

    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {FIRST, *OTHERS}
    for path in FOLDER.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(not cell.outputs and cell.execution_count is None for cell in code), path.name


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages that run notebooks
def test_training(trained):
    folder, notebook, seconds = trained
    assert sum("image/png" in kinds for kinds in kinds_of_outputs(notebook)) == 3
    assert list(folder.glob("runs/*/network-snapshot-*/G_ema.keras"))
    assert 3 < seconds < CPU_SECONDS


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", OTHERS)
def test_what_is_done_with_the_network(trained, name, tmp_path):
    folder, *_ = trained
    shutil.copytree(folder / "runs", tmp_path / "runs")
    notebook, seconds = executed(name, tmp_path)
    assert sum("image/png" in kinds for kinds in kinds_of_outputs(notebook)) >= 4
    assert 3 < seconds < CPU_SECONDS
