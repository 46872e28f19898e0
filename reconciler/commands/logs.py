"""What libraries log, for whoever asked with -v."""

from __future__ import annotations

import logging
import sys

from reconciler.io.redact import RedactingFilter


def show_logs() -> None:
    """Show every log record on stderr, without credentials and query strings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
