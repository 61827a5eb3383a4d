"""Stop signals."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from sg_keras.training.signals import StopSignals, hangups_ignored


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_remembered_and_handlers_come_back(number):
    before = signal.getsignal(number)
    with StopSignals() as signals:
        assert signals.received is None
        os.kill(os.getpid(), number)
        assert signals.received == number.name
    assert signal.getsignal(number) is before


def test_the_second_signal_ends_the_process_at_once():
    code = (
        "import os, signal, time\nfrom sg_keras.training.signals import StopSignals\n"
        "with StopSignals():\n    os.kill(os.getpid(), signal.SIGTERM)\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 128 + signal.SIGINT
    assert "leaving at once" in done.stderr


def test_a_closed_terminal_is_no_reason_to_stop():
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
    with hangups_ignored():
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_what_others_decided_about_hangups_stays():
    received = []
    signal.signal(signal.SIGHUP, lambda number, frame: received.append(number))
    try:
        with hangups_ignored():
            os.kill(os.getpid(), signal.SIGHUP)
        assert received == [signal.SIGHUP]
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        with hangups_ignored():
            pass
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_other_threads_can_train_without_signals():
    entered = []

    def train():
        with hangups_ignored(), StopSignals() as signals:
            entered.append(signals.received)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert entered == [None]


def test_what_else_asks_to_stop_does_not_make_the_first_signal_the_second():
    with StopSignals() as signals:
        signals.request("a callback")
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.received == "a callback"
