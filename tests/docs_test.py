"""The documentation speaks of things that exist."""

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

from docs.recipe_tables import PAGE, with_recipes
from sg_keras.flags.activation_options import ACTIVATIONS_OPTIONS
from sg_keras.flags.audit_options import AUDIT_OPTIONS
from sg_keras.flags.combine_options import AVERAGE_OPTIONS, BLEND_OPTIONS
from sg_keras.flags.convert_options import CONVERT_OPTIONS
from sg_keras.flags.curate_options import CURATE_OPTIONS
from sg_keras.flags.direction_options import DIRECTIONS_OPTIONS
from sg_keras.flags.drag_options import DRAG_OPTIONS
from sg_keras.flags.export_options import EXPORT_OPTIONS
from sg_keras.flags.generate_options import GENERATE_OPTIONS
from sg_keras.flags.metric_options import CALC_METRICS_OPTIONS
from sg_keras.flags.options import OPTIONS
from sg_keras.flags.port_names import PORT_OPTIONS
from sg_keras.flags.project_options import PROJECT_OPTIONS
from sg_keras.flags.recipes import all_recipes
from sg_keras.flags.style_mixing_options import STYLE_MIXING_OPTIONS
from sg_keras.flags.tool_options import DOCTOR_OPTIONS, ITERATIONS
from sg_keras.flags.video_options import VIDEO_OPTIONS

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE_FOLDERS = ("sg_keras", "flags", "custom_ops", "benchmarks", "examples")
# Of Python, Keras, TensorFlow and the command line, not of the code.
OTHERS_NAMES = {
    "code",
    "fit",
    "get_config",
    "MirroredStrategy",
    "MultiWorkerMirroredStrategy",
    "auto",
    "custom",
    "reference",
    "tf",
    "distribute",
}
# Of tools that are named in the documentation but are not ours, and of benchmarks.
OTHERS_OPTIONS = {"logdir", "minutes", "networks", "out", "help", "background", "user", "resolution", "threads", "json"}
OTHERS_OPTIONS |= {"shm_size", "plot", "table", "network_gbit", "ntasks_per_node", "gpus_per_node", "requeue"}
OTHERS_OPTIONS |= {"signal", "open_mode", "kills", "ci", "settings", "no_deps", "many"}


def _defined_names() -> set[str]:
    names: set[str] = set()
    for folder in CODE_FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            names.add(path.stem)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names.update(_names_of(node))
    return names


def _names_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _code_words(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def test_every_name_in_the_architecture_is_a_name_in_the_code():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    defined, missing = _defined_names() | OTHERS_NAMES, []
    for word in _code_words(text):
        if "/" in word or word.endswith(".py") or (ROOT / word).exists():
            if not (ROOT / word).exists():
                missing.append(word)
        elif re.fullmatch(r'"?[A-Za-z_.0-9]+"?', word):
            missing += [word for part in word.strip('"').split(".") if part not in defined | {"sg_keras", "tools"}]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: pathlib.Path):
    prose = re.sub(r"(?m)^    .*$", "", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", prose):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_exist(page: pathlib.Path):
    tables = (
        *(OPTIONS, GENERATE_OPTIONS, EXPORT_OPTIONS, DOCTOR_OPTIONS, (ITERATIONS,)),
        *(CONVERT_OPTIONS, AUDIT_OPTIONS, CURATE_OPTIONS, CALC_METRICS_OPTIONS, VIDEO_OPTIONS),
        *(DIRECTIONS_OPTIONS, BLEND_OPTIONS, AVERAGE_OPTIONS, ACTIVATIONS_OPTIONS),
        *(STYLE_MIXING_OPTIONS, PROJECT_OPTIONS, DRAG_OPTIONS, PORT_OPTIONS),
    )
    known = {option.key for table in tables for option in table} | OTHERS_OPTIONS
    found = re.findall(r"(?<![\w-])--([a-z][a-z0-9_-]*[a-z0-9])", page.read_text(encoding="utf-8"))
    unknown = {name for name in found if name.replace("-", "_") not in known}
    assert not unknown


def test_the_page_of_configurations_is_made_of_the_recipes():
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_recipes(text, all_recipes()), "python -m docs.recipe_tables makes it anew"
    with pytest.raises(ValueError, match=r"training_configs.md: found no mark of practice recipes, expected <!-- "):
        with_recipes("a page", all_recipes())


def test_modules_named_in_commands_exist():
    command = re.compile(r"python -m ((?:sg_keras|benchmarks|tests)[\w.]*\w)(?![\w.])")
    for page in PAGES:
        for module in command.findall(page.read_text(encoding="utf-8")):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{page.name}: {module}"
