"""What all tests share: the builders beside this file, clips that are made once, and how many tests run at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from builders_media import Clips

# Many tests wait, for servers and for what is asked again, and leave their core to others meanwhile.
MORE_THAN_CORES = 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """How many workers -n auto starts."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + MORE_THAN_CORES


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Small clips, whole and broken; each is made when a test of any worker first asks for it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "clips"
    folder.mkdir(exist_ok=True)
    return Clips(folder)
