"""Faces: their measures, conditions on them, and where they are cut out. A stand-in finds them where it can be."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import pytest
from PIL import Image

from examples.metrics_study import shipped_photograph
from sg_keras.config.face_conditions import FaceCondition, parse_face_conditions
from sg_keras.curation.alignment import aligned, aligned_square, box_around
from sg_keras.curation.audit import Audit
from sg_keras.curation.convert import Request, convert
from sg_keras.curation.curate import Rules, curate
from sg_keras.curation.faces import Face, FaceMemory, MTCNNDetector, all_faces, face_measures
from sg_keras.curation.recipe import Recipe, Transform
from sg_keras.curation.sources import open_originals
from tests.curation.originals import description_of, file_of, images_of, noise, write

FACE = Face((30.0, 20.0, 40.0, 40.0), ((40.0, 34.0), (60.0, 34.0), (50.0, 44.0), (42.0, 54.0), (58.0, 54.0)), 0.99)


class Marked:
    """Finds a face in images whose first pixel is red."""

    name = "marked"

    def __init__(self) -> None:
        self.looks = 0

    def find(self, pixels: np.ndarray) -> tuple[Face, ...]:
        self.looks += 1
        return (FACE,) if tuple(pixels[0, 0]) == (255, 0, 0) else ()


@pytest.fixture
def memory(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> FaceMemory:
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    return FaceMemory(Marked())


def _marked(index: int, is_face: bool) -> bytes:
    pixels = noise(index, 100, 80)
    pixels[0, 0] = (255, 0, 0) if is_face else (0, 0, 0)
    return file_of(pixels)


def test_conditions():
    found = parse_face_conditions("eye_height<0.10; centre<=.9;count = 1")
    assert list(map(str, found)) == ["eye_height<0.1", "centre<=0.9", "count=1"]
    assert found[0].holds(0.05) and not found[0].holds(0.1)


@pytest.mark.parametrize(
    "text", ["", "eye_height", "nose<1", "size<", "size<-1", "centre<2", "size=1", "count=1;", "size<nan"]
)
def test_other_conditions_are_refused_in_one_line(text: str):
    with pytest.raises(ValueError, match=r"^found '.*', expected [^\n]*$"):
        parse_face_conditions(text)


def test_measures():
    found = face_measures([FACE], (100, 80))
    assert found == {"count": 1, "eye_height": 0, "centre": 0, "size": 0.5, "confidence": 0.99}
    assert face_measures([], (9, 9)) == {"count": 0}


def test_each_file_is_looked_at_once(memory: FaceMemory):
    first = _marked(0, True)
    assert memory.faces(first) == memory.faces(first) == (FACE,)
    assert memory.faces(b"no image") == ()
    again = Marked()
    assert FaceMemory(again).faces(first) == (FACE,) and again.looks == 0


def test_all_faces_of_a_set(memory: FaceMemory):
    found = all_faces(lambda index: _marked(index, index == 1), {1: (100, 80), 3: (100, 80)}, memory)
    assert found == {1: face_measures([FACE], (100, 80)), 3: {"count": 0}}


def test_curate_keeps_what_meets_all_conditions(found: Audit, path: str):
    good = {"count": 1.0, "eye_height": 0.05}
    faces = dict.fromkeys(found.measures, good)
    faces[0], faces[2] = {"count": 0.0}, {"count": 1.0, "eye_height": 0.4}
    rules = Rules(faces=(FaceCondition("eye_height", "<", 0.1),))
    curation = curate(found, rules, faces)
    assert curation.dropped[0] == "no face found" and curation.dropped[2] == "faces, not eye_height<0.1: 0.4"
    assert 4 in curation.kept and curation.histograms[0][0] == "eye_height of faces (eye_height<0.1 stays)"
    assert curation.record()["rules"]["faces"] == "eye_height<0.1"


@pytest.mark.parametrize("turn", [0.0, 0.3, -0.5])
def test_aligned_points_lie_where_the_template_has_them(turn: float):
    """Of a symmetric face eyes lie a quarter of the side apart, level, y' / 10 above the middle."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (np.array([[-20, -15], [20, -15], [0, 0], [-15, 15], [15, 15]]) @ rotation.T + [101.3, 90.7]).tolist()
    face = Face((60.0, 50.0, 80.0, 80.0), tuple((x, y) for x, y in points), 1.0)
    middle, right, side = aligned_square(face)
    placed = (np.array(points) - middle) @ np.array([right, [-right[1], right[0]]]).T / side + 0.5
    assert side == pytest.approx(160)
    np.testing.assert_allclose(placed[:2], [[0.375, 0.48125], [0.625, 0.48125]], atol=1e-12)
    np.testing.assert_allclose(placed[3:], [[0.40625, 0.66875], [0.59375, 0.66875]], atol=1e-12)
    # The same in pixels: a dot at an eye comes to lie there, also where the square leaves the image.
    rows, columns = np.mgrid[:150, :140]
    dot = np.exp(-((columns + 0.5 - points[0][0]) ** 2 + (rows + 0.5 - points[0][1]) ** 2) / 18) * 255
    made = np.asarray(aligned(Image.fromarray(dot.astype(np.uint8)), face), np.float64)
    assert made.shape == (160, 160)
    peak = np.unravel_index(made.argmax(), made.shape)
    np.testing.assert_allclose(np.array(peak)[::-1] + 0.5, placed[0] * 160, atol=1.0)


def test_box_around_stays_in_the_image_with_its_shape():
    assert box_around(FACE, (100, 80), (1, 1)) == (10, 0, 80, 80)
    assert box_around(FACE, (60, 60), (2, 1)) == (0, 25, 60, 30)


@pytest.mark.parametrize("how", [{"crop_box_from": "faces"}, {"align": "ffhq"}])
def test_convert_leaves_out_images_without_faces(how: dict[str, str], memory: FaceMemory, tmp_path: pathlib.Path):
    files = {f"p{index}.png": _marked(index, index != 1) for index in range(4)}
    source = open_originals(write(tmp_path / "set", {**files, "z.png": b"x"}))
    recipe = Recipe(transform=Transform(name="center-crop"), resolution=(32, 32), **how)
    for name, workers in (("a.zip", 1), ("b.zip", 2)):
        request = Request(destination=str(tmp_path / name), workers=workers)
        report = convert(source, recipe, request, memory=memory)
        assert (report.images, report.faceless, list(report.bad)) == (3, ["p1.png"], ["z.png"])
        assert "no face found, left out: 1" in report.lines()
    source.close()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert {image.shape for image in images_of(tmp_path / "a.zip").values()} == {(32, 32, 3)}
    described = description_of(tmp_path / "a.zip")
    assert described["conversion"]["no_face"] == 1 and how.items() <= described["conversion"].items()
    if "align" not in how:
        assert described["crops"]["00000/img00000000.png"] == ["p0.png", 10, 0, 80, 80]


def test_what_does_not_go_together():
    good = Recipe(resolution=(8, 8), align="ffhq")
    for change in ({"resolution": None}, {"crop_box_from": "faces"}, {"draft": True}):
        with pytest.raises(ValueError, match=r"^--(align|resolution): found "):
            dataclasses.replace(good, **change)


def test_the_network_finds_a_face():
    pytest.importorskip("mtcnn", reason="needs mtcnn")
    pytest.importorskip("skimage.data", reason="needs scikit-image")
    (face,) = MTCNNDetector("--faces").find(shipped_photograph("astronaut.png"))
    np.testing.assert_allclose(face.points, [[204, 100], [245, 102], [224, 126], [202, 139], [244, 140]], atol=4)
