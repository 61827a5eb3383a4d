"""The rules of --freeze as text."""

import pytest

from sg_keras.config import FreezeRule, TrainingConfig, parse_freeze
from sg_keras.config.freeze import format_freeze, frozen_text
from tests.config.test_training_config import make

RULES = (
    FreezeRule("d", "first4"),
    FreezeRule("g", "mapping"),
    FreezeRule("g", "<=16px", 500.0),
    FreezeRule("g", "synthesis.L3_36_512", 0.08),
)


def test_rules_are_read_and_spelled_the_same_way():
    assert parse_freeze("D:first4;g:mapping ; g:<=16px   until 500 kimg;g:synthesis.L3_36_512 until 0.08kimg;") == RULES
    text = "d:first4; g:mapping; g:<=16px until 500kimg; g:synthesis.L3_36_512 until 0.08kimg"
    assert format_freeze(RULES) == text and parse_freeze(text) == RULES
    assert parse_freeze("g:4px FROM 100 until 200; d:all from 5kimg") == (
        FreezeRule("g", "4px", 200.0, 100.0),
        FreezeRule("d", "all", None, 5.0),
    )
    text = "g:4px from 100kimg until 200kimg; d:all from 5kimg"
    assert format_freeze(parse_freeze(text)) == text
    assert parse_freeze("") == parse_freeze(" ; ") == ()


@pytest.mark.parametrize(
    "text",
    [
        "mapping",
        "x:mapping",
        "g:",
        "g:mapping until 5 from 3",
        "g:mapping until kimg",
        "g:mapping until -5kimg",
        "g:<16px",
        "g:mapping g:all",
        "d:first4 thaw 5kimg",
        "g:mapping..fc0",
    ],
)
def test_what_is_no_rule(text):
    with pytest.raises(ValueError, match="expected NETWORK:PART or NETWORK:PART until N kimg"):
        parse_freeze(text)
    with pytest.raises(ValueError, match=r"^freeze: found "):
        make(freeze=text)


def test_a_time_that_ends_before_it_begins():
    with pytest.raises(ValueError, match="found 'g:all from 5 until 5kimg', expected 'until' to be later than 'from'"):
        parse_freeze("g:all from 5 until 5kimg")


def test_first_layers_are_those_of_d():
    with pytest.raises(ValueError, match="found 'g:first4', expected firstN of d alone"):
        parse_freeze("g:first4")


def test_parts():
    assert FreezeRule("d", "first4").first_layers == 4 and FreezeRule("g", "mapping").first_layers is None
    assert FreezeRule("g", "16px").resolutions == (16, 16)
    assert FreezeRule("g", "<=16px").resolutions == (0, 16)
    assert FreezeRule("g", ">=16px").resolutions == (16, float("inf"))
    assert FreezeRule("g", "all").resolutions is None


def test_a_rule_ends_at_its_kimg():
    rule = FreezeRule("g", "all", 0.08)
    assert [rule.is_active(nimg) for nimg in (0, 72, 79, 80, 88)] == [True, True, True, False, False]
    assert FreezeRule("g", "all").is_active(10**12)
    window = FreezeRule("g", "all", 0.08, 0.04)
    assert [window.is_active(nimg) for nimg in (0, 39, 40, 79, 80)] == [False, False, True, True, False]
    assert str(window.scaled(0.5)) == "g:all from 0.02kimg until 0.04kimg"
    assert (window.changes_kimg, rule.changes_kimg, FreezeRule("g", "all").changes_kimg) == ((0.04, 0.08), (0.08,), ())
    rules = (rule, FreezeRule("d", "first2", None, 0.04))
    assert [frozen_text(rules, nimg) for nimg in (0, 40, 80)] == ["g:all", "g:all, d:first2", "d:first2"]
    assert frozen_text((), 0) == "nothing"


def test_the_configuration_keeps_rules_in_one_spelling():
    config = make(freeze="G:mapping;D:first2 until 10 kimg")
    assert config.freeze == "g:mapping; d:first2 until 10kimg"
    assert TrainingConfig.from_json(config.to_json()) == config
