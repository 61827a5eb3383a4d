"""Names of metrics, and which way is better."""

import pytest

from sg_keras.config.metric_specs import METRICS, higher_is_better


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
