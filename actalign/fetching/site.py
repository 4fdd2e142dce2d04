"""One video from a site to a file, through yt-dlp: its only import.

At most 720p, video alone (the method hears nothing), and one plain file, so that no ffmpeg is needed. Of the formats
with the largest picture, then the most frames a second, H.264 is preferred.
"""

import io
import os
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actalign.errors import ActAlignError
from actalign.fetching.failures import FetchError, classify, tidy

YOUTUBE = "https://www.youtube.com/watch?v={youtube_id}"
PLAIN_FILE = "[protocol~='^https?$']"
FORMAT = f"bv*[height<=?720]{PLAIN_FILE}/bv*[height<=?720]"
FORMAT_ORDER = ("res:720", "fps", "vcodec:h264", "ext:mp4:m4a")


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
        if self.cookies_file is not None and not Path(self.cookies_file).is_file():
            raise ActAlignError(f"cookies file {os.fspath(self.cookies_file)!r} does not exist; export it again")

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
    url = site.url.format(youtube_id=youtube_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with yt_dlp.YoutubeDL(_options(folder, site, stop or threading.Event())) as session:
            info = session.extract_info(url, download=True)
            if info is None or info.get("entries") is not None:
                raise FetchError("not a video", f"{url} is a list of videos, not one video")
            (done,) = info["requested_downloads"]
            return Path(done["filepath"])
    except yt_dlp.utils.DownloadCancelled as error:
        raise KeyboardInterrupt from error
    except (yt_dlp.utils.YoutubeDLError, yt_dlp.cookies.CookieLoadError, OSError) as error:
        reason = _without_secrets(tidy(str(error)), folder, site)
        raise FetchError(classify(str(error)), reason, wait_s=_retry_after(error)) from None  # it may hold secrets
    except KeyError as error:
        raise FetchError("unknown", f"yt-dlp downloaded nothing for {url}: no {error}") from error


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
        options["cookiefile"] = io.StringIO(Path(site.cookies_file).read_text(encoding="utf-8"))
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
    return float(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else None


def _without_secrets(reason: str, folder: Path, site: Site) -> str:
    """A reason that may be passed on: no proxy with its password, no folder of this machine."""
    for secret, stand_in in ((site.proxy, "<proxy>"), (str(folder), "<folder>")):
        reason = reason.replace(secret, stand_in) if secret else reason
    return re.sub(r"//[^/\s@]+@", "//", reason)
