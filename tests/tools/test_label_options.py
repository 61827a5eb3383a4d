"""What --class and --label choose, and what is shown without them."""

import numpy as np
import pytest

from sg_keras.tools.label_options import chosen_labels

EXAMPLES = np.array([[1, 20], [2.5, -3]], np.float32)
NONE = np.zeros([0, 2], np.float32)


def chosen(kind="", examples=NONE, c_dim=2, **options):
    return chosen_labels({"seeds": (4, 5, 7), "class": None, "label": None, **options}, c_dim, kind, examples)


@pytest.mark.parametrize("kind", ["", "classes", "vectors"])
def test_one_label_for_all(kind, capsys):
    np.testing.assert_array_equal(chosen(kind, label=(0.5, -1.0)), [[0.5, -1]] * 3)
    if kind != "vectors":
        np.testing.assert_array_equal(chosen(kind, **{"class": 1}), [[0, 1]] * 3)
    assert capsys.readouterr().out == ""


def test_a_class_by_its_name():
    values = {"seeds": (4, 5), "class": "dog", "label": None}
    np.testing.assert_array_equal(chosen_labels(values, 2, "classes", NONE, ("cat", "dog")), [[0, 1]] * 2)
    with pytest.raises(
        ValueError, match=r"--class: found 'dgo', expected the index or name of a class \(dog, \.\.\.\)"
    ):
        chosen_labels({**values, "class": "dgo"}, 2, "classes", NONE, ("cat", "dog"))
    with pytest.raises(
        ValueError, match="--class: found 'dog', expected a whole number: the network's classes have no"
    ):
        chosen_labels(values, 2, "classes", NONE)


def test_by_turns_with_a_line_that_says_so(capsys):
    np.testing.assert_array_equal(chosen("classes"), [[1, 0], [0, 1], [0, 1]])
    assert capsys.readouterr().out == "Note: seed k shows class k modulo 2; --class=N (0 to 1) shows one class\n"
    np.testing.assert_array_equal(chosen(), [[1, 0], [0, 1], [0, 1]])
    assert "; if labels are vectors, --label=V,V,... shows one" in capsys.readouterr().out
    np.testing.assert_array_equal(chosen("vectors", EXAMPLES), EXAMPLES[[0, 1, 1]])
    note = "Note: seed k has the label of number k modulo 2 of 2 labels of the training images; --label=1,20 or other 2"
    printed = capsys.readouterr().out
    assert printed.startswith(note) and "class" not in printed
    assert chosen(c_dim=0).shape == (3, 0) and capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "options, message",
    [
        ({"label": (1.0, 2.0), "class": 1}, "--label: found it beside --class, expected one of them"),
        ({"label": (1.0,)}, "--label: found 1 number, expected 2, the width of the network's labels"),
        ({"label": (1.0,), "c_dim": 0}, "--label: found 1 number, expected none, since the network is not conditional"),
        ({"class": 2}, "--class: found 2, expected 0 to 1, the classes of the network"),
        (
            {"class": 1, "kind": "vectors", "examples": EXAMPLES},
            "--class: found 1, expected --label=1,20 or other 2 numbers: the network's labels are vectors, not classes",
        ),
        (
            {"kind": "vectors"},
            "--label: found nothing, expected --label=V,V,... with 2 numbers: the network's labels are vectors",
        ),
    ],
)
def test_what_does_not_fit(options, message):
    with pytest.raises(ValueError) as error:
        chosen(**options)
    assert str(error.value) == message
