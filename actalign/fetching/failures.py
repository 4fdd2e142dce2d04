"""Why a video could not be had: yt-dlp's messages sorted into a few kinds, and what may help each (pure)."""

import re
from dataclasses import dataclass

from actalign.errors import ActAlignError


@dataclass(frozen=True)
class Kind:
    """One kind of reason.

    ``again`` says when to try again: "now" (in the same run, after a pause), "later" (in the next run), "cookies" or
    "proxy" (in a run that has them) or "never". ``walled`` kinds hit every video alike, so that a run stops after a
    few in a row. ``advice`` tells the user what may help.
    """

    again: str
    advice: str = ""
    walled: bool = False

    @property
    def retryable(self) -> bool:
        return self.again != "never"


COOKIES = "pass the cookies of a browser that is signed in (cookies_from_browser or cookies_file)"
KINDS = {
    "private": Kind("never"),
    "removed": Kind("never"),
    "members only": Kind("never"),
    "age wall": Kind("cookies", COOKIES),
    "bot wall": Kind("later", f"wait some hours, or {COOKIES}", walled=True),
    "geo": Kind("proxy", "pass the proxy of a country where the video is shown"),
    "rate limited": Kind("now", "wait an hour, then fetch with fewer workers", walled=True),
    "refused": Kind("now", "upgrade yt-dlp, then fetch again"),
    "network": Kind("now", "check the network, then fetch again"),
    "not a video": Kind("later", "open the address in a browser: a login page of the network may be in the way"),
    "no format": Kind("later", "upgrade yt-dlp, then fetch again"),
    "not yet": Kind("later", "fetch again when the video is out"),
    "extractor": Kind("later", "upgrade yt-dlp, then fetch again"),
    "decode": Kind("later", "fetch again; if it stays, the video itself is damaged"),
    "window": Kind("never"),
    "disk": Kind("later", "free some space or choose another folder, then fetch again"),
    "unknown": Kind("later", "upgrade yt-dlp, then fetch again"),
}
"""Every kind but "row", which is a row of the benchmark that is faulty itself."""

# The first that fits counts. Messages are compared in lower case, with straight apostrophes.
_PATTERNS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("disk", r"no space left|disk quota|errno (28|122|30|13)\]|read-only file|unable to (open for writing|write)"),
        ("bot wall", r"not a bot|captcha|anti-bot|unusual traffic|cookies are no longer valid"),
        ("rate limited", r"rate.?limited|http error 429|too many requests|try again later"),
        ("age wall", r"confirm your age|age.restricted|inappropriate for some|age.verification|age.check"),
        (
            "geo",
            r"http error 451|in your (country|location|region)|geo.?restrict|not available from your location",
        ),
        ("members only", r"members.only|channel's members|join this channel|requires? payment|music premium|purchase"),
        ("private", r"private video|video is private|is private"),
        ("not yet", r"premieres? in|live event will begin|processing this video|is upcoming|will begin in"),
        (
            "removed",
            r"has been removed|removed by|been terminated|account.*(terminated|closed)|no longer available"
            r"|copyright (claim|infringement)|violat|video unavailable|does not exist|is not available$"
            r"|video is (not available|unavailable)|recording is not available|http error (404|410)|truncated id"
            r"|looks truncated|been deleted|content isn't available",
        ),
        ("no format", r"requested format|only images|no video formats|drm"),
        ("refused", r"http error 40[135]|forbidden"),
        ("bot wall", r"(please )?sign in"),
        ("not a video", r"unsupported url|not a valid url|is not a video"),
        (
            "network",
            r"http error (5\d\d|408|425)|timed out|timeout|connection|name or service|name resolution|getaddrinfo"
            r"|unreachable|no route|incompleteread|bytes read|more expected|proxy|ssl|certificate|eof occurred"
            r"|data blocks|file is empty|errno (-[235]|1[01]\d|3[25])\]|remote end|reset by peer|broken pipe"
            r"|giving up after|too short|http error 416|content.too.short|redirect loop"
            r"|content-encoding|expected -?\d+ bytes",
        ),
        ("extractor", r"unable to extract|failed to extract|player response|nsig|challenge|please report this issue"),
    )
)


class FetchError(ActAlignError):
    """A video could not be had: ``kind`` is a key of ``KINDS``; ``wait_s`` is how long the server asked to wait.

    >>> FetchError("rate limited", "HTTP Error 429", wait_s=30.0).kind
    'rate limited'
    """

    def __init__(self, kind: str, reason: str, *, wait_s: float | None = None):
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.wait_s = wait_s


def classify(message: str) -> str:
    """The kind of reason that a message of yt-dlp, or of the system below it, tells: a key of ``KINDS``.

    >>> classify("ERROR: [youtube] abc: Private video. Sign in if you've been granted access to this video")
    'private'
    >>> classify("ERROR: unable to download video data: HTTP Error 403: Forbidden")
    'refused'
    """
    plain = _one_line(message).lower().replace("\u2019", "'")
    return next((kind for kind, pattern in _PATTERNS if pattern.search(plain)), "unknown")


def _one_line(message: str) -> str:
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", message).split())


def tidy(message: str) -> str:
    """A message on one line, without colours and without the advice that yt-dlp gives for its own command line.

    >>> tidy("\\x1b[0;31mERROR:\\x1b[0m [youtube] abc: Video unavailable\\n; please report this issue on ...")
    '[youtube] abc: Video unavailable'
    """
    plain = re.sub(r"^(ERROR: )+", "", _one_line(message))
    return re.split(r" ?; please report this issue| Use --cookies| \(caused by|\. For more information", plain)[0][:300]


def is_due(kind: str, *, cookies: bool, proxy: bool) -> bool:
    """Whether a run tries again a clip that failed so; ``cookies`` and ``proxy``: whether it has them.

    >>> is_due("age wall", cookies=False, proxy=False), is_due("age wall", cookies=True, proxy=False)
    (False, True)
    """
    again = KINDS[kind].again if kind in KINDS else "later"
    return again in ("now", "later") or (again == "cookies" and cookies) or (again == "proxy" and proxy)
