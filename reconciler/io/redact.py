"""Nothing secret in what people read: query strings and credentials of URLs are cut out of any text."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

_URL = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<user>[^/\s@?#]*@)?(?P<rest>[^\s?#\"'<>]*)(?P<query>[?#][^\s\"'<>]*)?"
)


def redact(text: str) -> str:
    """`text` with every URL cut down to scheme, host and path."""
    return _URL.sub(lambda match: match["scheme"] + match["rest"] + ("?..." if match["query"] else ""), text)


def shown(url: str) -> str:
    """A URL as it may be shown: scheme, host, port and path."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


class RedactingFilter(logging.Filter):
    """Cuts secrets out of every log record before anything writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the message with its arguments; the record always passes."""
        record.msg, record.args = redact(record.getMessage()), ()
        return True
