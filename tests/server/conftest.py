"""The bodies that ByteNite published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def body():
    """A published body by its name."""

    def read(name):
        return json.loads((Path(__file__).parent / "bodies" / f"{name}.json").read_text())

    return read
