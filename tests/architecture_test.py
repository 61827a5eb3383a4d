"""Holds the shape of the house: which room may import which, and a few conventions that can be read from the source."""

import ast
import graphlib
import pathlib
import re
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Imports point downwards: a room may import those named here, and itself. `config` and `files` may be imported by
# anyone.
_NETWORKS = {"augment", "data", "layers", "losses", "models", "ops"}
_AROUND_NETWORKS = _NETWORKS | {"checkpoint", "export", "features", "inference", "metrics", "weights"}
ALLOWED = {
    "config": set(),
    "files": set(),
    "features": set(),
    "ops": set(),
    "layers": {"ops"},
    "augment": {"layers", "ops"},
    "curation": {"data", "features"},
    "data": {"layers", "ops"},
    "losses": {"layers", "ops"},
    "models": {"layers", "ops"},
    "checkpoint": _NETWORKS,
    "weights": _NETWORKS | {"checkpoint"},
    "export": _NETWORKS | {"weights"},
    "inference": _NETWORKS | {"features"},
    "metrics": _NETWORKS | {"features", "weights"},
    "training": _AROUND_NETWORKS,
    "planning": _AROUND_NETWORKS | {"training"},
    "flags": {"data"},
    "tools": _AROUND_NETWORKS | {"curation", "flags", "planning", "training"},
}
ENTRY_POINTS = {"flags", "tools"}  # the only rooms that know of flags
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 300, 40  # of a function without its docstring
#: What is longer today. Nothing new belongs here.
LONG_MODULES: set[str] = set()
LONG_FUNCTIONS = {
    "sg_keras/models/discriminator.py Discriminator.__init__",
    "sg_keras/models/layer_plan.py plan_synthesis",
    "sg_keras/models/synthesis_stylegan3.py SynthesisStyleGAN3.__init__",
}
SHAPELESS_NAMES = {"common", "helpers", "misc", "util", "utils"}


