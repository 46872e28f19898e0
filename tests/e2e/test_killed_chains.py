"""kill -9 while a chain is made: the next apply goes on where it stopped, in order."""

from __future__ import annotations

import signal
import time

import pytest

from builders_killed import finished, journal, strays
from builders_project import Project, generated, tiny
from builders_remote import SMALL, instant_clip, remote_project
from builders_server import serving_api

SPEC = f"""\
version: 1
project: killed
encodes:
  ladder: {{source: {{encode: mezz/master}}, outputs: {{big: {tiny(30)}, small: {tiny(34)}}}}}
  mezz: {{source: "{generated(2)}", outputs: {{master: {tiny(12)}}}}}
"""
EVERY = {"ladder/big", "ladder/small", "mezz/master"}


@pytest.mark.parametrize("lines", [1, 3, 5, 6, 7, 9, 11, 13])
def test_killed_after_a_journal_line(tmp_path, lines):
    """Killed as soon as a line is there: what was whole stays, and the rungs hold the mezzanine that is there."""
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", SPEC)
    process = project.start("apply", "--auto-approve")
    while process.poll() is None and len(journal(project)) < lines:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = finished(project)

    project.apply().ok()
    records, files = project.records(), project.files()
    assert dict.fromkeys(EVERY, "complete") == {address: record["status"] for address, record in records.items()}
    assert before == {address: files[f"{address}.mp4"] for address in before}
    digest = records["mezz/master"]["output"]["sha256"]
    assert {digest} == {records[name]["source"]["sha256"] for name in ("ladder/big", "ladder/small")}
    assert [] == strays(project)
    assert 0 == project.run("plan", "--detailed-exitcode").code


PAID = f"""\
version: 1
project: killed
providers: {{bytenite: {{type: bytenite, api_url: "${{env.BYTENITE_API_URL}}", requests_per_second: 1000}}}}
encodes:
  ladder: {{source: {{encode: mezz/master}}, provider: bytenite, outputs: {{big: {SMALL.replace("CRF", "30")}}}}}
  mezz: {{source: "{generated()}", outputs: {{master: {tiny(12)}}}}}
"""


@pytest.mark.parametrize("lines", [6, 8, 9, 10, 11])
def test_a_paid_ladder_is_started_once(tmp_path, lines):
    """Killed around the start of a paid job that is made from a file of ours: it is paid once, and brought in."""
    clip = instant_clip(tmp_path)
    with serving_api(tmp_path, instant=clip, instant_seconds=0.5) as api:
        project = remote_project(tmp_path / "project", api, PAID)
        process = project.start("apply", "--auto-approve")
        while process.poll() is None and len(journal(project)) < lines:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()

        project.apply().ok()
        statuses = {address: record["status"] for address, record in project.records().items()}
        assert {"ladder/big": "complete", "mezz/master": "complete"} == statuses
        assert [1] == list(api.all_starts().values())
        assert 0 == project.run("plan", "--detailed-exitcode").code
