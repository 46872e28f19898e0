"""Starting, hearing out and stopping processes, with small scripts in ffmpeg's place."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import psutil
import pytest

from reconciler.ffmpeg.process import Process, environment_for


def script(text, environment=None):
    """A Python program in the place of ffmpeg."""
    return Process(sys.executable, ["-c", text], environment or {})


def follow(process, *, why_stop=lambda: None):
    """How a process ended, and what it reported."""
    reports = []
    return process.follow(reports.append, why_stop, time.monotonic), reports


def test_both_streams_are_drained():
    """Megabytes on both streams block nothing, and the end is heard."""
    text = (
        "import sys\nfor n in range(40000):\n sys.stderr.write('[h264 @ 0x1] [error] no\\n' * 2)\n"
        " print('out_time_us=1')\nprint('progress=end')"
    )
    ended, reports = follow(script(text))
    assert ended.succeeded
    assert ended.complaints.source_errors == 80_000
    assert len(reports) == 1


def test_a_last_line_without_an_end_counts():
    """What is said with the last breath is often why."""
    ended, _ = follow(script("import sys\nsys.stderr.write('[error] out of luck')\nsys.exit(5)"))
    assert (5, "out of luck") == (ended.code, ended.reason())


def test_silence_is_said():
    """A process that ends badly without a word is described by its code."""
    ended, _ = follow(script("import sys\nsys.exit(5)"))
    assert ended.reason() == "ffmpeg ended with code 5 and said nothing"


def test_a_signal_from_outside_is_named():
    """A killed process is told from one that failed."""
    process = script("import time\ntime.sleep(60)")
    threading.Timer(0.3, process.signal, [signal.SIGKILL]).start()
    ended, _ = follow(process)
    assert ended.reason() == "ffmpeg was killed by signal 9"
    assert not ended.succeeded


def test_a_process_is_asked_to_stop():
    """One that listens to SIGINT ends by itself, at once."""
    began = time.monotonic()
    ended, _ = follow(script("import time\ntime.sleep(60)"), why_stop=lambda: "enough")
    assert time.monotonic() - began < 2
    assert ended.reason() == "enough"


@pytest.mark.parametrize(
    "deaf", ["signal.signal(signal.SIGINT, signal.SIG_IGN)", "os.kill(os.getpid(), signal.SIGSTOP)"]
)
def test_a_process_that_does_not_stop_is_killed(deaf):
    """One that is deaf, or stopped, is killed after half a second, with all its children."""
    text = f"import os, signal, subprocess, sys, time\nprint('progress=continue', flush=True)\n{deaf}\n"
    text += "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\ntime.sleep(60)"
    process = script(text)
    reports = []
    began = time.monotonic() + 1
    ended = process.follow(reports.append, lambda: "enough" if time.monotonic() > began else None, time.monotonic)
    assert reports
    assert 0.4 < time.monotonic() - began < 3
    assert ended.reason() == "enough"
    assert not psutil.pid_exists(process.identity[0])


def test_it_has_a_group_of_its_own():
    """An interrupt in the terminal is for us; the process is stopped by us, not by the terminal."""
    process = script("import time\ntime.sleep(60)")
    pid, started = process.identity
    assert os.getpgid(pid) == pid != os.getpgid(0)
    assert started == pytest.approx(psutil.Process(pid).create_time())
    follow(process, why_stop=lambda: "enough")


def test_no_secret_is_inherited():
    """Of the environment only what finds programs and libraries goes along."""
    given = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "BYTENITE_API_KEY": "y", "FFREPORT": "file=/tmp/report"}
    assert environment_for(given) == {"PATH": "/bin", "LC_ALL": "C", "SVT_LOG": "1"}
    ended, _ = follow(script("import os, sys\nsys.exit('BYTENITE_API_KEY' in os.environ)", given))
    assert ended.succeeded