def _room_of(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if parts[0] == "flags" else parts[1]


def _modules() -> list[pathlib.Path]:
    """Every module of the package but its root."""
    linked = ROOT / "sg_keras" / "flags"  # a link to flags/
    files = [path for path in (ROOT / "sg_keras").glob("*/**/*.py") if linked not in path.parents]
    return sorted([*files, *(ROOT / "flags").rglob("*.py")])


def _imports(path: pathlib.Path) -> Iterator[str]:
    """Full names of everything that a module imports, anywhere in it."""
    package = ["sg_keras", _room_of(path), *path.relative_to(ROOT).parts[2:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _imported_rooms(path: pathlib.Path) -> set[str]:
    names = [name.split(".") for name in _imports(path)]
    return {parts[1] for parts in names if parts[0] == "sg_keras" and len(parts) > 1}


def _id(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_folder_of_flags_is_a_subpackage_by_a_relative_link():
    assert (ROOT / "sg_keras" / "flags").readlink() == pathlib.Path("..", "flags")


def test_every_room_has_its_place():
    assert {_room_of(path) for path in _modules()} == set(ALLOWED)


@pytest.mark.parametrize("path", _modules(), ids=_id)
def test_imports_point_downwards(path: pathlib.Path):
    room = _room_of(path)
    forbidden = _imported_rooms(path) - ALLOWED[room] - {room, "config", "files"}
    assert not forbidden, f"{_id(path)} imports {sorted(forbidden)}; {room} may import {sorted(ALLOWED[room])}"


def test_no_module_imports_itself_by_way_of_others():
    """Imports for type checking alone and inside functions count: who knows whom is what matters."""
    paths = {path for path in _modules() if path.name != "__init__.py"}
    names = {_full_name(path): path for path in paths}
    imported = {
        name: {module for target in _imports(path) for module in (target, target.rpartition(".")[0]) if module in names}
        for name, path in names.items()
    }
    try:
        graphlib.TopologicalSorter(imported).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"found a circle of imports: {' <- '.join(error.args[1])}")


def _full_name(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts if parts[0] == "sg_keras" else ("sg_keras", *parts))


def test_modules_and_functions_stay_short():
    long_modules, long_functions = set(), set()
    for path in _modules():
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > MAX_MODULE_LINES:
            long_modules.add(_id(path))
        long_functions |= {f"{_id(path)} {name}" for name in _long_functions(ast.parse(text))}
    assert long_modules - LONG_MODULES == set(), f"expected at most {MAX_MODULE_LINES} lines per module"
    assert long_functions - LONG_FUNCTIONS == set(), f"expected at most {MAX_FUNCTION_LINES} lines per function"
    assert long_functions >= LONG_FUNCTIONS, "found short functions among the exceptions, expected them off the list"


def _long_functions(node: ast.AST, prefix: str = "") -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{prefix}{child.name}."
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            has_docstring = ast.get_docstring(child) is not None
            docstring = child.body[0].end_lineno - child.body[0].lineno + 1 if has_docstring else 0
            if child.end_lineno - child.lineno + 1 - docstring > MAX_FUNCTION_LINES:
                yield inner.rstrip(".")
        yield from _long_functions(child, inner)


@pytest.mark.parametrize("path", _modules(), ids=_id)
def test_nothing_below_the_entry_points_knows_flags(path: pathlib.Path):
    if _room_of(path) in ENTRY_POINTS:
        return
    known = [name for name in _imports(path) if name.startswith(("absl.flags", "absl.app", "sg_keras.flags", "flags"))]
    assert not known, f"{_id(path)} imports {known}"


_TAKES_PATHS = re.compile(
    r"\b(?:create_file_writer|EventFileWriter|load_checkpoint|CheckpointManager|CheckpointReader|saved_model\.(?:save|load)"
    r"|TFRecord(?:Dataset|Writer)\w*|list_files|tf\.io\.(?:gfile|read_file|write_file|matching_files)|train\.Checkpoint)\b"
)
_OF_ADDRESSES = {"sg_keras/files/download.py", "sg_keras/files/object_storage.py"}  # not of local files


@pytest.mark.parametrize("path", _modules(), ids=_id)
def test_local_paths_reach_tensorflow_through_the_room_of_files(path: pathlib.Path):
    """TensorFlow takes brackets and the like for patterns."""
    if _id(path) not in _OF_ADDRESSES and _TAKES_PATHS.search(path.read_text(encoding="utf-8")):
        assert "files" in _imported_rooms(path), f"{_id(path)} hands paths to TensorFlow without sg_keras.files"


def test_config_knows_nothing_of_files():
    assert not any("files" in _imported_rooms(path) for path in _modules() if _room_of(path) == "config")


def test_the_ground_floor_imports_the_standard_library_alone():
    """Files at addresses are read by TensorFlow."""
    import sys

    for path in _modules():
        if _room_of(path) in ("config", "files"):
            roots = {name.split(".")[0] for name in _imports(path)}
            others = {"sg_keras", "tensorflow"} if _room_of(path) == "files" else {"sg_keras"}
            assert roots <= set(sys.stdlib_module_names) | others, _id(path)


def test_nothing_in_the_package_imports_tests_or_benchmarks():
    around = {"tests", "benchmarks", "examples", "run_training"}
    for path in _modules():
        assert not {name.split(".")[0] for name in _imports(path)} & around, _id(path)


@pytest.mark.parametrize("folder", ["sg_keras", "flags", "benchmarks", "examples", "tests", "custom_ops"])
def test_modules_say_what_they_are_for(folder: str):
    """A docstring each (packages of tests excepted), and a name that says something."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        assert path.stem not in SHAPELESS_NAMES, _id(path)
        if folder != "tests" or path.name != "__init__.py":
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{_id(path)} has no docstring"


def test_run_training_stays_a_doorway():
    lines = (ROOT / "run_training.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60
