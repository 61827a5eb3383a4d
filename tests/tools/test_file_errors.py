"""Every tool, with errors injected into its operations on files: one line with option, path and remedy, or success."""

import contextlib
import dataclasses
import errno
import functools
import io
import os
import pathlib
import re
import resource
import shutil
import tempfile

import numpy as np
import pytest

from sg_keras.files import processor
from sg_keras.files.errors import explain_file_error
from sg_keras.ops import library
from sg_keras.tools import convert, doctor, export, fingerprint, generate, train, verify_resume
from sg_keras.training import run as training_run
from sg_keras.training.callbacks import image_grids as training_images
from sg_keras.training.step.stylegan import StyleGAN, build_stylegan
from tests.tools.injected_errors import injected
from tests.training.tiny_run import NETWORK, write_images

ERRORS = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENAMETOOLONG, errno.EEXIST, errno.EISDIR, errno.EIO)
LASTING = {errno.ENOSPC, errno.EROFS, errno.EIO}
OPTION = re.compile(r"Error: (--[a-z_-]+|TMPDIR|RUN_DIR|SRC|DST): ")
SOME = 7  # operations of each tool that are made to fail otherwise, one by each error
ALL = os.environ.get("SG_KERAS_EVERY_ERROR")  # every error at every operation, which takes minutes


@pytest.fixture(scope="module")
def tiny_training():
    """Runs whose iterations compute nothing, with the same networks every time: what is left is work on files."""
    built = {}

    def build(config):
        model = built.setdefault("model", None) or build_stylegan(config)
        built["model"] = model
        model.cur_nimg.assign(0)
        model.batch_index.assign(0)
        return model

    def step(model, data):
        model.cur_nimg.assign_add(model.batch)
        model.batch_index.assign_add(1)
        return {}

    def generate_images(G, z, labels, batch):
        return np.zeros([len(z), 8, 8, 3], np.uint8)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_run, "build_stylegan", build)
        patch.setattr(StyleGAN, "train_step", step)
        patch.setattr(training_images, "generate_images", generate_images)
        patch.setattr(training_run, "check_devices", lambda strategy: None)
        yield


def training_words(folder: pathlib.Path, noise: pathlib.Path) -> list[str]:
    network = [f"--{name}={value}" for name, value in NETWORK.items()]
    return [
        f"--outdir={folder}/runs",
        f"--data={noise}",
        "--cfg=stylegan2",
        "--gpus=0",
        "--batch=8",
        "--gamma=1",
        "--aug=noaug",
        "--kimg=0.016",
        "--tick=0.008",
        "--snap=1",
        "--sample-grid=2x2",
        "--ops=reference",
        *network,
    ]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a tool is tried: images that stay where they are, and a folder with a run of two iterations."""

    noise: pathlib.Path
    folder: pathlib.Path

    @property
    def run_dir(self) -> pathlib.Path:
        (run_dir,) = (self.folder / "runs").glob("0*")
        return run_dir

    def training(self, *more: object) -> list[str]:
        return [*training_words(self.folder, self.noise), *map(str, more)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, tiny_training):
    folder = tmp_path_factory.mktemp("prepared")
    place = Place(write_images(tmp_path_factory.mktemp("data") / "noise"), folder)
    assert train.main(place.training()) == 0
    return place


def start(place):
    shutil.rmtree(place.folder / "runs")
    return train.main, place.training()


def resume(place):
    """After its first iteration, as a kill leaves it."""
    checkpoints = place.run_dir / "checkpoints"
    for path in [*checkpoints.glob("ckpt-1*"), checkpoints / "checkpoint"]:
        path.unlink()
    return train.main, place.training(f"--resume={place.run_dir}")


def transfer(place):
    return train.main, place.training(f"--resume={next(place.run_dir.glob('network-snapshot-*'))}")


def generating(place):
    return generate.main, [f"--network={place.run_dir}", "--seeds=0-1", f"--outdir={place.folder}/out"]


def exporting(place):
    return export.main, [f"--network={place.run_dir}", f"--outdir={place.folder}/out"]


def converting(name):
    def convert_to(place):
        return convert.main, [str(place.run_dir), f"{place.folder}/{name}"]

    return convert_to


def fingerprinting(place):
    return fingerprint.main, [str(place.run_dir)]


def verifying(place):
    words = [word for word in place.training("--iterations=1") if not word.startswith(("--outdir", "--kimg"))]
    return verify_resume.main, words


#: What is done, and which operations are made to fail, by path: others do the same as in a case above.
CASES = {
    "start": (start, "."),
    "resume": (resume, "/runs/"),
    "transfer": (transfer, "/network-snapshot"),
    "generate": (generating, "."),
    "export": (exporting, "/out|/.partial"),
    "convert to a snapshot": (converting("networks"), "/networks|/.partial"),
    "convert to safetensors": (converting("networks.safetensors"), "networks|/.partial"),
    "convert to a pickle": (converting("networks.pkl"), "networks|/.partial"),
    "fingerprint": (fingerprinting, "."),
    "verify_resume": (verifying, "."),
}


def outcome(prepare, prepared, folder, fails=None, number=0, largest=resource.RLIM_INFINITY):
    """Exit status, what was said on stderr, the injector, the words, and what was printed."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(prepared.folder, folder)
    main, words = prepare(Place(prepared.noise, folder))
    errors, output = io.StringIO(), io.StringIO()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (
        contextlib.redirect_stderr(errors),
        contextlib.redirect_stdout(output),
        injected([folder, prepared.noise], fails, number, number in LASTING) as injector,
    ):
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, limits[1]))
            status = main(words)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    return status, errors.getvalue(), injector, words, output.getvalue()


