"""--plan from the command line: what is printed and drawn, and that nothing else is written."""

import json

import pytest

from sg_keras.tools import plan as plan_tool
from sg_keras.tools import train
from sg_keras.tools.published_rows import published_rows
from tests.planning.tiny_plan import MEASURED, tiny_plan

RUN = ["--data=digits", "--cfg=stylegan2", "--gamma=1", "--batch=8", "--gpus=0", "--cbase=64", "--map-depth=1"]


@pytest.fixture
def asked(monkeypatch):
    """What make_plan is asked for, and a tiny plan in its place."""
    calls = []

    def make_plan(config, published, **options):
        calls.append((config, options))
        return tiny_plan()

    monkeypatch.setattr(plan_tool, "make_plan", make_plan)
    monkeypatch.setattr(plan_tool, "published_rows", list)
    return calls


def test_text_and_image(asked, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    image, outdir = tmp_path / "plan.png", tmp_path / "runs"
    words = [f"--outdir={outdir}", *RUN, "--plan", "--no_measure", "--memory_gb=8", f"--plan_png={image}"]
    assert train.main([*words, "--price_per_hour=2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Plan (nothing is written)") and f"Drawn in {image}" in out and "Note: " in out
    assert image.read_bytes().startswith(b"\x89PNG")
    assert not outdir.exists()
    config, options = asked[0]
    assert (config.batch, options) == (8, {"measure": None, "available": 8 * 10**9, "price_per_hour": 2.0})


def test_json_alone_is_printed_and_steps_are_measured(asked, tmp_path, capsys, monkeypatch):
    assert train.main([f"--outdir={tmp_path / 'runs'}", *RUN, "--plan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(tiny_plan().to_dict()))
    assert list(tmp_path.iterdir()) == []
    fields = {name: getattr(MEASURED, name) for name in MEASURED.__slots__}
    monkeypatch.setattr(
        plan_tool, "measure_in_process", lambda config, steps, least_sec: fields if steps == 20 else None
    )
    assert asked[0][1]["measure"](asked[0][0]) == MEASURED


def test_options_of_a_plan_alone_are_noted(tmp_path, capsys):
    assert train.main([f"--outdir={tmp_path / 'runs'}", *RUN, "--dry-run", "--no_measure", "--memory_gb=4"]) == 0
    out = capsys.readouterr().out
    assert "--no_measure has no effect without --plan" in out and "--memory_gb has no effect without --plan" in out


def test_all_published_rows_are_read():
    rows = published_rows()
    assert len(rows) == 66 and {row.config.generator.cfg for row in rows} == {"stylegan2", "stylegan3-t", "stylegan3-r"}
    assert all(row.sec_per_kimg["V100"] > row.sec_per_kimg["A100"] > 0 < row.gpu_gb for row in rows)
    assert {row.config.dataset.resolution for row in rows} == {128, 256, 512, 1024}
