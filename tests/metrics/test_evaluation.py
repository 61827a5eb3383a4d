"""Scores of images and of networks, with what they depend on."""

import dataclasses

import numpy as np
import pytest

from sg_keras.config.metric_specs import METRICS, parse_metric
from sg_keras.data import open_dataset
from sg_keras.features import BoxAverages, FeatureExtractor
from sg_keras.features.inception import InceptionGraph
from sg_keras.features.vgg16 import VGG16
from sg_keras.metrics import (
    FeatureMoments,
    frechet_distance,
    inception_score,
    precision_recall,
    subset_kernel_distances,
)
from sg_keras.metrics.evaluation import evaluate
from sg_keras.metrics.fakes import Fakes, network_fakes
from sg_keras.metrics.feature_blocks import FeatureCache, ImageBlock
from sg_keras.metrics.reals import NO_REALS, Reals, dataset_reals
from sg_keras.metrics.record import what_differs
from sg_keras.metrics.rendering import FakeSampling, Renderer
from tests.stand_in_networks import vgg16_weights, write_inception, write_vgg16
from tests.tiny_generator import tiny_generator
from tests.training.tiny_run import write_images

FAKES, REALS = 40, 30


class Counting(FeatureExtractor):
    """Box averages that note how many images they were shown."""

    name, fingerprint = "counting", "0" * 64

    def __init__(self):
        self.shown = 0

    def features(self, images: np.ndarray) -> np.ndarray:
        self.shown += len(images)
        return BoxAverages().features(images)


def images(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, [count, 16, 16, 3], np.uint8)


def blocks(pixels: np.ndarray, name: str, size: int = 16):
    for start in range(0, len(pixels), size):
        part = pixels[start : start + size]
        yield ImageBlock(len(part), f"{name} {start}", lambda part=part: part)


@pytest.fixture
def reals():
    return Reals(lambda: blocks(images(REALS, 0), "real"), REALS)


@pytest.fixture
def fakes():
    return Fakes(lambda count: blocks(images(count, 1), "fake"), {"snapshot": "x"})


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    return {
        "inception": InceptionGraph(write_inception(folder / "graph.pb")),
        "vgg16": VGG16(write_vgg16(folder / "vgg16.h5", vgg16_weights())),
        "features": BoxAverages(),
    }


def published(*names: str):
    """With 40 in the place of 50,000."""
    return [dataclasses.replace(METRICS[name], num_generated=FAKES) for name in names]


def test_published_scores_by_their_definitions(reals, fakes, networks):
    specs = published("fid50k_full", "kid50k_full", "pr50k3_full", "is50k")
    scores = {score.name: score for score in evaluate(specs, reals, fakes, networks)}
    names = ["fid50k_full", "kid50k_full", "pr50k3_full_precision", "pr50k3_full_recall", "is50k_mean", "is50k_std"]
    assert list(scores) == names
    see, vgg = networks["inception"], networks["vgg16"]
    real, fake = see.features(images(REALS, 0)), see.features(images(FAKES, 1))
    fid = frechet_distance(FeatureMoments.of(real), FeatureMoments.of(fake), method="sqrtm")
    assert scores["fid50k_full"].value == pytest.approx(fid, rel=1e-6)
    kid = subset_kernel_distances(real, fake, random=np.random.default_rng(0))
    assert scores["kid50k_full"].value == pytest.approx(kid.mean(), rel=1e-6)
    both = precision_recall(vgg.features(images(REALS, 0)), vgg.features(images(FAKES, 1)), half=True)
    assert scores["pr50k3_full_precision"].value == both.precision.mean()
    assert scores["pr50k3_full_recall"].value == both.recall.mean()
    mean, std = inception_score(see.probabilities(fake))
    assert (scores["is50k_mean"].value, scores["is50k_std"].value) == (mean, std)
    assert all(score.low <= score.value <= score.high for score in scores.values())
    assert scores["fid50k_full"].full_name == "fid50k_full"


def test_fingerprints_say_by_what(reals, fakes, networks):
    scores = evaluate(published("fid50k_full", "pr50k3_full"), reals, fakes, networks)
    fid, precision = scores[0].fingerprint, scores[1].fingerprint
    assert fid["extractor"] == "inception-2015-12-05" and "no checksum of the graph is published" in fid["note"]
    assert precision["extractor"] == "vgg16_keras" and "not by the published VGG" in precision["note"]
    assert precision["precision"] == "float16 distances" and fid["precision"] == "float32"
    assert (fid["num_real"], fid["num_fake"], fid["snapshot"]) == (REALS, FAKES, "x")
    assert evaluate([parse_metric("fd20")], reals, fakes, networks)[0].full_name == "fd20_boxes"


def test_one_pass_over_the_fakes_feeds_all(reals, networks, tmp_path):
    made = []

    def counted(count):
        for block in blocks(images(count, 1), "fake"):
            made.append(block.count)
            yield block

    specs = [*published("fid50k_full", "pr50k3_full"), parse_metric("kd20")]
    cache, told = FeatureCache(tmp_path), []
    evaluate(
        specs, reals, Fakes(counted, {}), networks, cache=cache, on_progress=lambda *progress: told.append(progress)
    )
    assert sum(made) == FAKES
    assert told == [("reals", 16, 30), ("reals", 30, 30), ("fakes", 16, 40), ("fakes", 32, 40), ("fakes", 40, 40)]
    assert len(list(tmp_path.glob("*/*.npy"))) == 3 * 2 + 2 * 3 + 2  # kd20 needs the first two blocks


