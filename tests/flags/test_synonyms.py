"""Options of other trainers, by the names that people know."""

import pytest

from sg_keras.flags import synonyms
from sg_keras.flags.arguments import normalise
from sg_keras.flags.export_options import EXPORT_OPTIONS
from sg_keras.flags.generate_options import GENERATE_OPTIONS
from sg_keras.flags.options import BY_KEY, OPTIONS


@pytest.mark.parametrize(
    "typed, options, message",
    [
        ("--total-kimg=5", OPTIONS, "did you mean --kimg? (see --help)"),
        ("--total_kimg=5", OPTIONS, "did you mean --kimg?"),
        ("--num-gpus=1", OPTIONS, "did you mean --gpus?"),
        ("--result-dir=x", OPTIONS, "did you mean --outdir?"),
        ("--data-dir=x", OPTIONS, "did you mean --data?"),
        ("--config=config-f", OPTIONS, "did you mean --cfg?"),
        ("--mirror-augment=true", OPTIONS, "did you mean --mirror?"),
        ("--batch-size=8", OPTIONS, "did you mean --batch?"),
        ("--minibatch-gpu=8", OPTIONS, "did you mean --batch-gpu?"),
        ("--lr=1e-3", OPTIONS, "did you mean --glr or --dlr?"),
        ("--r1=10", OPTIONS, "did you mean --gamma?"),
        ("--iter=10", OPTIONS, "did you mean --kimg, in thousands of real images"),
        ("--resume-from=x", OPTIONS, "did you mean --resume?"),
        ("--ckpt=x", OPTIONS, "did you mean --resume?"),
        ("--ckpt=x", GENERATE_OPTIONS, "did you mean --network?"),
        ("--nkimg=100", OPTIONS, "did you mean --ada_kimg?"),
        ("--truncation-psi=0.5", GENERATE_OPTIONS, "did you mean --trunc?"),
        ("--seed=1", GENERATE_OPTIONS, "did you mean --seeds?"),
        ("--subset=100", OPTIONS, "no such option; train on a folder or zip with fewer images"),
        ("--allow-tf32=1", OPTIONS, "no such option; TensorFlow decides"),
    ],
)
def test_the_known_name_leads(typed, options, message):
    with pytest.raises(ValueError) as error:
        normalise([typed], options)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_synonyms_lead_to_options_that_there_are():
    tools = {option.key for option in (*GENERATE_OPTIONS, *EXPORT_OPTIONS)}
    for name, keys in synonyms._SYNONYMS.items():
        assert set(keys) <= {*BY_KEY, *tools}, name
        assert name not in BY_KEY or name == "seed"  # which tools do not have
        assert name not in synonyms._INSTEAD and name == name.lower() and "-" not in name
