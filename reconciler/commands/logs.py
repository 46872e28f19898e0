"""What libraries log, for whoever asked with -v."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable

from reconciler.io.redact import RedactingFilter

_PATH_OF_URL = re.compile(r"https?://[^/?#]*(/[^?#]{3,})", re.IGNORECASE)


def show_logs(environment: Iterable[str]) -> None:
    """Show every log record on stderr, without credentials, query strings and paths of URLs in the environment."""
    handler = logging.StreamHandler(sys.stderr)
    hidden = [match[1] for value in environment if (match := _PATH_OF_URL.match(value))]
    handler.addFilter(RedactingFilter(hidden))
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
