"""Weights that a new run starts from: transfer learning."""

from __future__ import annotations

import hashlib
import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from sg_keras.config import Cluster
from sg_keras.files.atomic import write_text
from sg_keras.files.cache import is_url
from sg_keras.files.download import fetch, size_and_sha256
from sg_keras.files.errors import explain_file_error
from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.training.distribution.collectives import broadcast_text
from sg_keras.training.step.stylegan import StyleGAN
from sg_keras.weights import load
from sg_keras.weights.transfer import (
    TransferReport,
    assign_grafts,
    compare_networks,
    copy_matching_weights,
    graft_networks,
)

REPORT_FILE = "transfer_report.txt"
_NAMED = 4  # tensors in a note


def take_starting_weights(
    source: str,
    partial: bool,
    model: StyleGAN,
    write_line: Callable[[str], None],
    cluster: Cluster | None = None,
    graft: bool = False,
) -> TransferReport:
    """Copy the weights of G, D and G_ema from existing networks. Optimizers and running means of training start fresh.

    Args:
        source: a network snapshot's folder, a file of networks, or the URL of one.
        partial: take what fits, whatever else does not.
        model: of the run.
        write_line: of the log, which gets the report but for the names of all that was taken.
        cluster: workers that share the run; each reads the networks, and they make sure that they read the same.
        graft: widen, narrow, add and leave out layers where the networks are of other channels or sizes.

    Raises:
        ValueError: the source does not fit or holds no networks; one line.
        OSError: it cannot be read or fetched; one line.
    """
    path, digest, words = _located(source)
    if cluster is not None and broadcast_text(model.distribute_strategy, digest) != digest:
        raise ValueError(
            f"--resume: found another {source} on worker {cluster.index} than on worker 0, expected one ({words})"
        )
    try:
        with tf.device("CPU:0"):  # devices need no second set of networks
            networks = load(path, ops="reference")
    except (ValueError, OSError) as error:
        reason = explain_file_error(error) if isinstance(error, OSError) else str(error)
        raise ValueError(f"--resume: {reason.replace(str(path), source)}") from error
    targets = (model.G, model.D, model.G_ema)
    grafts = graft_networks(networks, targets) if graft else None
    report = compare_networks(networks, targets, source, words, grafts)
    report.check(partial)
    with model.distribute_strategy.scope():
        if grafts is None:
            copy_matching_weights(networks, targets, report)
        else:
            assign_grafts(grafts, targets)
    if cluster is not None and grafts is not None:
        _check_alike(model, cluster)
    write_line(report.summary())
    new = _frozen_and_new(model, report)
    if new:
        names = ", ".join([*new[:_NAMED], *(["..."] if len(new) > _NAMED else [])])
        write_line(
            "Note: what starts anew and is frozen stays as it was drawn until it is unfrozen: "
            f"{len(new)} tensors ({names})"
        )
    return report


def _check_alike(model: StyleGAN, cluster: Cluster) -> None:
    """Refuse workers whose arithmetic has made other weights than the chief's."""
    values = [
        np.asarray(variable.value) for network in (model.G, model.D, model.G_ema) for variable in network.variables
    ]
    digest = hashlib.sha256(b"".join(value.tobytes() for value in values)).hexdigest()
    if broadcast_text(model.distribute_strategy, digest) != digest:
        raise ValueError(
            f"--graft: found other weights on worker {cluster.index} than on worker 0, expected the same; make a "
            "network snapshot of the grafted networks in a run of one worker, and start from that"
        )


def _frozen_and_new(model: StyleGAN, report: TransferReport) -> list[str]:
    taken = {
        f"{network.name}.{name}"
        for network in report.networks
        for name in (*network.taken, *(row[0] for row in network.fitted))
    }
    frozen = [variable.path.replace("/", ".") for name in "GD" for variable in model.freezing.frozen_variables(name, 0)]
    return [name for name in frozen if name not in taken]


def write_report(run_dir: pathlib.Path, report: TransferReport) -> None:
    """Keep a report in the run directory."""
    write_text(run_dir / REPORT_FILE, report.text())


def _located(source: str) -> tuple[pathlib.Path, str, str]:
    """The path of a source on this worker, its SHA-256, and a few words on the file."""
    if is_url(source):
        try:
            path, is_new = fetch(source)
        except OSError as error:
            raise OSError(f"--resume: {error}") from error
        words = f"{'fetched, kept as' if is_new else 'not fetched again, kept as'} {path}, "
    else:
        path, words = pathlib.Path(source), ""
        if not path.exists():
            raise FileNotFoundError(f"--resume: found nothing at {source}, expected networks to start from")
    parts = [path / f"{name}.keras" for name in NETWORK_NAMES] if path.is_dir() else [path]
    size, digest = size_and_sha256(parts)
    of = f" of {', '.join(part.name for part in parts)}" if path.is_dir() else ""
    return path, digest, f"{words}{size:,} bytes, SHA-256 {digest}{of}"
