"""Schedules as a picture."""

import numpy as np
import pytest
from PIL import Image

from sg_keras.config import parse_freeze
from sg_keras.config.schedule import Schedule
from sg_keras.tools.schedule_plot import draw_schedules


def test_a_plot_for_each_schedule_and_one_of_what_is_frozen(tmp_path):
    pytest.importorskip("matplotlib")
    schedules = {"gamma": Schedule.of("cosine 10..5 over 80"), "num_fp16_res": Schedule.of("0; 4 from 50")}
    heights, filled = [], []
    for number, rules in enumerate(["", "g:4px until 50; d:first2 from 50 until 900; g:mapping"]):
        place = tmp_path / f"{number}.png"
        draw_schedules(place, schedules, 100.0, parse_freeze(rules))
        pixels = np.asarray(Image.open(place).convert("RGB")).astype(int)
        heights.append(len(pixels))
        filled.append(np.all(np.abs(pixels - [31, 119, 180]) < 3, axis=-1).mean())  # matplotlib's first colour
    assert heights[1] * 2 == heights[0] * 3
    assert filled[1] > 5 * filled[0] > 0  # bars
    draw_schedules(tmp_path / "frozen.png", {}, 100.0, parse_freeze("g:4px until 50"))
    with pytest.raises(ValueError, match="--plot_schedule: found no schedule, expected one"):
        draw_schedules(tmp_path / "none.png", {}, 100.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "1.png", "frozen.png"]
