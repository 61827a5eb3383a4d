"""What --resume stands for: an exact continuation, or a network whose weights a new run starts from."""

from __future__ import annotations

import pathlib
import re
import urllib.parse

from sg_keras.config import ResumeRequest
from sg_keras.config.places import is_address

_RUN_AT_TICK = re.compile(r"^(?P<run>.+)@(?P<tick>[0-9]+)$")
_EXPECTED = (
    "latest, a run directory, RUN_DIR@TICK, a checkpoint, a network snapshot, a .pkl or .safetensors file, or a URL of "
    "one"
)
_ENDINGS = (".pkl", ".pickle", ".safetensors")  # of files of networks


def parse_resume(value: str, outdir: str) -> ResumeRequest | str:
    """Tell the forms of --resume apart by what is on the disk. No URL is opened.

    Args:
        value: as typed.
        outdir: where "latest" looks for runs.

    Returns:
        A ResumeRequest (exact continuation), or the path or URL of a network (transfer learning).

    Raises:
        ValueError: the value is none of the forms, or what it names does not exist.
    """
    if value == "latest":
        return ResumeRequest("latest", outdir)
    if is_address(value):
        return _check_url(value)
    path = pathlib.Path(value)
    at_tick = _RUN_AT_TICK.match(value)
    if at_tick and not path.exists():
        run_dir = at_tick["run"]
        if not _is_run_directory(pathlib.Path(run_dir)):
            raise ValueError(f"found {value!r}, expected RUN_DIR@TICK with a run directory, which {run_dir!r} is not")
        return ResumeRequest("run_dir", run_dir, int(at_tick["tick"]))
    checkpoint = re.sub(r"\.(index|data-[0-9]{5}-of-[0-9]{5})$", "", value)
    if pathlib.Path(f"{checkpoint}.index").is_file():
        return ResumeRequest("checkpoint", checkpoint)
    if not path.exists():
        raise ValueError(f"found {value!r}, which does not exist, expected {_EXPECTED}")
    if _is_network(path):
        return str((path.parent if path.suffix == ".keras" else path).resolve())  # a snapshot's networks go together
    if _is_run_directory(path):
        return ResumeRequest("run_dir", value)
    raise ValueError(f"found {value!r}, expected {_EXPECTED}")


def _check_url(value: str) -> str:
    if not value.lower().startswith(("http://", "https://")):
        raise ValueError(f"found {value!r}, expected a URL that starts with https:// or http://")
    if not urllib.parse.urlsplit(value).path.endswith(_ENDINGS):
        raise ValueError(f"found {value!r}, expected a URL whose path ends in {' or '.join(_ENDINGS)}")
    return value


def _is_network(path: pathlib.Path) -> bool:
    if path.is_dir():  # network-snapshot-000100/ holds G.keras, D.keras, G_ema.keras
        return (path / "G_ema.keras").is_file()
    if path.suffix == ".keras":
        return (path.parent / "G_ema.keras").is_file()
    return path.suffix in _ENDINGS


def _is_run_directory(path: pathlib.Path) -> bool:
    return (path / "training_config.json").is_file() and not _is_network(path)