def test_each_sees_as_many_as_its_scores_need(reals, fakes, networks):
    counting = Counting()
    evaluate([*published("fid50k_full"), parse_metric("fd10")], reals, fakes, {**networks, "features": counting})
    assert counting.shown == REALS + 16


def test_reals_are_seen_once_for_all_networks(fakes):
    counting, read = Counting(), []

    def counted():
        read.append(1)
        return blocks(images(REALS, 0), "real")

    reals = Reals(counted, REALS)
    for name in ("fd10", "kd10"):
        evaluate([parse_metric(name)], reals, fakes, {"features": counting})
    assert len(read) == 1 and counting.shown == REALS + 2 * 10


def test_mirrored_copies_count_but_in_full_scores(fakes, networks):
    plain, turned = images(REALS, 0), images(REALS, 0)[:, :, ::-1]
    both = Reals(lambda: [*blocks(plain, "real"), *blocks(turned, "mirrored")], REALS, ("mirrored",))
    alone = Reals(lambda: blocks(plain, "real"), REALS)
    full, set_s_own = published("fid50k_full", "fid50k")
    scores = {
        (spec.name, reals is both): evaluate([spec], reals, fakes, networks)[0]
        for spec in (full, set_s_own)
        for reals in (both, alone)
    }
    assert what_differs(scores["fid50k_full", True], scores["fid50k_full", False]) == []
    assert scores["fid50k_full", True].value == scores["fid50k_full", False].value
    assert scores["fid50k", True].value != scores["fid50k", False].value
    assert scores["fid50k", True].fingerprint["num_real"] == 2 * REALS
    few = dataclasses.replace(set_s_own, max_real=REALS + 1)
    assert evaluate([few], both, fakes, networks)[0].fingerprint["num_real"] == REALS + 1


def test_precision_and_recall_are_computed_once(reals, fakes, networks, monkeypatch):
    from sg_keras.metrics import scores as module

    calls = []
    for name in ("precision_recall", "density_coverage"):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *rows, original=original: calls.append(1) or original(*rows))
    specs = [parse_metric(f"{family}20") for family in ("precision", "recall", "density", "coverage")]
    assert len(evaluate(specs, reals, fakes, networks)) == 4 and len(calls) == 2


def test_a_network_and_its_data_set(tmp_path, networks):
    dataset = open_dataset(write_images(tmp_path / "data", (16, 16, 3)), use_labels=True, mirror=True)
    G = tiny_generator(3, channels=3, resolution=32, cfg="stylegan3-t")
    specs = [parse_metric("kd20"), parse_metric("eqt8_int"), *published("ppl2_wend")]
    made = network_fakes(Renderer(G, FakeSampling(seed=5)), "run@3", dataset)
    scores = evaluate(specs, dataset_reals(dataset), made, networks)
    assert [score.name for score in scores] == ["kd20", "eqt8_int", "ppl2_wend"]
    assert scores[0].fingerprint["num_real"] == 48 and scores[0].fingerprint["copies"] == ["mirrored"]
    assert all(score.fingerprint["seed"] == 5 and score.fingerprint["network_sha256"] for score in scores)
    assert scores[1].full_name == "eqt8_int" and "real" not in scores[1].fingerprint
    assert "not by the published VGG" in scores[2].fingerprint["note"]


def test_a_data_set_with_labels_of_another_width(tmp_path):
    dataset = open_dataset(write_images(tmp_path / "data"), use_labels=False)
    with pytest.raises(ValueError, match="data: found no labels, expected 3, those of the network"):
        network_fakes(Renderer(tiny_generator(3), FakeSampling()), "run", dataset)
    with pytest.raises(ValueError, match="the network is conditional: found no labels"):
        network_fakes(Renderer(tiny_generator(3), FakeSampling()), "run")


def test_too_few_reals_for_a_score(fakes, networks):
    with pytest.raises(ValueError, match="kid50k_full: real features: found 1 rows, expected 2 at least"):
        evaluate(published("kid50k_full"), Reals(lambda: blocks(images(1, 0), "real"), 1), fakes, networks)


def test_the_inception_score_needs_no_reals(fakes, networks):
    found = evaluate(published("is50k"), NO_REALS, fakes, networks)
    assert [score.name for score in found] == ["is50k_mean", "is50k_std"]
    assert found[0].fingerprint["num_real"] == 0 and found[0].fingerprint["num_features"] == 16


def test_what_cannot_be_is_refused_before_anything_is_seen(networks):
    def never(*_):
        raise AssertionError

    unseen = Reals(never, REALS)
    for spec, fakes, message in (
        (parse_metric("eqr10"), Fakes(never, {}), "eqr10: found images alone"),
        (
            parse_metric("eqr10"),
            network_fakes(Renderer(tiny_generator(0), FakeSampling()), "run"),
            "eqr10: found a StyleGAN2",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            evaluate([parse_metric("kd10"), spec], unseen, fakes, networks)
