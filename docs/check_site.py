"""Checks a built site: every link inside it leads somewhere, and no page loads anything from elsewhere.

Usage: python -m docs.check_site FOLDER
"""

from __future__ import annotations

import pathlib
import sys
import urllib.parse
from html.parser import HTMLParser

_LOADED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}
_LINKED = {*_LOADED, ("a", "href")}
_NOT_LOADED_LINKS = {"canonical", "index", "search", "next", "prev", "author", "license"}


class Page(HTMLParser):
    """Names and addresses of one page.

    Attributes:
        ids: what can be linked to.
        links: every address.
        loaded: those that a browser fetches by itself.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag's names and addresses."""
        values = dict(attrs)
        self.ids.update(value for name in ("id", "name") if (value := values.get(name)))
        for name, value in attrs:
            if value and (tag, name) in _LINKED:
                self.links.add(value)
                if (tag, name) in _LOADED and values.get("rel") not in _NOT_LOADED_LINKS:
                    self.loaded.add(value)


def problems(site: pathlib.Path) -> list[str]:
    """A line for each dead link inside a site and each thing that it loads from elsewhere."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name}: loads {link}" for link in sorted(page.loaded) if _is_elsewhere(link)]
        for link in sorted(page.links):
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "genindex.html":
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{name}: dead link {link}")
            elif parts.fragment and target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].ids:
                found.append(f"{name}: no such place {link}")
    return found


def _is_elsewhere(link: str) -> bool:
    parts = urllib.parse.urlsplit(link)
    return bool(parts.netloc) or parts.scheme in ("http", "https")


def main() -> int:
    """Print the problems of the site named on the command line; exit status 1 where there are any."""
    site = pathlib.Path(sys.argv[1]).resolve()
    found = problems(site)
    print("\n".join(found) if found else f"{site.name}: {len(list(site.rglob('*.html')))} pages, no dead link")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
