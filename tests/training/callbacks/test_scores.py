"""Scores of a run's snapshots: made once each, whatever happens to the run, and without a trace in its training."""

import dataclasses
import json
import pathlib

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sg_keras.checkpoint import checkpoint_fingerprint
from sg_keras.config import ResumeRequest
from sg_keras.tools import calc_metrics
from sg_keras.training import run_scores
from sg_keras.training.run import run
from tests.training.tiny_run import only_run, tiny_config

METRICS = ("kd16", "authpct20")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))


def config_of(image_folder, outdir, precision=None, num_fp16_res=None, **changes):
    options = {"metrics": METRICS, "metrics_share": 1.0, "features": "boxes"}
    return tiny_config(image_folder, outdir, run={**options, **changes}, precision=precision, num_fp16_res=num_fp16_res)


def rows_of(run_dir: pathlib.Path, metric: str) -> list[dict]:
    return [json.loads(line) for line in (run_dir / f"metric-{metric}.jsonl").read_text(encoding="utf-8").splitlines()]


def resumed(config) -> None:
    assert run(config, ResumeRequest("latest", config.run.outdir)) == 0


@pytest.fixture(scope="module")
def scored_run(image_folder, tmp_path_factory):
    """A run with scores at each of its three snapshots."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        outdir = tmp_path_factory.mktemp("scored")
        assert run(config_of(image_folder, outdir)) == 0
    return only_run(outdir)


def test_lines_have_the_published_keys_and_ours(scored_run):
    rows = rows_of(scored_run, "kd16")
    assert [row["nimg"] for row in rows] == [72, 136, 160]
    published = {"results", "metric", "total_time", "total_time_str", "num_gpus", "snapshot_pkl", "timestamp"}
    for row in rows:
        assert published < set(row)
        assert list(row["results"]) == list(row["intervals"]) == list(row["fingerprints"]) == ["kd16_boxes"]
        assert row["snapshot_pkl"] == "network-snapshot-000000" and row["metric"] == "kd16"
        low, high = row["intervals"]["kd16_boxes"]
        assert low <= row["results"]["kd16_boxes"] <= high
        assert 0 < row["repeat_time"] <= row["total_time"]
    assert len({row["results"]["kd16_boxes"] for row in rows}) == 3
    assert [row["nimg"] for row in rows_of(scored_run, "authpct20")] == [72, 136, 160]


def test_the_best_snapshot_has_a_link_and_the_nearest_reals_a_sheet(scored_run):
    assert (scored_run / "best-kd16_boxes").readlink() == pathlib.Path("network-snapshot-000000")
    assert (scored_run / "best-kd16_boxes" / "training_config.json").is_file()
    assert (scored_run / "nearest000000.png").is_file()
    log = (scored_run / "log.txt").read_text(encoding="utf-8")
    assert log.count("scores of network-snapshot-000000  kd16_boxes ") == 3


def test_tensorboard_shows_them_with_their_intervals(scored_run):
    events = EventAccumulator(str(scored_run)).Reload()
    for name in ("kd16_boxes", "kd16_boxes/low", "kd16_boxes/high", "authpct20_boxes"):
        assert [event.step for event in events.Tensors(f"Metrics/{name}")] == [72, 136, 160]
    assert len(events.Tensors("Pictures/nearest_reals")) == 3


def test_training_is_the_same_to_the_bit(scored_run, finished_run):
    last = "checkpoints/ckpt-5"
    assert checkpoint_fingerprint(scored_run / last) == checkpoint_fingerprint(finished_run / last)


def scores_by_the_tool(run_dir, capsys) -> dict:
    words = [f"--network={run_dir / 'network-snapshot-000000'}", "--metrics=kd16,authpct20", "--features=boxes"]
    assert calc_metrics.main([*words, "--ops=reference", "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_tool_finds_the_score_of_the_run(scored_run, capsys):
    scores = scores_by_the_tool(scored_run, capsys)
    for metric in METRICS:
        row = rows_of(scored_run, metric)[-1]
        assert scores[metric]["value"] == row["results"][f"{metric}_boxes"]
        own, tools = row["fingerprints"][f"{metric}_boxes"], scores[metric]["fingerprint"]
        assert {key for key in own if own[key] != tools.get(key)} <= {"snapshot"}


@pytest.mark.bfloat16
def test_the_tool_finds_that_of_a_run_in_half_precision_too(image_folder, tmp_path, capsys):
    half = {"precision": "bfloat16", "num_fp16_res": "0; 4 from 0.072"}  # between its two scores
    assert run(config_of(image_folder, tmp_path / "runs", **half, total_kimg=0.08)) == 0
    run_dir = only_run(tmp_path / "runs")
    assert [row["nimg"] for row in rows_of(run_dir, "kd16")] == [72, 80]
    assert scores_by_the_tool(run_dir, capsys)["kd16"]["value"] == rows_of(run_dir, "kd16")[-1]["results"]["kd16_boxes"]


@pytest.mark.long
def test_a_continued_run_repeats_no_score_and_loses_none(image_folder, tmp_path, scored_run, monkeypatch):
    assert run(config_of(image_folder, tmp_path / "runs", total_kimg=0.1)) == 0
    run_dir = only_run(tmp_path / "runs")
    assert [row["nimg"] for row in rows_of(run_dir, "kd16")] == [72, 104]
    # Killed in the midst of the score at 136 images, of which one metric is written.
    add = run_scores.RunScorer.scored

    def killed(scorer, names, *rest):
        scored = add(scorer, names, *rest)
        if int(scorer._session.model.cur_nimg.numpy()) != 136:
            return scored
        monkeypatch.setattr(run_scores.RunScorer, "scored", add)
        some = [score for score in scored.scores if score.name == "authpct20"]
        return _Killing(some, None)

    class _Killing(run_scores.ScoredSnapshot):
        @property
        def by_metric(self):
            class Dying(dict):
                def items(self):
                    yield from super().items()
                    raise SystemExit(9)

            return Dying({"authpct20": self.scores})

    monkeypatch.setattr(run_scores.RunScorer, "scored", killed)
    with pytest.raises(SystemExit):
        resumed(config_of(image_folder, tmp_path / "runs"))
    assert [row["nimg"] for row in rows_of(run_dir, "authpct20")] == [72, 104, 136]
    assert [row["nimg"] for row in rows_of(run_dir, "kd16")] == [72, 104]
    resumed(config_of(image_folder, tmp_path / "runs"))
    for metric in METRICS:
        rows = rows_of(run_dir, metric)
        assert [row["nimg"] for row in rows] == [72, 104, 136, 160]
        expected = {row["nimg"]: row["results"] for row in rows_of(scored_run, metric)}
        assert {row["nimg"]: row["results"] for row in rows if row["nimg"] != 104} == expected
    ticks = [
        line.split()[1]
        for line in (run_dir / "log.txt").read_text(encoding="utf-8").splitlines()
        if line[:5] == "tick "
    ]
    assert ticks == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.long
def test_a_run_that_ended_before_its_last_score_makes_it_when_it_is_continued(image_folder, tmp_path, monkeypatch):
    config = config_of(image_folder, tmp_path / "runs", metrics=("kd16",), total_kimg=0.032)

    def killed(*_):
        raise SystemExit(9)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(run_scores.RunScorer, "scored", killed)
        run(config)
    run_dir = only_run(tmp_path / "runs")
    assert not (run_dir / "metric-kd16.jsonl").exists()
    resumed(config)
    assert [row["nimg"] for row in rows_of(run_dir, "kd16")] == [32]
    resumed(config)
    assert len(rows_of(run_dir, "kd16")) == 1


def test_what_cannot_be_scored_is_a_warning_and_the_rest_is_scored(image_folder, tmp_path):
    missing = str(tmp_path / "nowhere.pb")
    metrics = ("fid20_full", "is20", "kd16")
    config = config_of(image_folder, tmp_path / "runs", metrics=metrics, inception=missing, total_kimg=0.032)
    assert run(config) == 0
    run_dir = only_run(tmp_path / "runs")
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert "Note: no fid20_full: " in log and "nowhere.pb" in log
    assert "Note: not all scores can be made: is20: found features without classes" in log
    assert "Done: 0.032 of 0.032 kimg" in log
    assert sorted(path.name for path in run_dir.glob("metric-*")) == ["metric-kd16.jsonl"]
    assert [row["nimg"] for row in rows_of(run_dir, "kd16")] == [32]


@pytest.mark.long
def test_scores_keep_to_their_share_but_for_the_first_and_the_last(image_folder, tmp_path):
    config = config_of(image_folder, tmp_path / "runs", metrics_share=1e-9, metrics_ticks=1, metrics=("kd16",))
    assert run(config) == 0
    run_dir = only_run(tmp_path / "runs")
    assert [row["nimg"] for row in rows_of(run_dir, "kd16")] == [40, 160]
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert log.count("No scores of network-snapshot-000000: with another ") == 3
    assert "more than --metrics_share=1e-09; sg_keras.tools.calc_metrics --network=" in log


@pytest.mark.long
def test_a_run_stops_where_a_score_gets_no_better(image_folder, tmp_path, monkeypatch):
    add = run_scores.RunScorer.scored

    def worse_and_worse(scorer, *arguments):
        scored = add(scorer, *arguments)
        nimg = int(scorer._session.model.cur_nimg.numpy())
        return run_scores.ScoredSnapshot([dataclasses.replace(scored.scores[0], value=float(nimg))], None)

    monkeypatch.setattr(run_scores.RunScorer, "scored", worse_and_worse)
    condition = "kd16 has not improved for 0.06kimg"
    config = config_of(image_folder, tmp_path / "runs", metrics=("kd16",), metrics_ticks=1, stop_when=condition)
    assert run(config) == 0
    run_dir = only_run(tmp_path / "runs")
    assert [row["nimg"] for row in rows_of(run_dir, "kd16")] == [40, 72, 104]
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert f"--stop_when: {condition}: the best kd16_boxes is 40, at kimg 0.04" in log
    assert "Stopped by a callback at 0.104 of 0.16 kimg" in log
    resumed(config)  # nothing has changed: it stops at once
    assert [row["nimg"] for row in rows_of(run_dir, "kd16")] == [40, 72, 104]
