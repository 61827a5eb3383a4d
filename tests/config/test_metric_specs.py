"""Names of metrics, and which way is better."""

import pytest

from sg_keras.config.metric_specs import METRICS, higher_is_better, parse_metric, parse_offline_metric


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


@pytest.mark.parametrize("name", METRICS)
def test_published_names_are_themselves(name):
    assert parse_metric(name) is METRICS[name]


@pytest.mark.parametrize(
    "name, count, max_real, seen_by",
    [
        ("fid1k_full", 1000, None, "inception"),
        ("fid500", 500, 500, "inception"),
        ("kid2k_full", 2000, 1_000_000, "inception"),
        ("pr1003", 100, 100, "vgg16"),
        ("pr1k3_full", 1000, 200_000, "vgg16"),
        ("eqt8_frac", 8, 0, ""),
        ("eqr1k", 1000, 0, ""),
        ("is1k", 1000, 0, "features"),
        ("kd5k", 5000, None, "features"),
    ],
)
def test_any_number_may_stand_in_a_published_name(name, count, max_real, seen_by):
    spec = parse_metric(name)
    assert (spec.name, spec.num_generated, spec.max_real, spec.seen_by) == (name, count, max_real, seen_by)
    assert spec.counts_copies == (not name.endswith("_full"))


@pytest.mark.parametrize("name", ["fid_full", "pr50k4", "ppl3_wend", "eqt50k", "fid50k_fool"])
def test_none_of_the_published_ones(name):
    with pytest.raises(ValueError, match=f"found '{name}', expected some of"):
        parse_metric(name)
