"""Follows every link of a folder of HTML pages, without a network."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from actalign.errors import ActAlignError

LINKS = ("href", "src", "poster", "data")
FETCHING = ("script", "img", "iframe", "source", "video", "audio", "object", "embed")
FETCHED_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "manifest", "dns-prefetch"}
IN_STYLES = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')\s]+)""")


@dataclass
class Page(HTMLParser):
    """What a page refers to: ``links`` to follow, ``parts`` that a browser fetches with it, and its own ``anchors``."""

    links: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes in one element of the page."""
        given = {name: value for name, value in attrs if value is not None}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        relations = set(given.get("rel", "").split())
        fetched = tag in FETCHING or (tag == "link" and relations & FETCHED_RELATIONS)
        (self.parts if fetched else self.links).extend(given[name] for name in LINKS if name in given)
        self.parts += [part.split()[0] for part in given.get("srcset", "").split(",") if part.strip()]
        self.parts += IN_STYLES.findall(given.get("style", ""))


def read_page(path: Path) -> Page:
    """The links, parts and anchors of one HTML file."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    return page


def is_outside(address: str) -> bool:
    """Whether an address leads to a server.

    >>> [is_outside(address) for address in ("//cdn.org/a.js", "https://a.org", "a.html#b", "data:image/png;base64,")]
    [True, True, False, False]
    """
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ftp", "ws", "wss")


def problems(site: Path) -> Iterator[str]:
    """One line for each link of a page that leads nowhere, and for each part that would come from a network."""
    pages = {path: read_page(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site)
        yield from (f"{name}: {part} would be fetched from a network" for part in page.parts if is_outside(part))
        for address in [*page.links, *page.parts]:
            reason = _reason(address, path=path, site=site, pages=pages)
            if reason:
                yield f"{name}: {address} {reason}"
    for path in sorted(site.rglob("*.css")):
        for address in IN_STYLES.findall(path.read_text(encoding="utf-8")):
            reason = "would be fetched from a network" if is_outside(address) else ""
            reason = reason or _reason(address, path=path, site=site, pages=pages)
            if reason:
                yield f"{path.relative_to(site)}: {address} {reason}"


def _reason(address: str, *, path: Path, site: Path, pages: dict[Path, Page]) -> str:
    """Why a link inside the site leads nowhere; empty when it holds, or is none of the site's."""
    parts = urlsplit(address)
    if is_outside(address) or parts.scheme:
        return "" if parts.scheme != "file" else "names a file of this machine"
    if parts.path.startswith("/"):
        return "starts at the root, which is another place on every server"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_relative_to(site):
        return "leads out of the site"
    if not target.is_file():
        return "leads to no file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return "leads to no such place on its page"
    return ""


def check_links(site: Path) -> list[str]:
    """Follow every link of a site; returns the addresses outside it, sorted, which are not followed.

    Raises ActAlignError that lists all that is broken, or when there are no pages.
    """
    site = site.resolve()
    outside = {address for path in site.rglob("*.html") for address in read_page(path).links if is_outside(address)}
    if not (site / "index.html").is_file():
        raise ActAlignError(f"no index.html in {site}; build the site first: make site")
    found = list(problems(site))
    if found:
        raise ActAlignError("\n  ".join([f"{len(found)} link(s) of the site are broken:", *found]))
    return sorted(outside)
