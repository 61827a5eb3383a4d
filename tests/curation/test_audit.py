"""Audits of a small set with every kind of flaw in it, and their page, which is clicked where there is a browser."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from sg_keras.curation import audit_page as page_module
from sg_keras.curation.audit import Audit
from sg_keras.curation.audit_page import audit_page
from tests.curation.drawn_set import Seen, audited
from tests.curation.originals import file_of, noise, write

ROOT = pathlib.Path(__file__).parents[2]


def _named(audit: Audit, groups: list) -> list[list[str]]:
    return [[audit.names[index] for index in group] for group in groups]


def test_what_an_audit_finds(found: Audit):
    assert len(found.names) == 31 and len(found.measures) == 29
    assert {found.names[index] for index in found.bad} == {"cat/zbroken.png", "dog/zcut.png"}
    assert _named(found, found.exact) == [["cat/p02.png", "cat/same.png"]]
    assert _named(found, found.near) == [["dog/alike.jpg", "dog/p05.png"]]
    flags = {found.names[index]: flags for index, flags in found.flags().items()}
    assert "dark" in flags["cat/zdark.png"] and "flat" in flags["cat/zflat.png"] and "copy" in flags["cat/same.png"]
    assert "blurred" in flags["dog/zblurred.png"]
    assert found.class_counts == {"cat": 15, "dog": 14}
    assert found.mirror is not None and found.mirror.looked_at == 29
    assert found.network == "seen" and found.map_method == "PCA"


def test_the_record_is_the_same_each_time_and_for_any_number_of_workers(path: str, found: Audit):
    again = audited(path, extractor=Seen(), workers=2)
    assert again.json() == found.json()
    record = json.loads(found.json())
    assert record["unreadable"]["cat/zbroken.png"].startswith("found no image")
    assert len(record["measures"]) == 29 and record["measures"][0]["name"] == "cat/p00.png"
    assert audit_page(again) == audit_page(found)


def test_features_are_computed_in_batches(path: str):
    seen = Seen()
    audited(path, extractor=seen)
    assert max(seen.batches) <= 16 and sum(seen.batches) == 2 * 29


def test_processes_that_look_load_no_tensorflow():
    code = "import sys, sg_keras.curation.audit, sg_keras.curation.curated; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"


def test_without_a_network_or_labels(path: str):
    found = audited(path, labels="none", max_images=5)
    assert found.network == "" and found.mirror is None and found.class_counts == {}
    assert len(found.measures) == 5
    assert "too few images" in audit_page(found)


def test_nothing_that_can_be_read(tmp_path: pathlib.Path):
    found = audited(write(tmp_path, {"a/a.png": b"x", "a/b.png": b""}), labels="auto")
    assert not found.measures and found.advice is None and len(found.bad) == 2
    assert json.loads(found.json())["measures"] == []
    assert "a/a.png" in audit_page(found)


def test_labels_that_are_wrong_are_a_note_where_nobody_asked(tmp_path: pathlib.Path):
    files = {"a.png": file_of(noise(0)), "b.png": file_of(noise(1)), "dataset.json": b'{"labels": [["a.png", 0]]}'}
    folder = write(tmp_path, files)
    assert "labels cannot be used: " in audited(folder, labels="auto").notes[-1]
    with pytest.raises(ValueError, match="found no folder"):
        audited(folder)


def test_the_page_holds_all_that_it_needs(found: Audit):
    page = audit_page(found)
    addresses = set(re.findall(r"\b\w+://[^\s\"'<)]*", page))
    assert all(address.startswith("http://www.w3.org/") for address in addresses), addresses
    assert "<link" not in page and 'src="' not in page and "@DATA@" not in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))
    assert data["shown"] == 29 and all(image["thumbnail"] for image in data["images"])


def test_names_cannot_end_the_script(tmp_path: pathlib.Path):
    folder = write(tmp_path, {"</script><b>/http:x.png": file_of(noise(0)), "</script><b>/y.png": file_of(noise(1))})
    page = audit_page(audited(folder, labels="none"))
    assert page.count("</script>") == 2 and "<b>/y" not in page


def test_large_sets_are_on_the_page_in_part(found: Audit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(page_module, "_IMAGES_MOST", 20)
    monkeypatch.setattr(page_module, "_THUMBNAIL_BYTES", 4000)
    data = json.loads(re.search(r'id="data">(.*?)</script>', audit_page(found), re.S).group(1))
    assert data["shown"] == len(data["images"]) <= 20 and data["readable"] == 29
    assert 0 < sum(len(image["thumbnail"] or "") for image in data["images"]) <= 6000


_CLICKS = """
<script>{
const report = {};
const press = (key) =>
  (document.activeElement || document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const names = () => [...grid.querySelectorAll(".card")].map((card) => images[card.dataset.place].name);
report.all = names().length;
flag.value = "copy"; flag.dispatchEvent(new Event("change"));
report.copies = names();
flag.value = ""; flag.dispatchEvent(new Event("change"));
search.value = "zdark"; search.dispatchEvent(new Event("input"));
report.dark = names();
grid.querySelector(".card .no").click();
report.rejected = grid.querySelector(".card").classList.contains("reject");
search.value = ""; search.dispatchEvent(new Event("input"));
sort.value = "-brightness"; sort.dispatchEvent(new Event("change"));
report.brightest = images[grid.querySelector(".card").dataset.place].name;
document.querySelector('.chart[data-key="contrast"] rect').dispatchEvent(new Event("click"));
report.range = names();
range.click();
report.after = names().length;
sort.value = "index"; sort.dispatchEvent(new Event("change"));
document.activeElement.blur();
press("ArrowRight"); press("a"); press("ArrowRight"); press("r"); press("ArrowRight"); press("r"); press("u");
document.querySelector("#duplicates .group button:not(.yes):not(.no)").click();
const before = document.documentElement.dataset.theme;
document.getElementById("theme").click();
report.themes = [before, document.documentElement.dataset.theme].sort();
report.tally = document.getElementById("tally").textContent;
report.curation = curation();
document.documentElement.setAttribute("data-report", JSON.stringify(report));
}</script></body>"""


def _opened(page: str, script: str, tmp_path: pathlib.Path) -> str:
    """What a browser makes of a page, to which a script is added."""
    if shutil.which("chromium") is None:
        pytest.skip("no chromium")
    path = tmp_path / "audit.html"
    path.write_text(page.replace("</body>", script), encoding="utf-8")
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*words, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


@pytest.mark.parametrize("which", ["small images", "nothing readable"])
def test_pages_of_unusual_sets_open_to_the_end(which: str, tmp_path: pathlib.Path):
    files = {"a.png": file_of(noise(0)), "b.png": file_of(noise(1))} if which == "small images" else {"a.png": b"x"}
    found = audited(write(tmp_path / "set", files), labels="none")
    text = _opened(audit_page(found), "</body>", tmp_path)
    assert '<section id="images">' in text and 'data-theme="' in text and "accepted" in text


def test_the_page_in_a_browser(found: Audit, tmp_path: pathlib.Path):
    text = re.search(r'data-report="([^"]*)"', _opened(audit_page(found), _CLICKS, tmp_path)).group(1)
    report = json.loads(text.replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert report["all"] == report["after"] == 29
    assert report["copies"] == ["cat/p02.png", "cat/same.png"]
    assert report["dark"] == ["cat/zdark.png"] and report["rejected"]
    highest = max(found.measures, key=lambda index: found.measures[index].brightness)
    assert report["brightest"] == found.names[highest]
    assert "cat/zflat.png" in report["range"] and len(report["range"]) < 10
    assert report["themes"] == ["dark", "light"]
    assert report["tally"] == "1 accepted, 3 rejected"
    assert report["curation"]["kept"] == ["cat/p00.png"]
    assert set(report["curation"]["dropped"]) == {"cat/zdark.png", "cat/p02.png", "cat/same.png"}
