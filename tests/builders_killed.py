"""What a killed apply left: processes, journal lines, and the outputs that were whole already."""

from __future__ import annotations

import json

import psutil


def strays(project):
    """Processes that still work in the project's folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if any(str(project.folder / "outputs") in word for word in command):
            found.append(command)
    return found


def journal(project):
    """The whole lines of the journal so far."""
    path = project.folder / "state/encodes.journal.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def finished(project):
    """What the journal says was verified: its file, wherever it is now, by address."""
    found = {}
    for event in journal(project):
        for address, record in event.get("records", {}).items():
            output = record.get("output")
            if event["event"] in {"verified", "published"} and output is not None:
                for name in (output["path"], output.get("temp")):
                    path = project.folder / name if name else None
                    if path is not None and path.exists():
                        found[address] = (path.stat().st_size, path.stat().st_mtime_ns)
    return found
