"""A journal that may not grow any further; for machines where nobody can mount a small disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from builders_state import PROJECT
from reconciler.store.store import read

TESTS = Path(__file__).parent.parent

# The limit is lifted before the last event, as if room had been made.
LIMITED = """\
import resource, signal, sys
from pathlib import Path
from builders_state import PROJECT, known
from reconciler.core.errors import StateError
from reconciler.store.store import Writer

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
writer, taken = Writer(Path(sys.argv[1]), PROJECT), 0
try:
    while True:
        writer.record("written", records={f"a/{taken:04}": known(1)})
        taken += 1
except StateError as error:
    print(error)
assert taken == len(writer.snapshot.records)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
writer.record("written", records={f"a/{taken:04}": known(1)})
print(taken + 1, flush=True)
writer.close()
"""


def test_an_event_that_does_not_fit_is_refused_whole(tmp_path):
    """The error says so, what was recorded before stands, and with room again recording goes on."""
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "encodes.json")]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert "" == done.stderr
    *words, taken = done.stdout.splitlines()

    assert f"{tmp_path}/encodes.journal.jsonl: the journal cannot be written: File too large." == words[0]
    assert 10 < int(taken)
    loaded = read(tmp_path / "encodes.json", PROJECT)
    assert ([f"a/{number:04}" for number in range(int(taken))], ()) == (list(loaded.snapshot.records), loaded.warnings)
