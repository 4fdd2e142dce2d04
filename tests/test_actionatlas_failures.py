import errno
import os

import pytest

from actalign.fetching.failures import KINDS, classify, is_due, tidy

HINT = (
    " Use --cookies-from-browser or --cookies for the authentication. See  https://github.com/yt-dlp/yt-dlp/wiki/FAQ"
    "#how-do-i-pass-cookies-to-yt-dlp  for how to manually pass cookies"
)
REPORT = "; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the template"
MESSAGES = {
    "private": [
        "ERROR: [youtube] a1: Private video. Sign in if you've been granted access to this video." + HINT,
        "ERROR: [youtube] a1: Video unavailable. This video is private",
    ],
    "removed": [
        "ERROR: [youtube] a1: Video unavailable",
        "ERROR: [youtube] a1: Video unavailable. This video has been removed by the uploader",
        "ERROR: [youtube] a1: This video has been removed for violating YouTube's Terms of Service",
        "ERROR: [youtube] a1: Video unavailable. This video is no longer available because the YouTube account "
        "associated with this video has been terminated.",
        "ERROR: [youtube] a1: Video unavailable. This video is no longer available due to a copyright claim by Sports",
        "ERROR: [youtube] a1: This video is not available",
        "ERROR: [youtube] a1: This live stream recording is not available.",
        "ERROR: [generic] a1: Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404>)",
        "ERROR: [generic] a1: Unable to download webpage: HTTP Error 410: Gone (caused by <HTTPError 410: Gone>)",
        "ERROR: [youtube:truncated_id] a1: Incomplete YouTube ID a1. URL looks truncated.",
    ],
    "age wall": [
        "ERROR: [youtube] a1: Sign in to confirm your age. This video may be inappropriate for some users." + HINT,
        "ERROR: [youtube] a1: This video is age-restricted and only available on YouTube",
    ],
    "bot wall": [
        "ERROR: [youtube] a1: Sign in to confirm you’re not a bot." + HINT,
        "ERROR: [youtube] a1: Sign in to confirm you're not a bot. This helps protect our community. Learn more",
        "ERROR: [youtube] a1: Video unavailable. YouTube is requiring a captcha challenge before playback",
        "ERROR: [youtube] a1: Please sign in." + HINT,
        "ERROR: [generic] Got HTTP Error 403 caused by Cloudflare anti-bot challenge; try again with  --extractor-args",
    ],
    "geo": [
        "ERROR: [youtube] a1: Video unavailable. The uploader has not made this video available in your country",
        "ERROR: [youtube] a1: The uploader has not made this video available in your country\n"
        "This video is available in Japan.\nYou might want to use a VPN or a proxy server (with --proxy).",
        "ERROR: [youtube] a1: Video unavailable. This video contains content from SME, who has blocked it in your "
        "country on copyright grounds",
        "ERROR: [generic] a1: This video is not available from your location due to geo restriction",
    ],
    "members only": [
        "ERROR: [youtube] a1: Join this channel to get access to members-only content like this video and perks.",
        "ERROR: [youtube] a1: This video is available to this channel's members on level: Fan (or any higher level).",
        "ERROR: [youtube] a1: This video requires payment to watch.",
    ],
    "rate limited": [
        "ERROR: unable to download video data: HTTP Error 429: Too Many Requests",
        "ERROR: [youtube] a1: Video unavailable. This content isn’t available, try again later. The current session "
        "has been rate-limited by YouTube for up to an hour. It is recommended to use `-t sleep`",
    ],
    "refused": ["ERROR: unable to download video data: HTTP Error 403: Forbidden"],
    "network": [
        "ERROR: unable to download video data: HTTP Error 503: Service Unavailable",
        "ERROR: [youtube] a1: Unable to download API page: [Errno -3] Temporary failure in name resolution (caused by "
        "TransportError('[Errno -3] Temporary failure in name resolution'))" + REPORT,
        "ERROR: [youtube] a1: Unable to download webpage: The read operation timed out",
        "ERROR: \r[download] Got error: 29726 bytes read, 29726 more expected. Giving up after 10 retries",
        "ERROR: unable to download video data: [Errno 104] Connection reset by peer",
        "ERROR: unable to download video data: <urlopen error [Errno 101] Network is unreachable>",
        "ERROR: [youtube] a1: Unable to download webpage: ('Unable to connect to proxy', OSError('407'))",
        "ERROR: [youtube] a1: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
        "ERROR: Did not get any data blocks",
        "ERROR: The downloaded file is empty",
    ],
    "not a video": ["ERROR: Unsupported URL: http://wifi.example.org/login"],
    "no format": [
        "ERROR: [youtube] a1: Requested format is not available. Use --list-formats for a list of available formats",
        "ERROR: [youtube] a1: This video is DRM protected",
    ],
    "not yet": [
        "ERROR: [youtube] a1: Premieres in 3 hours",
        "ERROR: [youtube] a1: This live event will begin in a few moments.",
    ],
    "extractor": [
        "ERROR: [youtube] a1: Failed to extract any player response" + REPORT,
        "ERROR: [youtube] a1: Unable to extract uploader id" + REPORT,
    ],
    "disk": [
        "ERROR: unable to open for writing: [Errno 13] Permission denied: 'video.mp4.part'",
        "ERROR: unable to write data: [Errno 28] No space left on device",
        f"[Errno {errno.EDQUOT}] {os.strerror(errno.EDQUOT)}",
    ],
    "unknown": ["ERROR: [youtube] a1: Something new", ""],
}


@pytest.mark.parametrize(("kind", "message"), [(kind, text) for kind, texts in MESSAGES.items() for text in texts])
def test_a_message_is_of_its_kind(kind: str, message: str) -> None:
    assert classify(message) == kind


def test_colours_and_letters_do_not_change_the_kind() -> None:
    assert classify("\x1b[0;31mERROR:\x1b[0m [youtube] a1: PRIVATE VIDEO") == "private"


def test_a_reason_is_one_short_line_without_advice_for_a_command_line() -> None:
    assert tidy(MESSAGES["bot wall"][0]) == "[youtube] a1: Sign in to confirm you’re not a bot."
    assert tidy(MESSAGES["extractor"][0]) == "[youtube] a1: Failed to extract any player response"
    assert tidy(MESSAGES["removed"][7]).endswith("HTTP Error 404: Not Found")
    for texts in MESSAGES.values():
        assert all("\n" not in tidy(text) and len(tidy(text)) <= 300 for text in texts)


def test_every_kind_has_a_known_time_to_try_again_and_the_retryable_ones_advice() -> None:
    for kind, rule in KINDS.items():
        assert rule.again in ("now", "later", "cookies", "proxy", "never"), kind
        assert bool(rule.advice) == rule.retryable, kind


@pytest.mark.parametrize(
    ("kind", "plain", "with_cookies", "with_proxy"),
    [
        ("network", True, True, True),
        ("bot wall", True, True, True),
        ("age wall", False, True, False),
        ("geo", False, False, True),
        ("private", False, False, False),
        ("a kind of a later version", True, True, True),
    ],
)
def test_what_is_due_depends_on_what_the_run_has(kind: str, plain: bool, with_cookies: bool, with_proxy: bool) -> None:
    assert is_due(kind, cookies=False, proxy=False) is plain
    assert is_due(kind, cookies=True, proxy=False) is with_cookies
    assert is_due(kind, cookies=False, proxy=True) is with_proxy
