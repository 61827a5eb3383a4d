"""--on_nan=rollback: after NaN or Inf, back to the last checkpoint and on with other noise.

Which noise is part of the state (the noise key), and how often a run was rolled back can be read from it. The
checkpoint that the run goes on from is written anew with it, so a run that is killed afterwards goes on to the same
bits.
"""

from __future__ import annotations

import dataclasses

from sg_keras.checkpoint import CheckpointStore
from sg_keras.checkpoint.manager import checkpoint_number, read_note
from sg_keras.checkpoint.resume import newest_readable
from sg_keras.training.callbacks.nonfinite_replay import NonFiniteError
from sg_keras.training.session import Session

MAX_ROLLBACKS = 3  # of a run, however often it is continued
_KEY_STRIDE = 1 << 32  # between the noise keys of one seed, which is below 2^31


def rollbacks_so_far(noise_key: int) -> int:
    """How often a run with this noise key was rolled back."""
    return noise_key // _KEY_STRIDE


def roll_back(error: NonFiniteError, session: Session, store: CheckpointStore) -> Session:
    """Make the model's state, and the newest checkpoint, the last good one with a noise key that was not used yet.

    Args:
        error: what training met.
        session: whose model's state is of no use any more.
        store: of the run.

    Returns:
        The session that goes on from there.

    Raises:
        NonFiniteError: the run is not to be rolled back, or was so too often, or has no checkpoint yet.
    """
    start, model = session.start, session.model
    if start.config.run.on_nan != "rollback":
        raise error
    prefix, lines = newest_readable(store.checkpoints)
    if prefix is None:
        raise NonFiniteError(f"{error}; there is no checkpoint yet to go back to") from error
    store.restore(prefix)
    if lines:  # damaged ones after it
        store.forget_after(prefix)
    number = rollbacks_so_far(int(model.noise_key.numpy())) + 1
    if number > MAX_ROLLBACKS:
        raise NonFiniteError(f"{error}; the run was rolled back {MAX_ROLLBACKS} times already") from error
    model.noise_key.assign_add(_KEY_STRIDE)
    model.monitor.reset()
    model.statistics.read_and_reset()
    note = read_note(prefix)
    store.save(checkpoint_number(prefix), {**note, "rollbacks": number})
    nimg = int(model.cur_nimg.numpy())
    reason = str(error).removeprefix("training stopped: ")
    for line in lines:
        session.log.line(line)
    session.log.line(
        f"Rollback {number} of {MAX_ROLLBACKS} at most: {reason}. Going on from {prefix.name} at kimg {nimg / 1000:g} "
        "with other noise"
    )
    elapsed_sec = float(note.get("elapsed_sec", start.elapsed_sec))
    start = dataclasses.replace(start, checkpoint=prefix, nimg=nimg, elapsed_sec=elapsed_sec)
    return dataclasses.replace(session, start=start)
