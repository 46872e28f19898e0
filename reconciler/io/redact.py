"""Nothing secret in what people read: query strings and credentials of URLs are cut out of any text."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable
from urllib.parse import urlsplit

# An authority may hold a password with an @ or a slash that nobody escaped: after a colon that no port follows,
# everything up to the last @ is taken for credentials.
_URL = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)"
    r"(?:[^/\s@?#\"<>:]*:(?!\d+(?:[/?#\s]|$))[^\s\"<>]*@|[^/\s?#\"<>]*@)?"
    r"(?P<rest>[^\s?#\"<>]*)(?P<query>[?#][^\s\"<>]*)?"
)
# A query without its URL, as libraries log it: GET /master.mov?X-Amz-Signature=...
_QUERY = re.compile(r"\?[^\s\"<>?=]+=[^\s\"<>]*")
# A signature that is a step of a path: /hdnts=exp=1~hmac=2/master.m3u8, with or without escapes, or a JSON Web Token.
_STEP = re.compile(
    r"/(?:[A-Za-z_-]{1,20}(?:=|%3D)[^/\s?#\"<>]*(?:hmac|signature)(?:=|%3D)[^/\s?#\"<>]*"
    r"|eyJ[\w-]{5,}\.[\w-]{8,}\.[\w-]{8,}(?=[/\s?#\"<>]|$))",
    re.IGNORECASE,
)
_CUT = "?..."


def redact(text: str) -> str:
    """`text` with every URL cut down to scheme, host and path, every query and every signature in a path cut off."""
    without = _URL.sub(lambda match: match["scheme"] + match["rest"] + (_CUT if match["query"] else ""), text)
    return _STEP.sub("/...", _QUERY.sub(_CUT, without))


def shown(url: str) -> str:
    """A URL as it may be shown: scheme, host, port and unsigned path. What is no URL is redacted as any text."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return redact(url)
    if not parts.scheme or not host:
        return redact(url)
    bracketed = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{bracketed}{f':{port}' if port is not None else ''}{_STEP.sub('/...', parts.path)}"


class RedactingFilter(logging.Filter):
    """Cuts secrets out of every log record before anything writes it. `hidden` are texts that are cut out too."""

    def __init__(self, hidden: Iterable[str] = ()) -> None:
        super().__init__()
        self._hidden = tuple(hidden)

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the message with its arguments, and the traceback; the record always passes."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # A library whose arguments do not fit its message must not end a run.
            message = str(record.msg)
        for text in self._hidden:
            message = message.replace(text, "/...")
        record.msg, record.args = redact(message), ()
        if record.exc_info and not isinstance(record.exc_info, bool):
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        return True
