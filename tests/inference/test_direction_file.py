"""Directions in files."""

import json

import numpy as np
import pytest

from sg_keras.inference import DIRECTIONS_FILE, Direction, read_directions, renamed, write_directions


def some_directions():
    vectors = np.linalg.qr(np.random.RandomState(0).randn(4, 4))[0].astype(np.float32)
    return [Direction(f"pca-{i}", vector, 0.5 + i, (i, 3), "pca") for i, vector in enumerate(vectors[:3])]


def test_directions_come_back(tmp_path):
    directions = some_directions()
    path = write_directions(tmp_path, directions, "digest")
    assert path == tmp_path / DIRECTIONS_FILE
    for place in (path, tmp_path):
        found = read_directions(place)
        assert found.network == "digest"
        for one, expected in zip(found.directions, directions, strict=True):
            np.testing.assert_array_equal(one.vector, expected.vector)
            for name in ("name", "sigma", "layers", "method"):
                assert getattr(one, name) == getattr(expected, name)


def test_the_file_can_be_edited(tmp_path):
    """Names changed, entries moved and taken out."""
    path = write_directions(tmp_path, some_directions())
    content = json.loads(path.read_text())
    content["directions"] = [{**content["directions"][2], "name": "tilt"}, content["directions"][0]]
    path.write_text(json.dumps(content))
    found = read_directions(path)
    assert [direction.name for direction in found.directions] == ["tilt", "pca-0"]
    np.testing.assert_array_equal(found.named("tilt").vector, some_directions()[2].vector)
    assert found.named("1").name == "pca-0"


def test_names():
    directions = renamed(some_directions(), {1: "smile", 2: "größer"})
    assert [direction.name for direction in directions] == ["pca-0", "smile", "größer"]
    for names, message in (
        ({3: "a"}, "found number 3, expected 0 to 2"),
        ({0: "two words"}, "found the name 'two words', expected up to 60 letters"),
        ({0: "7"}, "and not a number"),
        ({0: "pca-1"}, "found the name 'pca-1' twice"),
    ):
        with pytest.raises(ValueError, match=message):
            renamed(some_directions(), names)


def test_unknown_names_get_near_ones(tmp_path):
    found = read_directions(write_directions(tmp_path, renamed(some_directions(), {0: "smile"})))
    for name, message in (
        ("smlie", "found no 'smlie', did you mean smile?"),
        ("age", r"found no 'age', expected a direction's name \(smile, pca-1, pca-2\) or its number, up to 2"),
        ("3", "found no '3', expected"),
    ):
        with pytest.raises(ValueError, match=message):
            found.named(name)


def test_files_that_hold_no_directions(tmp_path):
    path = write_directions(tmp_path, some_directions())
    whole = json.loads(path.read_text())

    def refuses(message, **changes):
        path.write_text(json.dumps({**whole, **changes}))
        with pytest.raises(ValueError, match=message) as error:
            read_directions(path)
        assert "\n" not in str(error.value) and str(path.parent) in str(error.value)

    entry = whole["directions"][0]
    refuses("found none, expected one direction at least", directions=[])
    refuses("found the vector 3, expected 0 to 2", directions=[{**entry, "vector": 3}])
    refuses(r"found the layers \[2, 1\], expected the first and the last", directions=[{**entry, "layers": [2, 1]}])
    refuses("found the name 'pca-0' twice", directions=[entry, entry])
    refuses("found the name 'a:b'", directions=[{**entry, "name": "a:b"}])
    refuses("found an entry without 'sigma'", directions=[{k: v for k, v in entry.items() if k != "sigma"}])
    refuses("found other vectors than directions.json is about", vectors_sha256="0")
    path.write_text("{")
    with pytest.raises(ValueError, match=r"found no directions, expected what sg_keras\.tools\.directions wrote"):
        read_directions(path)
    path.write_text(json.dumps(whole))
    path.with_suffix(".npz").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="found no directions"):
        read_directions(path)
    with pytest.raises(FileNotFoundError):
        read_directions(tmp_path / "nothing.json")
