"""Sizes of batches that do not go together: who is named, and that what is offered instead works."""

import itertools
import re

import pytest


def message_of(parse, *words):
    with pytest.raises(ValueError) as error:
        parse(*words, "--dry-run")
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "words, message",
    [
        (
            "--batch=6",
            "--batch: found 6, where micro-batches of 6 cannot be split into groups of 4 (--mbstd-group=4, the "
            "default), expected 4 or 8, or else --mbstd-group=3 or 6",
        ),
        (
            "--batch=30 --gpus=4",
            "--batch: found 30, where 30 images cannot be shared evenly by --gpus=4, expected 16 or 32",
        ),
        ("--batch=3 --cpu_devices=2", "--batch: found 3, where 3 images cannot be shared evenly by --cpu_devices=2, "),
        ("--batch=33 --workers_hosts=a:1,b:1", "--batch: found 33, where 33 images cannot be shared evenly by --cpu"),
        (
            "--batch_gpu=12",
            "--batch_gpu: found 12, where micro-batches of 12 do not divide the 32 images of --batch=32 per device, "
            "expected 4, 8, 16 or 32, or else --batch=24 or 36",
        ),
        ("--batch=16 --gpus=8", "--batch: found 16, where micro-batches of 2 cannot be split into groups of 4"),
        ("--batch=32 --mbstd_group=5", "--mbstd_group: found 5, where micro-batches of 32 cannot be split into groups"),
        ("--batch=1 --mbstd-group=1", "--batch: found 1, where micro-batches of 1 image are too small for path length"),
        (
            "--batch=6 --batch-gpu=3",
            "--batch: found 6, where micro-batches of 3 cannot be split into groups of 4 (--mbstd-group=4, the "
            "default), expected --batch=4 with --batch-gpu=4, or else --mbstd-group=3",
        ),
    ],
)
def test_messages(parse, words, message):
    assert message_of(parse, *words.split()).startswith(message)


def offers(message):
    """The changes of options that a message offers: words of a command line."""
    name, text = re.match(r"--([a-z_-]+): .*?, expected (.*)", message).groups()
    both = re.match(r"(--batch=\d+) with (--batch-gpu=\d+)", text)
    if both:
        yield list(both.groups())
    else:
        first = text.partition(", or else ")[0]
        yield from ([f"--{name}={number}"] for number in re.findall(r"\d+", first))
    for other, values in re.findall(r"--([a-z_-]+)=((?:\d+(?:, | or )?)+)", text.partition(", or else ")[2]):
        yield from ([f"--{other}={number}"] for number in re.findall(r"\d+", values))


BATCHES, MICRO_BATCHES, GROUPS, DEVICES = (1, 6, 7, 12, 30, 96), (None, 1, 3, 4, 7), (None, 1, 4, 5), (1, 3, 8)


@pytest.mark.parametrize("batch", BATCHES)
def test_everything_offered_works_and_nothing_that_was_not_typed_is_blamed(parse, batch):
    refused = 0
    for micro_batch, group, devices in itertools.product(MICRO_BATCHES, GROUPS, DEVICES):
        words = [f"--batch={batch}", f"--cpu_devices={devices}"]
        words += [f"--batch-gpu={micro_batch}"] if micro_batch else []
        words += [f"--mbstd-group={group}"] if group else []
        try:
            parse(*words, "--dry-run")
            continue
        except ValueError as error:
            message = str(error)
        refused += 1
        assert any(message.startswith(word.partition("=")[0] + ":") for word in words), (words, message)
        offered = list(offers(message))
        assert offered, (words, message)
        for change in offered:
            parse(*words, *change, "--dry-run")
    assert refused
