"""One video from a site to a file, through yt-dlp: its only import.

At most 720p, video alone (the method hears nothing), and one plain file, so that no ffmpeg is needed. Of the formats
with the largest picture, then the most frames a second, H.264 is preferred.
"""

import io
import os
import re
import threading
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from actalign.errors import ActAlignError
from actalign.fetching.failures import FetchError, classify, tidy

YOUTUBE = "https://www.youtube.com/watch?v={youtube_id}"
PLAIN_FILE = "[protocol~='^https?$']"
FORMAT = f"bv*[height<=?720]{PLAIN_FILE}/bv*[height<=?720]"
FORMAT_ORDER = ("res:720", "fps", "vcodec:h264", "ext:mp4:m4a")
UNFORESEEN = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, AssertionError, RuntimeError)
"""How yt-dlp fails on an answer that it did not foresee: one video's failure, not the run's."""
COOKIE_CELLS = 7
"""Cells of a line of a cookies file in Netscape format, with tabs between them."""


@dataclass(frozen=True)
class Site:
    """Where videos come from and how politely they are asked for.

    ``url`` holds ``{youtube_id}``. ``cookies_file`` is in Netscape format and is only read; ``cookies_from_browser``
    is a browser's name, or ``name:profile``. ``rate_limit`` is bytes per second for each download; ``timeout_s`` is how
    long a connection may be silent.

    >>> Site(proxy="http://me:secret@example.org:8080")
    Site(url='https://www.youtube.com/watch?v={youtube_id}', rate_limit=None, timeout_s=20.0)
    """

    url: str = YOUTUBE
    cookies_file: str | os.PathLike[str] | None = field(default=None, repr=False)
    cookies_from_browser: str | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    rate_limit: float | None = None
    timeout_s: float = 20.0

    def __post_init__(self) -> None:
        if "{youtube_id}" not in self.url:
            raise ActAlignError(f"url is {self.url!r}; write {{youtube_id}} where the id belongs")
        if self.rate_limit is not None and not self.rate_limit > 0:
            raise ActAlignError(f"rate_limit is {self.rate_limit}; give bytes per second above 0, or None")
        if not self.timeout_s > 0:
            raise ActAlignError(f"timeout_s is {self.timeout_s}; give seconds above 0")
        if self.cookies_file is not None:
            _read_cookies(self.cookies_file)

    @property
    def has_cookies(self) -> bool:
        return self.cookies_file is not None or self.cookies_from_browser is not None


class _Quiet:
    """Takes what yt-dlp would print; its errors come as exceptions too."""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