def files_in(folder):
    """What there is, but for numbers in names that differ from run to run."""
    return {re.sub("(?<=tfevents).*", "", str(path.relative_to(folder))) for path in folder.rglob("*")}


def complaint(status, said, injector, words, printed) -> str:
    """What is wrong with what a tool said of an error; nothing if all is well."""
    if "Traceback" in said or "Errno" in said:
        return "no plain words"
    if status != 1 or not said.startswith("Error: ") or said.count("\n") != 1:
        return f"exit status {status}, or not one line"
    if not any(folder in said for folder in injector.folders):
        return "no path"
    if not OPTION.match(said) and not any(said.startswith(f"Error: {word}") for word in words if word[0] == "/"):
        return "no option"
    return "" if ", expected " in said else "no remedy"


def judged(result, folder, complete) -> str:
    """The same, of any end: a success must have left all that it leaves without an error, or say what is missing."""
    leftovers = {path for path in files_in(folder) - complete if ".partial-" in path or ".new-run-" in path}
    if leftovers and not any(".partial-" in operation.path for operation in result[2].failed):
        return f"half-written {leftovers}"
    if result[0] == 0:
        missing = complete - files_in(folder)
        return f"silent, without {missing}" if missing and "Note:" not in result[4] else ""
    return complaint(*result)


@pytest.fixture
def tried(request, prepared, tmp_path, monkeypatch):
    """How a tool is tried, the folder, the injector of a run without errors, and what that leaves behind."""
    prepare, _ = CASES[request.param]
    folder = tmp_path / "work"
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    def trained(outdir, *rest):
        if not outdir.exists():
            outdir.symlink_to(folder / "runs")

    monkeypatch.setattr(verify_resume, "_train", trained)
    status, said, injector, _, _ = outcome(prepare, prepared, folder)
    assert (status, said) == (0, "")
    return functools.partial(outcome, prepare, prepared, folder), folder, injector, files_in(folder)


def test_every_error_has_its_words():
    for number in ERRORS:
        line = explain_file_error(OSError(number, os.strerror(number)), "place")
        assert line.startswith("place: found ") and f"({os.strerror(number)}), expected " in line
        assert "cannot be read or written" not in line


@pytest.mark.parametrize("tried, paths", [(name, CASES[name][1]) for name in CASES], indirect=["tried"], ids=CASES)
def test_injected_errors(tried, paths):
    attempt, folder, injector, complete = tried
    kinds = [kind for kind in dict.fromkeys(injector.seen) if ALL or re.search(paths, kind.path)]
    assert kinds
    complaints = []
    for place, operation in enumerate(kinds[:: 1 if ALL else -(-len(kinds) // SOME)]):
        for number in ERRORS if ALL else [ERRORS[place % len(ERRORS)]]:
            result = attempt(operation, number)
            wrong = judged(result, folder, complete)
            if wrong:
                complaints.append(f"{errno.errorcode[number]} at {operation}: {wrong}: {result[1][:400]}")
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("tried", CASES, indirect=True)
def test_files_that_cannot_grow(tried):
    """Also those that TensorFlow and other libraries write by themselves."""
    attempt, folder, _, complete = tried
    complaints = []
    for largest in (0, 1000, 7000) if ALL else (0, 5000):
        result = attempt(largest=largest)
        wrong = judged(result, folder, complete)
        if wrong:
            complaints.append(f"{largest} bytes: {wrong}: {result[1][:600]}")
    assert not complaints, "\n".join(complaints)


def test_the_doctor(monkeypatch, tmp_path):
    """It reads the compiled ops and their sources, and ends in no error: what it cannot read it says in its table."""
    monkeypatch.setattr(doctor, "_print_agreement", lambda: iter(()))
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("model name : one\n", encoding="utf-8")
    folders = [tmp_path, library.library_path().parent]

    def examined(fails=None, number=0):
        errors = io.StringIO()
        with (
            contextlib.redirect_stderr(errors),
            contextlib.redirect_stdout(io.StringIO()) as output,
            injected(folders, fails, number) as injector,
        ):
            status = doctor.main([])
        return status, errors.getvalue(), injector, output.getvalue()

    first, said, injector, _ = examined()
    assert first in (0, 1) and not said
    for place, operation in enumerate(dict.fromkeys(injector.seen)):
        number = ERRORS[place % len(ERRORS)]
        status, said, _, printed = examined(operation, number)
        if said:
            assert status == 1 and said.startswith("Error: ") and said.count("\n") == 1, operation
            assert ": found " in said and ", expected " in said and "Errno" not in said, operation
        assert "Errno" not in printed, operation
