"""A whole plan of a tiny run: as text, as JSON, and what it advises."""

import json

from sg_keras.planning.plan_text import duration, plan_text
from tests.planning.tiny_plan import MEASURED, tiny_plan


def test_text_says_everything():
    text = plan_text(tiny_plan())
    for word in ("Parameters", "GFLOP an image", "measured 0.90 GB", "batch-gpu", "this machine", "1 x V100", "price"):
        assert word in text
    assert "20 measured steps" in text and "--recipe=tiny-1gpu" in text
    assert "--precision=bfloat16" in text and "--workers=5" in text
    assert max(map(len, text.splitlines())) <= 140
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_json_has_the_same_numbers():
    plan = tiny_plan()
    values = json.loads(json.dumps(plan.to_dict()))
    assert values["memory"]["process_bytes"] == plan.memory.process_bytes
    assert values["time"][0]["price"] == plan.paces[0].price
    assert values["batch_gpu"]["largest"] == plan.largest_batch_gpu
    assert values["measured"]["phase_sec"] == MEASURED.phase_sec
    assert values["disk"]["total_bytes"] == plan.disk.total_bytes


def test_advice_comes_with_the_largest_factor_first():
    factors = {each.change: each.factor for each in tiny_plan().advice}
    assert list(factors.values()) == sorted(factors.values(), reverse=True)
    iteration = 0.3 + 0.2 + 0.4 + 0.1 + 0.1
    assert factors["--workers=5"] == 1 / (1 - 0.05 / iteration)
    assert 1 < factors["--precision=bfloat16"] < 2
    assert factors["--cbase=32"] > 1


def test_durations():
    seconds = (7.4, 240, 3600 * 5.25, 86400 * 9.13)
    assert [duration(sec) for sec in seconds] == ["7 s", "4.0 min", "5.2 h", "9.1 days"]