def download(youtube_id: str, folder: Path, *, site: Site, stop: threading.Event | None = None) -> Path:
    """Download one video into a folder of its own, or go on with what an earlier call left there.

    Args:
        folder: where the video and its ``.part`` lie; a ``.part`` is continued only for the same format.
        stop: when set, the download ends with KeyboardInterrupt; what came so far stays for the next call.

    Returns:
        The whole file, as far as the server's own word goes; whether it can be decoded is not looked at.

    Raises:
        FetchError: no video; its ``kind`` says why.
        ActAlignError: the extra is not installed.
    """
    yt_dlp = _library()
    url = site.url.replace("{youtube_id}", youtube_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with yt_dlp.YoutubeDL(_options(folder, site, stop or threading.Event())) as session:
            _load_cookies(session)
            info = session.extract_info(url, download=True)
            if info is None or info.get("entries") is not None:
                raise FetchError("not a video", f"{url} is a list of videos, not one video")
            (done,) = info["requested_downloads"]
            return Path(done["filepath"])
    except yt_dlp.utils.DownloadCancelled as error:
        raise KeyboardInterrupt from error
    except (yt_dlp.utils.YoutubeDLError, OSError) as error:
        reason = _without_secrets(tidy(str(error)), folder, site)
        if "HTTP Error 416" in reason and (whole := _whole_part(folder, error)) is not None:
            return whole
        raise FetchError(classify(str(error)), reason, wait_s=_retry_after(error)) from None  # it may hold secrets
    except ActAlignError:
        raise
    except UNFORESEEN as error:
        error.__traceback__ = None  # its frames hold the answer, which yt-dlp leaves open
        odd = f"yt-dlp cannot make sense of the answer: {type(error).__name__}: {error}"
        reason = _without_secrets(tidy(odd), folder, site)
        raise FetchError("unknown", reason) from None


def _whole_part(folder: Path, error: BaseException) -> Path | None:
    """The video, where no rest of it is to be had because its part is whole; a part of anything else is deleted.

    So a run leaves it that was killed between the last byte and the renaming. How long the video is tells the answer
    to a request beyond its end (RFC 9110, 15.5.17).
    """
    answer = _answer(error)
    told = re.fullmatch(r"bytes \*/([0-9]{1,18})", (answer and answer.get_header("Content-Range")) or "")
    whole = None
    for part in folder.glob("*.part"):
        if told and part.stat().st_size == int(told[1]):
            whole = part.replace(part.with_suffix(""))
        else:
            part.unlink(missing_ok=True)
    if whole is not None:
        answer.close()
    return whole


def _read_cookies(file: str | os.PathLike[str]) -> str:
    """The text of a cookies file. Checked here, as yt-dlp would print the lines that it cannot read."""
    name = f"cookies file {os.fspath(file)!r}"
    try:
        text = Path(file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ActAlignError(f"{name} does not exist; export it again") from None
    except (OSError, UnicodeDecodeError):
        raise ActAlignError(f"{name} cannot be read as text; export it again in Netscape format") from None
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.removeprefix("#HttpOnly_").split("\t")
        if not line.strip() or cells[0].startswith("#"):
            continue
        if len(cells) != COOKIE_CELLS or not re.fullmatch(r"([0-9]+(\.[0-9]+)?)?", cells[4]):
            raise ActAlignError(f"{name}, line {number}: no cookie in Netscape format; export it again in that format")
    if not re.match(r"#( Netscape)? HTTP Cookie File", text):
        raise ActAlignError(f"{name} does not begin with '# Netscape HTTP Cookie File'; export it again in that format")
    return text


def _load_cookies(session: Any) -> None:
    """Have the cookies read now, with an error that ends the run: every other video would meet it too."""
    try:
        _ = session.cookiejar
    except _library().utils.YoutubeDLError as error:
        raise ActAlignError(
            f"cookies cannot be read ({tidy(str(error))}); check the browser's name and profile, or give a cookies file"
        ) from None


def _library() -> Any:
    try:
        import yt_dlp
    except ImportError as error:
        raise ActAlignError("fetching videos needs the extra: pip install 'actalign[actionatlas]'") from error
    return yt_dlp


def _options(folder: Path, site: Site, stop: threading.Event) -> dict[str, Any]:
    def heed_stop(_: dict[str, Any]) -> None:
        if stop.is_set():
            raise _library().utils.DownloadCancelled("stopped")

    options: dict[str, Any] = {
        "format": FORMAT,
        "format_sort": list(FORMAT_ORDER),
        "outtmpl": str(folder).replace("%", "%%") + "/video.%(format_id)s.%(ext)s",
        "progress_hooks": [heed_stop],
        "logger": _Quiet(),
        "noprogress": True,
        "quiet": True,
        "no_color": True,
        "noplaylist": True,
        "updatetime": False,
        "fixup": "never",
        "retries": 0,  # pauses and repeats are the caller's, who can be told about them
        "fragment_retries": 3,
        "socket_timeout": site.timeout_s,
        "ratelimit": site.rate_limit,
        "proxy": site.proxy,
    }
    if site.cookies_file is not None:
        # As a stream: yt-dlp writes the cookies it ends with back to a file, in every session at once.
        options["cookiefile"] = io.StringIO(_read_cookies(site.cookies_file))
    if site.cookies_from_browser is not None:
        name, _, profile = site.cookies_from_browser.partition(":")
        options["cookiesfrombrowser"] = (name, profile or None, None, None)
    return options


def _answer(error: BaseException) -> Any:
    """The server's answer at the root of an error; None where none came."""
    seen = set()
    queue: list[Any] = [error]
    while queue:
        one = queue.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if (answer := getattr(one, "response", None)) is not None:
            return answer
        queue += [getattr(one, "cause", None), (getattr(one, "exc_info", None) or (None, None))[1], one.__cause__]
    return None


def _retry_after(error: BaseException) -> float | None:
    """Seconds that the server asked to wait; closes its answer, which yt-dlp leaves open."""
    if (answer := _answer(error)) is None:
        return None
    asked = answer.get_header("Retry-After") or ""
    answer.close()
    if re.fullmatch(r"[0-9]{1,6}", asked):
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time()) or None
    except (ValueError, OverflowError, OSError):
        return None


def _without_secrets(reason: str, folder: Path, site: Site) -> str:
    """A reason that may be passed on: no proxy with its password, no folder of this machine."""
    for secret, stand_in in ((site.proxy, "<proxy>"), (str(folder), "<folder>")):
        reason = reason.replace(secret, stand_in) if secret else reason
    return re.sub(r"//[^/\s@]+@", "//", reason)
