"""Which images a run may go on with: those that it was trained on, wherever they lie."""

import dataclasses

import pytest

from sg_keras.config import TrainingConfig, adopt_choices, compare, continued_config, forked_config
from sg_keras.config.continuation import DataChangedError
from sg_keras.config.data_fingerprint import changes, format_fingerprint, merged
from tests.config.test_training_config import make

FOLDER = "names:1 sizes:2 sample:3"
ZIP = FOLDER + " checksums:4"
LABELLED = FOLDER + " labels:5"


def with_data(**fields):
    config = make()
    return dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, **fields))


def go_on(saved, requested, data_changed=False):
    return continued_config(saved, requested, "runs/00000-x", batch_gpu_typed=False, data_changed=data_changed)


def test_text_of_a_fingerprint():
    assert format_fingerprint({"sample": "3", "names": "1", "sizes": "2"}) == FOLDER


@pytest.mark.parametrize(
    "saved, found, expected",
    [
        (FOLDER, FOLDER, ()),
        (FOLDER, ZIP, ()),
        (ZIP, FOLDER, ()),
        (ZIP, FOLDER + " checksums:9", ("files of other content",)),
        (ZIP, "names:1 sizes:2 sample:9 checksums:9", ("files of other content",)),
        (FOLDER, "names:9 sizes:8 sample:3", ("other file names (or another order)", "files of other sizes")),
        (LABELLED, FOLDER + " labels:6", ("other labels",)),
        (LABELLED, FOLDER, ()),
        ("", FOLDER, None),
        (FOLDER, "", None),
        ("checksums:1", FOLDER, None),
        (FOLDER, "sha512:1 of a later version", None),
    ],
)
def test_changes(saved, found, expected):
    assert changes(saved, found) == expected


def test_what_is_known_of_unchanged_images_is_kept():
    assert merged(ZIP, LABELLED) == merged(LABELLED, ZIP) == "names:1 sizes:2 sample:3 checksums:4 labels:5"


def test_the_same_images_elsewhere_go_on_with_a_line():
    saved, requested = with_data(path="/a/cats", fingerprint=ZIP), with_data(path="/b/cats", fingerprint=FOLDER)
    config, notes = go_on(saved, requested)
    assert (config.dataset.path, config.dataset.fingerprint) == ("/b/cats", ZIP)
    assert notes == ["The data set lies elsewhere now, in /b/cats instead of /a/cats, with the same images"]
    assert go_on(saved, saved) == (saved, [])


@pytest.mark.parametrize(
    "change, said",
    [
        ({"fingerprint": "names:1 sizes:2 sample:9"}, "found /data/x.zip with files of other content, expected the im"),
        (
            {"fingerprint": "names:8 sizes:2 sample:9", "num_images": 12},
            "with 12 images instead of 10, other file names",
        ),
        ({"fingerprint": "names:8 sizes:2 sample:9", "path": "/b"}, "found /b with other file names"),
        ({"fingerprint": "", "num_images": 11}, "found /data/x.zip with 11 images instead of 10, expected"),
    ],
)
def test_other_images_do_not_go_on_unless_told(change, said):
    saved, requested = with_data(fingerprint=ZIP), with_data(**{"fingerprint": ZIP, **change})
    with pytest.raises(DataChangedError) as refused:
        go_on(saved, requested)
    text = str(refused.value)
    assert said in text and text.startswith("--data: found") and "\n" not in text
    assert "runs/00000-x" in text and "--fork" in text and "--data_changed=accept" in text
    config, notes = go_on(saved, requested, data_changed=True)
    assert config.dataset == requested.dataset
    assert len(notes) == 1 and "--data_changed=accept" in notes[0] and "another way" in notes[0]
    forked, changed = forked_config(saved, requested, "runs/00000-x", batch_gpu_typed=False)
    assert forked.dataset == requested.dataset and {field for field, _, _ in changed} <= {
        f"dataset.{name}" for name in ("path", "num_images", "fingerprint")
    }


def test_other_images_and_other_options_are_one_table():
    requested = with_data(fingerprint="names:8 sizes:2 sample:9", path="/b")
    requested = dataclasses.replace(requested, seed=1)
    with pytest.raises(ValueError, match=r"(?s)--resume: .*dataset.path.*dataset.fingerprint.*seed") as refused:
        go_on(with_data(fingerprint=ZIP), requested)
    assert not isinstance(refused.value, DataChangedError)
    with pytest.raises(ValueError, match=r"(?s)--resume: (?!.*dataset).*seed"):
        go_on(with_data(fingerprint=ZIP), requested, data_changed=True)


def test_runs_from_before_fingerprints_go_on_by_their_path():
    before = make()
    values = TrainingConfig.from_json(before.to_json())
    assert values == before and before.dataset.fingerprint == ""
    config, notes = go_on(before, with_data(fingerprint=FOLDER))
    assert config.dataset.fingerprint == FOLDER and notes == []
    assert forked_config(before, with_data(fingerprint=FOLDER), "x", batch_gpu_typed=False)[1] == []
    with pytest.raises(DataChangedError, match="found /b with another path, which alone can tell"):
        go_on(before, with_data(path="/b", fingerprint=FOLDER))
    config, _ = go_on(before, with_data(path="/b", fingerprint=FOLDER), data_changed=True)
    assert config.dataset.path == "/b"


def test_a_configuration_without_a_fingerprint_does_not_lose_that_of_the_run():
    saved = with_data(fingerprint=ZIP)
    assert adopt_choices(saved, make()) == saved and compare(saved, make())[0] == []
    with pytest.raises(DataChangedError):
        go_on(saved, with_data(path="/b"))


def test_a_saved_configuration_without_the_field_is_read():
    text = make().to_json().replace('    "fingerprint": ""', '    "workers": 3').replace('    "workers": 3,\n', "", 1)
    assert "fingerprint" not in text and TrainingConfig.from_json(text) == make()
