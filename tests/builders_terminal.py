"""The real program on a terminal, from start to end."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time


def on_a_terminal(project, *arguments, answers=(), seconds=120, **environment):
    """Exit code and everything that was shown; `answers` are (what is waited for, what is typed)."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=project.folder,
        env=project.env(TERM="xterm-256color", **environment),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown, waiting, until = "", list(answers), time.monotonic() + seconds
    while (read := _read(master, until)) is not None:
        shown += read
        if waiting and waiting[0][0] in shown:
            os.write(master, waiting.pop(0)[1].encode())
    os.close(master)
    return process.wait(30), shown.replace("\r\n", "\n")


def _read(master, until):
    """What came; None at the end."""
    assert time.monotonic() < until, "the program does not end"
    if not select.select([master], [], [], 0.2)[0]:
        return ""
    try:
        read = os.read(master, 65536)
    except OSError:
        return None
    return read.decode(errors="replace") if read else None
