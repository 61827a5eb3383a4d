"""Which errors of reading are damage, and which say nothing about a checkpoint."""

import pytest
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore
from sg_keras.checkpoint.resume import newest_readable
from sg_keras.checkpoint.state import DamagedCheckpointError, SavedState


@pytest.fixture
def prefixes(tmp_path):
    state = {"cur_nimg": tf.Variable(8, dtype=tf.int64)}
    store = CheckpointStore(tmp_path / "checkpoints", state, keep=2)
    return [store.save(number, {}) for number in (1, 2)]


def refuse_the_newest(monkeypatch, prefixes, text):
    check = SavedState.check

    def refuse(name):
        raise tf.errors.PermissionDeniedError(None, None, text)

    def check_but_the_newest(saved):
        saved._reading(refuse, "x") if saved.prefix == prefixes[-1] else check(saved)

    monkeypatch.setattr(SavedState, "check", check_but_the_newest)


@pytest.mark.parametrize("reason", ["Permission denied", "Too many open files", "Stale file handle"])
def test_nothing_is_passed_over_because_it_cannot_be_opened_now(monkeypatch, prefixes, reason):
    refuse_the_newest(monkeypatch, prefixes, f"{prefixes[-1]}.data-00000-of-00001; {reason}")
    with pytest.raises(OSError, match=rf"ckpt-2: found .* \({reason}\), expected ") as error:
        newest_readable(prefixes)
    assert not isinstance(error.value, DamagedCheckpointError)


def test_what_is_damaged_is_passed_over(monkeypatch, prefixes):
    refuse_the_newest(monkeypatch, prefixes, f"{prefixes[-1]}.index; No such file or directory")
    prefix, notes = newest_readable(prefixes)
    assert prefix == prefixes[0] and len(notes) == 1
