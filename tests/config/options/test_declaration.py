"""Options are declared once: what is asked of a table, and a new option from its declaration to its use."""

import dataclasses

import pytest

from docs.option_reference import option_reference
from sg_keras.config import TrainingOptions
from sg_keras.config.options import OnlyWith, Option, Resume, option, options_of
from sg_keras.config.options.declaration import GROUPS, REQUIRED, TRAINING, values_of
from sg_keras.config.options.fields import field_options, field_rules, flatten
from sg_keras.config.options.kinds import Integer, Number
from sg_keras.flags import help_text, parse_command_line, resolved_configuration
from tests.config.test_training_config import make
from tests.flags.conftest import REQUIRED as REQUIRED_WORDS
from tests.flags.conftest import make_opener


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WithDecay(TrainingOptions):
    """The options of a run and one more: all that adding it takes, beside the field that it sets."""

    pl_decay: float = option(
        TRAINING,
        Number(positive=True, upper=1.0),
        "Share of the newest path length in their moving average.",
        "SHARE",
        spelled="pl-decay",
        default=0.01,
        sets="loss.pl_decay",
        resume=Resume.ANY,
        only_with=OnlyWith("cfg", ("stylegan2",), is_refused=True),
    )


def parse(*words):
    return parse_command_line([*REQUIRED_WORDS, *words, "-n"], open_dataset=make_opener(), table=WithDecay)


def test_a_new_option_is_one_declaration():
    shown = " ".join(help_text(options=options_of(WithDecay)).split())
    assert "--pl-decay=SHARE Share of the newest path length in their moving average. [default: 0.01]" in shown
    assert parse().config.loss.pl_decay == 0.01
    assert parse("--pl_decay=0.5").config.loss.pl_decay == 0.5
    printed = [line.split() for line in resolved_configuration(parse("--pl-decay=0.5"), WithDecay).splitlines()]
    assert ["pl_decay", "0.5", "--pl-decay"] in printed
    printed = [line.split() for line in resolved_configuration(parse(), WithDecay).splitlines()]
    assert ["pl_decay", "0.01", "--pl-decay", "(default)"] in printed
    assert field_options(WithDecay)["loss.pl_decay"] == "pl-decay"
    assert field_rules(WithDecay)["loss.pl_decay"] is Resume.ANY
    row = "| `--pl-decay=SHARE` | Share of the newest path length in their moving average. | 0.01 | may change |"
    assert row in option_reference({"Training": options_of(WithDecay)}).splitlines()


@pytest.mark.parametrize(
    "words, message",
    [
        (["--pl-decay=0"], "--pl-decay: found '0', expected a number above 0"),
        (["--pl_deca=1"], "--pl_deca: no such option; did you mean --pl-decay"),
        (["--cfg=stylegan3-t", "--pl_decay=0.5"], "--pl_decay: found 0.5 with --cfg=stylegan3-t, expected it with"),
    ],
)
def test_messages_on_a_new_option_follow_from_its_declaration(words, message):
    with pytest.raises(ValueError) as error:
        parse(*words)
    assert str(error.value).startswith(message)


def test_the_spelling_is_that_of_the_field():
    @dataclasses.dataclass
    class Wrong:
        near: int = option(TRAINING, Integer(), "Wrong.", spelled="far-off", default=0)

    with pytest.raises(TypeError, match=r"Wrong\.near: found the spelling far-off"):
        options_of(Wrong)


def test_every_declaration_is_complete():
    fields = set(dict(flatten(dataclasses.asdict(make()))))
    keys = {declared.key for declared in options_of(TrainingOptions)}
    for declared in options_of(TrainingOptions):
        assert declared.group in GROUPS and declared.help.endswith((".", "'.")), declared.name
        assert set(declared.sets) <= fields, declared.name
        assert declared.only_with is None or declared.only_with.key in keys, declared.name
        assert declared.default is not None or declared.default_text or declared.group == REQUIRED, declared.name
        if isinstance(declared.default, str | int | float) and declared.default != "":
            assert declared.kind.parse(declared.shown_default) == declared.default, declared.name


def test_values_of_one_part():
    options = TrainingOptions(cfg="stylegan2", batch=32, gamma=1.0, gpus=0)
    values = {declared.key: getattr(options, declared.key) for declared in options_of(TrainingOptions)}
    assert values_of(TrainingOptions, values, "optimizer") == {"g_lr": None, "d_lr": 0.002, "beta2": 0.99}
    assert {"batch": 32, "seed": 0}.items() <= values_of(TrainingOptions, values).items()


def test_kinds_have_a_word_for_their_values_unless_an_option_has_its_own():
    assert Option(TRAINING, "a", Integer(), "A.").metavar == "N"
    assert Option(TRAINING, "a", Integer(), "A.", "TICKS").metavar == "TICKS"
    assert Option(TRAINING, "a", Integer(), "A.", switch=True).metavar == ""
