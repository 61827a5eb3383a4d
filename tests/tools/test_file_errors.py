"""Every tool, with errors injected into its operations on files: one line with option, path and remedy, or success."""

import contextlib
import errno
import io
import os
import pathlib
import re
import shutil

import numpy as np
import pytest

from sg_keras.tools import convert, doctor, export, fingerprint, generate, train, verify_resume
from sg_keras.training import pictures as training_pictures
from sg_keras.training import run as training_run
from sg_keras.training.stylegan import StyleGAN, build_stylegan
from tests.tools.injected_errors import Operation, injected
from tests.training.tiny_run import NETWORK, PICTURES, write_pictures

ERRORS = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENAMETOOLONG, errno.EEXIST, errno.EISDIR, errno.EIO)
LASTING = {errno.ENOSPC, errno.EROFS, errno.EIO}
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
        patch.setattr(training_pictures, "generate_images", generate_images)
        patch.setattr(training_run, "check_devices", lambda strategy: None)
        yield


def training_words(folder: pathlib.Path) -> list[str]:
    network = [f"--{name}={value}" for name, value in NETWORK.items()]
    return [
        f"--outdir={folder}/runs",
        f"--data={folder}/noise",
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


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, tiny_training):
    """Folder with pictures and with a run of two iterations."""
    folder = tmp_path_factory.mktemp("prepared")
    write_pictures(folder / "noise")
    assert train.main(training_words(folder)) == 0
    assert PICTURES == len(list((folder / "noise").glob("*.png")))
    return folder


def run_of(folder):
    (run_dir,) = (folder / "runs").glob("0*")
    return run_dir


def with_half_a_run(folder):
    """As a kill after the first iteration leaves it."""
    for path in run_of(folder).glob("checkpoints/ckpt-1*"):
        path.unlink()
    (run_of(folder) / "checkpoints" / "checkpoint").unlink()


def stand_in_for_training(outdir, options, images):
    run_dir = outdir / "00000-run"
    if not run_dir.exists():
        shutil.copytree(stand_in_for_training.run_dir, run_dir)


def start(folder):
    shutil.rmtree(folder / "runs")
    return train.main, training_words(folder)


def resume(folder):
    with_half_a_run(folder)
    return train.main, [*training_words(folder), f"--resume={run_of(folder)}"]


def transfer(folder):
    snapshot = next(run_of(folder).glob("network-snapshot-*"))
    return train.main, [*training_words(folder), f"--resume={snapshot}"]


def generating(folder):
    return generate.main, [f"--network={run_of(folder)}", "--seeds=0-1", f"--outdir={folder}/out"]


def exporting(folder):
    return export.main, [f"--network={run_of(folder)}", f"--outdir={folder}/out"]


def converting(name):
    def convert_to(folder):
        return convert.main, [str(run_of(folder)), f"{folder}/{name}"]

    return convert_to


def fingerprinting(folder):
    return fingerprint.main, [str(run_of(folder))]


def verifying(folder):
    stand_in_for_training.run_dir = run_of(folder)
    words = [word for word in training_words(folder) if not word.startswith(("--outdir", "--kimg"))]
    return verify_resume.main, [*words, "--iterations=1"]


def examining(folder):
    return doctor.main, []


CASES = {
    "start": start,
    "resume": resume,
    "transfer": transfer,
    "generate": generating,
    "export": exporting,
    "convert to a snapshot": converting("networks"),
    "convert to safetensors": converting("networks.safetensors"),
    "convert to a pickle": converting("networks.pkl"),
    "fingerprint": fingerprinting,
    "verify_resume": verifying,
}


def outcome(prepare, prepared, folder, fails=None, number=0):
    """Exit status, what was said on stderr, the injector, and the words."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(prepared, folder)
    main, words = prepare(folder)
    errors = io.StringIO()
    with (
        contextlib.redirect_stderr(errors),
        contextlib.redirect_stdout(io.StringIO()),
        injected([folder], fails, number, number in LASTING) as injector,
    ):
        status = main(words)
    return status, errors.getvalue(), injector, words


def complaint(status, said, injector, words, folder) -> str:
    """What is wrong with what a tool said; nothing if all is well."""
    if "Traceback" in said or "Errno" in said:
        return "no plain words"
    leftovers = [str(path) for path in folder.rglob(".partial-*")] + [str(path) for path in folder.rglob(".new-run-*")]
    if leftovers:
        return f"half-written: {leftovers}"
    if status == 0:
        return ""
    if status != 1 or not said.startswith("Error: ") or said.count("\n") != 1:
        return f"exit status {status}, or not one line"
    if str(folder) not in said:
        return "no path"
    if not re.match(r"Error: (--[a-z_-]+: |TMPDIR: )", said) and not any(word in said for word in words if word[0] == "/"):
        return "no option"
    if ", expected " not in said:
        return "no remedy"
    return ""


@pytest.mark.parametrize("case", CASES)
def test_injected_errors(case, prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(verify_resume, "_train", stand_in_for_training)
    folder = tmp_path / "work"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    status, said, injector, _ = outcome(CASES[case], prepared, folder)
    assert (status, said) == (0, "")
    kinds = list(dict.fromkeys(injector.seen))
    complaints = []
    for place, operation in enumerate(kinds):
        for number in ERRORS if ALL else [ERRORS[place % len(ERRORS)]]:
            try:
                result = outcome(CASES[case], prepared, folder, operation, number)
                wrong = complaint(*result, folder)
                said = result[1]
            except Exception as error:
                wrong, said = repr(error)[:300], ""
            if wrong:
                complaints.append(f"{errno.errorcode[number]} at {operation}: {wrong}: {said[:400]}")
    print(case, len(kinds))
    assert not complaints, "\n".join(complaints)
