"""Which of a site's formats is taken, and with what settings yt-dlp is run."""

import threading
from pathlib import Path
from typing import Any

import pytest
import yt_dlp

from actalign.fetching.failures import FetchError
from actalign.fetching.site import Site, _options, download

AVC, VP9, AV1 = "avc1.4d401f", "vp09.00.31.08", "av01.0.05M.08"


def listed(format_id: str, height: int, codec: str, *, fps: int = 30, **changed: Any) -> dict[str, Any]:
    """A video-only format as the extractor of a large site lists it."""
    entry = {
        "format_id": format_id,
        "url": f"https://example.org/{format_id}",
        "ext": "webm" if codec == VP9 else "mp4",
        "height": height,
        "width": height * 16 // 9,
        "vcodec": codec,
        "acodec": "none",
        "fps": fps,
        "protocol": "https",
    }
    return {**entry, **changed}


AUDIO = {"format_id": "140", "url": "https://example.org/140", "ext": "m4a", "vcodec": "none", "acodec": "mp4a.40.2"}
BOTH = listed("18", 360, "avc1.42001E", acodec="mp4a.40.2")


def chosen(*formats: dict[str, Any]) -> str:
    options = _options(Path("unused"), Site(), threading.Event())
    with yt_dlp.YoutubeDL({**options, "simulate": True}) as session:
        info = {
            "id": "a",
            "title": "a",
            "extractor": "x",
            "webpage_url": "https://example.org",
            "formats": list(formats),
        }
        return str(session.process_ie_result(info, download=False)["format_id"])


@pytest.mark.parametrize(
    ("formats", "wanted"),
    [
        ((AUDIO, BOTH, listed("136", 720, AVC), listed("247", 720, VP9), listed("398", 720, AV1)), "136"),
        ((AUDIO, listed("136", 720, AVC), listed("137", 1080, AVC)), "136"),
        ((listed("135", 480, AVC), listed("247", 720, VP9)), "247"),  # a larger picture before the codec
        ((listed("136", 720, AVC), listed("298", 720, AVC, fps=60), listed("302", 720, VP9, fps=60)), "298"),
        ((AUDIO, BOTH), "18"),
        ((listed("300", 720, AVC, protocol="m3u8_native"), BOTH), "18"),  # one plain file before parts of a stream
        ((listed("300", 720, AVC, protocol="m3u8_native"),), "300"),
    ],
)
def test_the_largest_plain_file_of_at_most_720_lines_in_h264_is_taken(
    formats: tuple[dict[str, Any], ...], wanted: str
) -> None:
    assert chosen(*formats) == wanted
    assert chosen(*reversed(formats)) == wanted


def test_nothing_larger_is_taken_in_its_place() -> None:
    with pytest.raises(yt_dlp.utils.ExtractorError, match="Requested format is not available"):
        chosen(AUDIO, listed("137", 1080, AVC))


def test_settings_reach_yt_dlp(tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n")
    site = Site(proxy="http://127.0.0.1:9", rate_limit=1e6, timeout_s=3.0, cookies_file=cookies)
    options = _options(tmp_path / "100%", site, threading.Event())
    assert (options["proxy"], options["ratelimit"], options["socket_timeout"]) == ("http://127.0.0.1:9", 1e6, 3.0)
    assert options["cookiefile"].read() == cookies.read_text()
    assert "100%%/" in options["outtmpl"]


@pytest.mark.parametrize(
    ("given", "parsed"),
    [("firefox", ("firefox", None, None, None)), ("chrome:Work", ("chrome", "Work", None, None))],
)
def test_a_browser_may_have_a_profile(given: str, parsed: tuple[str | None, ...]) -> None:
    options = _options(Path("unused"), Site(cookies_from_browser=given), threading.Event())
    assert options["cookiesfrombrowser"] == parsed


def test_other_braces_in_the_address_are_kept(tmp_path: Path) -> None:
    site = Site(url="http://127.0.0.1:9/{0}/{/{youtube_id}", timeout_s=0.1)
    with pytest.raises(FetchError, match="refused"):
        download("abc", tmp_path / "parts", site=site)


def test_a_download_stops_when_told_to() -> None:
    stop = threading.Event()
    (hook,) = _options(Path("unused"), Site(), stop)["progress_hooks"]
    hook({})
    stop.set()
    with pytest.raises(yt_dlp.utils.DownloadCancelled):
        hook({})
