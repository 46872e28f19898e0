"""Clips that are made once a session, and the bodies that ByteNite published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builders_media import Clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Small clips, whole and broken; each is made when it is first asked for."""
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="session")
def body():
    """A published body by its name."""

    def read(name):
        return json.loads((Path(__file__).parent / "bodies" / f"{name}.json").read_text())

    return read
