"""An audit as one HTML page, with all that it needs in it."""

from __future__ import annotations

import base64
import collections
import importlib.resources
import json
from collections.abc import Iterable, Sequence
from typing import Any

from sg_keras.curation.audit import Audit
from sg_keras.curation.duplicates import NEAR_CORRELATION
from sg_keras.curation.histograms import highest, histogram, lowest, tenths
from sg_keras.curation.quality import FLAWS

_TEMPLATE = "audit_page.html"
_IMAGES_MOST = 4000  # on the page
_THUMBNAIL_BYTES = 6_500_000  # of base64 text
_EXAMPLES = 11
_LISTED_MOST = 1000
_GROUPS_MOST = 300
#: Key -> what it is called, whether it spreads over decades, and what it means.
_MEASURES = {
    "brisque": ("BRISQUE", False, "0 to 100, the lower the better: blur, noise and compression raise it."),
    "sharpness": ("Variance of the Laplacian", True, "Low where nothing is sharp, or nothing is there."),
    "brightness": ("Brightness", False, "Mean luma, 0 to 255."),
    "contrast": ("Contrast", False, "Standard deviation of luma."),
    "symmetry": ("Symmetry", False, "1: left and right of what stands out from the border are alike."),
    "outlier": ("Distance to others", False, "Mean distance to the five nearest images, 1 = as usual in this set."),
}
_FLAGS = {
    **{flaw: what.partition(" ")[2].partition(" (")[0] for flaw, what in FLAWS.items()},
    "blurred": "blurred, noisy or compressed",
    "copy": "copies to the last bit",
    "near": "look like others",
    "outlier": "far from all others",
    "odd": "odd files",
}


def audit_page(audit: Audit) -> str:
    """The page: below 10 MB, without any address of another file.

    Larger sets are not on it whole: what stands out, and others at equal distances.
    """
    text = json.dumps(_page_data(audit), ensure_ascii=True, separators=(",", ":"))
    template = (importlib.resources.files("sg_keras.curation") / "data" / _TEMPLATE).read_text(encoding="utf-8")
    return template.replace("@DATA@", _without_addresses(text))


def _without_addresses(text: str) -> str:
    """JSON in which nothing ends a script or looks like an address; it means the same."""
    return text.replace("<", "\\u003c").replace("://", ":\\/\\/")


def _page_data(audit: Audit) -> dict[str, Any]:
    columns = _columns(audit)
    outliers = list(audit.outliers)
    values = {
        "tenths": [[key, tenths(columns[key])] for key in ("brisque", "sharpness") if _known(columns[key])],
        "extremes": [
            ["The darkest", "brightness", lowest(columns["brightness"], _EXAMPLES)],
            ["The brightest", "brightness", highest(columns["brightness"], _EXAMPLES)],
            ["The flattest", "contrast", lowest(columns["contrast"], _EXAMPLES)],
        ],
        "symmetryExamples": [
            ["The least symmetric", "symmetry", lowest(columns["symmetry"], _EXAMPLES)],
            ["The most symmetric", "symmetry", highest(columns["symmetry"], _EXAMPLES)],
        ],
        "farthest": highest(columns["outlier"], _EXAMPLES),
        "exact": [list(group) for group in audit.exact[:_GROUPS_MOST]],
        "near": [list(group) for group in audit.near[:_GROUPS_MOST]],
        "outliers": outliers,
    }
    images = _images(audit, columns, _shown(audit, values))
    flags = {flag for image in images for flag in image["flags"]}
    return {
        **values,
        **_texts(audit),
        "path": audit.path,
        "total": len(audit.names),
        "readable": len(audit.measures),
        "shown": len(images),
        "images": images,
        "histograms": list(_histograms(columns)),
        "flags": [[flag, text] for flag, text in _FLAGS.items() if flag in flags],
        "advice": audit.record()["advice"],
    }


def _columns(audit: Audit) -> dict[str, dict[int, float | None]]:
    """Values of each measure by index."""
    columns: dict[str, dict[int, float | None]] = {
        key: {index: getattr(found, key) for index, found in audit.measures.items()}
        for key in ("brisque", "sharpness", "brightness", "contrast", "symmetry")
    }
    columns["outlier"] = dict(audit.outlier_scores)
    return columns


def _known(column: dict[int, float | None]) -> bool:
    return any(value is not None for value in column.values())


def _histograms(columns: dict[str, dict[int, float | None]]) -> Iterable[dict[str, Any]]:
    for key, (label, log, meaning) in _MEASURES.items():
        found = histogram(columns[key], log)
        if found is not None:
            drawn = {"edges": found.edges, "counts": found.counts, "log": found.log}
            yield {"key": key, "label": label, "meaning": meaning, **drawn}


def _shown(audit: Audit, values: dict[str, Any]) -> list[int]:
    """Indices of the images that are on the page, ascending."""
    good = list(audit.measures)
    if len(good) <= _IMAGES_MOST:
        return good
    groups = [group for key in ("exact", "near") for group in values[key]]
    examples = [row[-1] for key in ("tenths", "extremes", "symmetryExamples") for row in values[key]]
    first = dict.fromkeys(
        index for group in (*examples, values["farthest"], values["outliers"], *groups) for index in group
    )
    chosen = list(first)[: _IMAGES_MOST // 2]
    step = len(good) / (_IMAGES_MOST - len(chosen))
    spread = (good[int(place * step)] for place in range(_IMAGES_MOST - len(chosen)))
    return sorted({*chosen, *spread})


def _images(audit: Audit, columns: dict[str, dict[int, float | None]], shown: Sequence[int]) -> list[dict[str, Any]]:
    """What the page knows of its images; thumbnails of as many as there is room for, at equal distances."""
    texts = {index: base64.b64encode(audit.thumbnails[index]).decode() for index in shown}
    total = sum(map(len, texts.values()))
    share = min(1.0, _THUMBNAIL_BYTES / max(total, 1))
    names, flags = audit.labels.class_names, audit.flags()
    images = []
    for place, index in enumerate(shown):
        found, label = audit.measures[index], audit.labels.by_index.get(index)
        images.append(
            {
                "index": index,
                "name": audit.names[index],
                "width": found.width,
                "height": found.height,
                "bytes": found.bytes,
                **{key: column[index] for key, column in columns.items()},
                "place": audit.places[index],
                "label": _label_name(label, names),
                "flags": flags[index],
                "thumbnail": texts[index] if int((place + 1) * share) > int(place * share) else None,
            }
        )
    return images


def _label_name(label: Any, names: Sequence[str]) -> str | None:
    if not isinstance(label, int):
        return None
    return names[label] if label < len(names) else str(label)


def _texts(audit: Audit) -> dict[str, Any]:
    found = audit.measures.values()
    odd = audit.odd()
    classes = list(audit.class_counts.items())
    rarest = sorted(classes, key=lambda row: row[1])[:5]
    return {
        "facts": _facts(audit),
        "tables": [
            ["Sizes", _most([f"{one.width}x{one.height}" for one in found])],
            ["Aspect", _most([_aspect(one.width, one.height) for one in found])],
            ["Channels", _most([_CHANNELS[one.channels] for one in found])],
        ],
        "notes": list(audit.notes),
        "bad": [[audit.names[index], reason] for index, reason in list(audit.bad.items())[:_LISTED_MOST]],
        "badTotal": len(audit.bad),
        "odd": [[audit.names[index], reason] for index, reason in list(odd.items())[:_LISTED_MOST]],
        "oddTotal": len(odd),
        "howNear": "Alike: perceptual hashes that differ in few bits, small copies whose pixels correlate by "
        f"{NEAR_CORRELATION:g}" + (f", and features of {audit.network} that agree." if audit.network else "."),
        "mirror": _of_mirroring(audit),
        "classes": classes,
        "classNote": "The rarest: " + ", ".join(f"{name} ({count})" for name, count in rarest) + ".",
        "mapNote": f"{audit.map_method} of "
        + (f"features of {audit.network}" if audit.network else "small gray copies")
        + ": images that are alike lie together. Hover for the image, click to reject it; those ringed in red are "
        "far from all others.",
    }


_CHANNELS = {1: "gray", 2: "gray with transparency", 3: "RGB", 4: "RGB with transparency"}


def _facts(audit: Audit) -> list[tuple[str, str]]:
    found = list(audit.measures.values())
    total = sum(one.bytes for one in found)
    facts = [
        ("images", f"{len(audit.names):,}"),
        ("unreadable", f"{len(audit.bad):,}"),
        ("sizes", f"{len({(one.width, one.height) for one in found}):,}"),
        ("bytes", f"{total / 1e6:,.1f} MB"),
        ("an image", f"{total / max(len(found), 1) / 1e3:,.1f} kB"),
        ("copies", f"{sum(len(group) - 1 for group in audit.exact):,}"),
        ("look alike", f"{sum(len(group) - 1 for group in audit.near):,}"),
        ("far from all others", f"{len(audit.outliers):,}"),
    ]
    return [*facts, *([("classes", f"{len(audit.class_counts):,}")] if audit.class_counts else [])]


def _most(words: Sequence[str], kept: int = 8) -> list[tuple[str, int]]:
    counts = sorted(collections.Counter(words).items(), key=lambda row: (-row[1], row[0]))
    rest = sum(count for _, count in counts[kept:])
    return [*counts[:kept], *([(f"{len(counts) - kept} others", rest)] if rest else [])]


def _aspect(width: int, height: int) -> str:
    ratio = width / height
    for low, high, text in ((0.98, 1.02, "square"), (1.02, 1.4, "wide, to 4:3"), (1.4, 2.0, "wide, to 2:1")):
        if low <= ratio <= high:
            return text
    if ratio > 1:
        return "wider than 2:1"
    return "tall, to 3:4" if ratio >= 1 / 1.4 else "tall, to 1:2" if ratio >= 0.5 else "taller than 1:2"


def _of_mirroring(audit: Audit) -> str:
    mirror = audit.mirror
    if mirror is None:
        return "There are too few images to say whether mirrored copies look natural."
    by_features = "" if mirror.by_features is None else f", and {mirror.by_features:.2f} times by features"
    verdict = (
        "They pass for images of the set: --mirror=1 doubles it."
        if mirror.is_natural
        else "They do not pass for images of the set: left and right differ, --mirror=0."
    )
    return (
        f"Of {mirror.looked_at} images mirrored left to right, the copies lie {mirror.by_pixels:.2f} times as far "
        f"from the nearest other image as the images themselves by pixels{by_features} (medians). An image and "
        f"its mirrored copy are {mirror.moved:.2f} such distances apart. {verdict}"
    )
