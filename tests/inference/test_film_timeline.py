"""Time lines of films."""

import json
import pathlib

import pytest

from sg_keras.inference.film_timeline import TimelineEntry, read_timeline


def written(tmp_path: pathlib.Path, content: object) -> pathlib.Path:
    path = tmp_path / "film.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_everything_that_a_keyframe_can_say(tmp_path):
    full = {
        "seed": [1, 2],
        "class": "cat",
        "truncation": 0.7,
        "transform": {"translate": [0.1, -0.2], "rotate": 90},
        "seconds": 1.5,
        "easing": "smooth",
    }
    path = written(tmp_path, [full, {"w": "a/w.npz", "index": 2}, {"seed": 5, "label": [0.5, 1]}])
    where = f"{path}: keyframe"
    assert read_timeline(path) == (
        TimelineEntry(
            f"{where} 1",
            (1, 2),
            None,
            0,
            "cat",
            None,
            0.7,
            translate=(0.1, -0.2),
            rotate=90,
            seconds=1.5,
            easing="smooth",
        ),
        TimelineEntry(f"{where} 2", w=tmp_path / "a" / "w.npz", index=2),
        TimelineEntry(f"{where} 3", (5,), label=(0.5, 1)),
    )


@pytest.mark.parametrize(
    "content, message",
    [
        ("{", "film.json: found no JSON ("),
        ([], "film.json: found no keyframes, expected a list such as"),
        ({"seed": 1}, "film.json: found no keyframes"),
        ([3], "film.json: keyframe 1: found 3, expected an object"),
        ([{"seed": 1}, {"sed": 2}], "film.json: keyframe 2: found the key 'sed', expected seed, w, index"),
        ([{"seed": 1, "easng": "in"}], "easing) (did you mean easing?)"),
        ([{"class": 1}], "keyframe 1: found neither, expected a seed or w"),
        ([{"seed": 1, "w": "w.npz"}], "keyframe 1: found both, expected"),
        ([{"seed": -1}], "keyframe 1: seed: found -1, expected a whole number"),
        ([{"seed": True}], "seed: found true"),
        ([{"seed": 1, "seconds": 0}], "keyframe 1: seconds: found 0, expected more than 0"),
        ([{"seed": 1, "seconds": "2"}], 'seconds: found "2", expected a number'),
        ([{"seed": 1, "easing": "bouncy"}], 'easing: found "bouncy", expected one of linear, smooth'),
        ([{"seed": 1, "easing": ["in"]}], 'easing: found ["in"], expected one of linear, smooth'),
        ([{"seed": 1, "transform": {"turn": 5}}], "transform: found the key 'turn', expected translate, rotate"),
        ([{"seed": 1, "transform": {"translate": [1]}}], "translate: found [1], expected two numbers"),
        ([{"seed": 1, "class": 1.5}], "class: found 1.5, expected"),
        ([{"w": 5}], "w: found 5, expected the name of a file"),
    ],
)
def test_what_is_no_time_line_is_one_line(tmp_path, content, message):
    with pytest.raises(ValueError) as caught:
        read_timeline(written(tmp_path, content))
    assert message.removeprefix("easing) ") in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"none\.json: found nothing there"):
        read_timeline(tmp_path / "none.json")
