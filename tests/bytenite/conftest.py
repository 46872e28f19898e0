"""Clips that are made once a session."""

from __future__ import annotations

import pytest

from builders_media import Clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Small clips, whole and broken; each is made when it is first asked for."""
    return Clips(tmp_path_factory.mktemp("clips"))
