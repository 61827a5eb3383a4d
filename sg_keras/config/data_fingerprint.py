"""Fingerprints of data sets as text, `names:1f0a... sizes:... sample:...`, and what two of them say of each other.

Each part is a digest of one side of the content (sg_keras.data.fingerprint makes them). A zip file has a part more
than a folder, so only parts that both fingerprints have are compared.
"""

from __future__ import annotations

#: Part -> what differs where its digests do, in the words of messages. Also the order of the parts.
PARTS = {
    "names": "other file names (or another order)",
    "sizes": "files of other sizes",
    "sample": "files of other content",
    "checksums": "files of other content",
    "labels": "other labels",
}


def format_fingerprint(digests: dict[str, str]) -> str:
    """The text of a fingerprint from the digests of its parts."""
    return " ".join(f"{part}:{digests[part]}" for part in PARTS if part in digests)


def changes(saved: str, found: str) -> tuple[str, ...] | None:
    """What differs between the contents of two data sets, for messages.

    Args:
        saved: a fingerprint, "" of a configuration from before there were any.
        found: the other one.

    Returns:
        Nothing where they are the same, None where that cannot be told.
    """
    old, new = _digests(saved), _digests(found)
    common = [part for part in PARTS if part in old and part in new]
    if not common:
        return None
    return tuple(dict.fromkeys(PARTS[part] for part in common if old[part] != new[part]))


def merged(saved: str, found: str) -> str:
    """The fingerprint with the parts of both, for a data set that was found unchanged in another form."""
    return format_fingerprint({**_digests(saved), **_digests(found)})


def _digests(text: str) -> dict[str, str]:
    pairs = (word.partition(":") for word in text.split())
    return {part: digest for part, colon, digest in pairs if colon}
