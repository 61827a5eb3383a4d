"""Names of metrics, and which way is better."""

import pytest

from sg_keras.config.metric_specs import METRICS, higher_is_better, parse_offline_metric


@pytest.mark.parametrize(
    "result, higher",
    [
        ("fid50k_full", False),
        ("kid50k", False),
        ("ppl2_wend", False),
        ("pr50k3_full_precision", True),
        ("pr10k3_recall", True),  # of another sample count
        ("eqt50k_frac", True),
        ("eqr50k", True),
        ("is50k_mean", True),
        ("mine", False),
    ],
)
def test_which_way_is_better(result, higher):
    assert higher_is_better(result) == higher


def test_results_are_rated_by_the_family_of_their_metric():
    for name, spec in METRICS.items():
        assert spec.name == name and name.startswith(spec.family)
        assert higher_is_better(name) == spec.higher_is_better


def test_offline_scores_have_any_number_of_fakes():
    assert [parse_offline_metric(name).num_generated for name in ("fd5k", "kd500", "authpct50k")] == [5000, 500, 50000]
    assert higher_is_better("precision5k") and not higher_is_better("mind5k")


@pytest.mark.parametrize(
    "name, message",
    [
        (
            "fid50k_full",
            "found 'fid50k_full', a published score by a network that does not come along, expected some of",
        ),
        ("converage5k", r"\(did you mean coverage5k\?\)"),
        ("fd0", "found 'fd0', expected some of fd5k"),
        ("fd", "with another number of fakes"),
    ],
)
def test_names_that_are_none(name, message):
    with pytest.raises(ValueError, match=message):
        parse_offline_metric(name)
