"""One browser for all tests here."""

from __future__ import annotations

import os

import pytest

from builders_browser import chromium, missing


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Headless Chromium. What is missing skips a test, or fails it where `BROWSER_TESTS=required`."""
    if lost := missing():
        stop = pytest.fail if os.environ.get("BROWSER_TESTS") == "required" else pytest.skip
        stop(f"missing: {'; '.join(lost)}")
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver
