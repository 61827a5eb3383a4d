"""Tables of channels: as people write them, against the rule, and what is refused."""

import pytest

from sg_keras.config.channels import (
    block_channels,
    check_levels,
    cutoff_channels,
    format_channels,
    parse_channels,
    rule_of,
    table_levels,
)
from sg_keras.config.sizes import image_size
from sg_keras.models import plan_synthesis


@pytest.mark.parametrize(
    "text, message",
    [
        ("4:512,8", "found 8, expected RESOLUTION:CHANNELS for each power of two"),
        ("4:512;8:512", "found 4:512;8:512, expected"),
        ("4:512,12:512", "found 12, expected"),
        ("2:512,4:512", "found 2, expected"),
        ("4:512,8:0", "found 8:0, expected"),
        ("4:512,4:256", "found 4 twice, expected"),
        ("4:-1", "found 4:-1, expected"),
    ],
)
def test_texts_that_are_no_tables(text, message):
    with pytest.raises(ValueError, match=message):
        parse_channels(text)


def test_spelling_and_rules():
    table = parse_channels(" 8:256,4:512 ")
    assert format_channels(table) == "4:512,8:256" and parse_channels("") == ()
    for base, most in ((32768, 512), (49152, 512), (16384, 256), (98304, 768), (64, 8)):
        levels = [4, 8, 16, 32, 64] + ([128, 256, 1024] if base > 64 else [])
        by_rule = [[level, block_channels(level, base, most)] for level in levels]
        found = rule_of(by_rule)
        assert [[level, block_channels(level, *found)] for level in levels] == by_rule
    assert rule_of([[4, 100], [8, 300]]) is None and rule_of(None) is None


@pytest.mark.parametrize("channels", ["4:8", 5, [[4, 8.0]], [[4]], [[4, 0], [8, 8]], [[True, 8]]])
def test_arguments_that_are_no_tables(channels):
    with pytest.raises(ValueError, match=r"^channels: found .*, expected RESOLUTION:CHANNELS"):
        check_levels(channels, [4, 8])


@pytest.mark.parametrize(
    "resolution, base, most",
    [(32, 32768, 512), (256, 32768, 512), (1024, 32768, 512), (1024, 65536, 1024), ((96, 160), 32768, 512)],
)
def test_the_table_of_the_published_rule_gives_its_layers(resolution, base, most):
    """To the number: the rule is constant, and then halves with every doubling, from a resolution of the table on."""
    size = image_size(resolution)
    levels = table_levels("stylegan3-t", size.shorter, size.level)
    table = [[level, block_channels(level, base, most)] for level in levels]
    assert plan_synthesis(resolution, 3, channels=table) == plan_synthesis(resolution, 3, base, most)


def test_where_a_rule_bends_between_two_resolutions():
    """A table knows nothing of 49152 / 512 = 96: there its layers have the geometric mean, within the bend."""
    table = [[level, block_channels(level, 49152, 512)] for level in (32, 64, 128, 256)]
    for resolution in (32, 64, 128, 181.02, 256):
        by_rule = cutoff_channels(resolution / 2, 49152, 512)
        assert cutoff_channels(resolution / 2, 1, 1, table) == by_rule
    assert cutoff_channels(48, 49152, 512) == 512
    assert cutoff_channels(48, 1, 1, table) == round(512 * (384 / 512) ** 0.5849625)
    assert [cutoff_channels(f, 1, 1, table) for f in (1, 500)] == [512, 192], "expected those of the ends beyond them"
