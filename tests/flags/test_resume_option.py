"""The forms of --resume."""

import pytest

from sg_keras.config import ResumeRequest
from sg_keras.flags import parse_command_line
from sg_keras.flags.resume_option import parse_resume
from tests.flags.conftest import REQUIRED


@pytest.fixture
def run_dir(tmp_path):
    run = tmp_path / "00003-stylegan2-digits"
    (run / "checkpoints").mkdir(parents=True)
    (run / "training_config.json").write_text("{}")
    for suffix in ("index", "data-00000-of-00001"):
        (run / "checkpoints" / f"ckpt-12.{suffix}").write_text("")
    snapshot = run / "network-snapshot-000100"
    snapshot.mkdir()
    for name in ("G.keras", "D.keras", "G_ema.keras", "training_config.json"):
        (snapshot / name).write_text("")
    (tmp_path / "net.pkl").write_text("")
    (tmp_path / "odd@7").mkdir()
    (tmp_path / "odd@7" / "training_config.json").write_text("{}")
    return run


def test_exact_continuation(run_dir, tmp_path):
    checkpoint = str(run_dir / "checkpoints" / "ckpt-12")
    assert parse_resume("latest", "runs") == ResumeRequest("latest", "runs")
    assert parse_resume(str(run_dir), "runs") == ResumeRequest("run_dir", str(run_dir))
    assert parse_resume(f"{run_dir}/", "runs") == ResumeRequest("run_dir", f"{run_dir}/")
    assert parse_resume(f"{run_dir}@12", "runs") == ResumeRequest("run_dir", str(run_dir), 12)
    assert parse_resume(str(tmp_path / "odd@7"), "runs") == ResumeRequest("run_dir", str(tmp_path / "odd@7"))
    for form in (checkpoint, f"{checkpoint}.index", f"{checkpoint}.data-00000-of-00001"):
        assert parse_resume(form, "runs") == ResumeRequest("checkpoint", checkpoint)


def test_transfer(run_dir, tmp_path):
    assert parse_resume("https://example.org/a@1/net.pkl", "runs") == "https://example.org/a@1/net.pkl"
    assert parse_resume((tmp_path / "net.pkl").as_uri(), "runs") == str(tmp_path / "net.pkl")
    snapshot = run_dir / "network-snapshot-000100"
    (tmp_path / "net.safetensors").write_text("")
    for path in (tmp_path / "net.pkl", tmp_path / "net.safetensors", snapshot):
        assert parse_resume(str(path), "runs") == str(path)
    assert parse_resume(str(snapshot / "G.keras"), "runs") == str(snapshot)  # its networks go together


@pytest.mark.parametrize(
    "value, message",
    [
        ("nowhere", "which does not exist, expected latest, a run directory"),
        ("nowhere.pkl", "which does not exist"),
        ("nowhere@3", "expected RUN_DIR@TICK with a run directory, which 'nowhere' is not"),
        ("ftp://example.org/net.pkl", "expected an address that starts with https://"),
        ("alone.keras", "found 'alone.keras', one network alone, expected the folder of a snapshot"),
        (".", "found '.', expected latest"),
    ],
)
def test_what_is_refused(tmp_path, monkeypatch, value, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alone.keras").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError) as error:
        parse_resume(value, "runs")
    assert message in str(error.value)


def test_a_fork(parse, run_dir):
    parsed = parse(f"--resume={run_dir}", "--fork", "--batch-gpu=8", "--dry-run")
    assert parsed.resume == ResumeRequest("run_dir", str(run_dir), fork=True, batch_gpu_typed=True)
    with pytest.raises(ValueError, match="--fork: found it alone, expected --resume of a run or checkpoint"):
        parse("--fork")
    with pytest.raises(ValueError, match="--fork: found it alone"):
        parse("--fork", "--resume=https://somewhere/network.pkl")
    with pytest.raises(ValueError, match="--fork: found 2 workers, expected one"):
        parse("--fork", "--resume=latest", "--workers_hosts=a:1,b:1", "--dry-run")


def parse(run_dir, *words):
    required = [f"--outdir={run_dir.parent}", "--cfg=stylegan2", "--data=digits", "--gpus=0", "--batch=4", "--gamma=1"]
    return parse_command_line([*required, *words]).resume


def test_restart(run_dir):
    assert parse(run_dir, "--resume=latest", "--restart").restart
    assert parse(run_dir, f"--resume={run_dir}", "--restart=1").restart
    assert not parse(run_dir, "--resume=latest").restart


@pytest.mark.parametrize(
    "words",
    [[], ["--resume={}@12"], ["--resume={}/checkpoints/ckpt-12"], ["--resume=latest", "--fork"], ["--resume=net.pkl"]],
)
def test_restart_belongs_to_a_run(run_dir, words, monkeypatch):
    monkeypatch.chdir(run_dir.parent)
    with pytest.raises(ValueError, match=r"--restart: found it .*, expected .*latest"):
        parse(run_dir, "--restart", *[word.format(run_dir) for word in words])


def test_a_chosen_gamma_is_that_of_the_run(parse, run_dir):
    required = [*(word for word in REQUIRED if not word.startswith("--gamma")), "--auto_gamma", "--dry-run"]
    parsed = parse(f"--resume={run_dir}", required=required)
    assert parsed.resume.auto_gamma
    (note,) = [note for note in parsed.notes if note.startswith("gamma: ")]
    assert note.startswith("gamma: a run that is continued keeps its own; a new one has 0.0064 = 0.0002 * 32")
    for words in ([], [f"--resume={run_dir}", "--fork"]):
        (note,) = [note for note in parse(*words, required=required).notes if note.startswith("gamma: ")]
        assert note.startswith("gamma: 0.0064 = 0.0002 * 32 * 32 / batch of 32, the rule of")
