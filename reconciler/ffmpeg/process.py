"""One ffmpeg process: started apart from ours, heard out, stopped for good."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.progress import Progress, ProgressReader

# What a program may need to be found and to find its libraries; nothing that may be a secret, and nothing that
# makes ffmpeg write files of its own (FFREPORT).
_KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT", "FONTCONFIG_FILE", "FONTCONFIG_PATH")

_LISTENING = 0.1

# How long ffmpeg may take to end by itself. Nothing is kept of what it writes then, and several jobs may have
# to be stopped one after the other within five seconds.
_GRACE = 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. A negative code is the signal that ended it; `stopped` says why we did, if we did."""

    code: int
    complaints: Complaints
    stopped: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether ffmpeg says that all went well, which proves nothing."""
        return self.code == 0 and self.stopped is None

    def reason(self) -> str:
        """Why it did not go well, in one line."""
        if self.stopped is not None:
            return self.stopped
        said = self.complaints.reason()
        if self.code < 0 and not self.complaints.no_space:
            return f"ffmpeg was killed by signal {-self.code}"
        return said or f"ffmpeg ended with code {self.code} and said nothing"


def environment_for(environment: Mapping[str, str]) -> dict[str, str]:
    """The little of an environment that ffmpeg gets."""
    kept = {name: environment[name] for name in _KEPT if name in environment}
    return {**kept, "LC_ALL": "C", "SVT_LOG": "1"}


class Process:
    """A running ffmpeg, in a session and process group of its own, so that an interrupt in a terminal is ours."""

    def __init__(
        self,
        program: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        complaints: Complaints | None = None,
    ) -> None:
        """Start it; OSError if it cannot be. `complaints` takes what it says on its error stream."""
        self._popen = subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment_for(environment),
            start_new_session=True,
        )
        # Its pid, and when it started in seconds since the epoch: together they name one process for good.
        self.identity = (self._popen.pid, _start_time(self._popen.pid))
        self._complaints = Complaints() if complaints is None else complaints

    def follow(
        self,
        report: Callable[[Progress], None],
        why_stop: Callable[[], str | None],
        clock: Callable[[], float],
    ) -> Ended:
        """Hear it out to its end. As soon as `why_stop` gives a reason, it is stopped."""
        stopped: str | None = None
        killed_at: float | None = None
        pipes = _Pipes(self._popen, report, self._complaints)
        while pipes.listen(_LISTENING) or self._popen.poll() is None:
            if stopped is None and (stopped := why_stop()) is not None:
                self.signal(signal.SIGINT)
                killed_at = clock() + _GRACE
            if killed_at is not None and clock() >= killed_at:
                self.signal(signal.SIGKILL)
        pipes.close()
        return Ended(self._popen.wait(), self._complaints, stopped)

    def busy_seconds(self) -> int:
        """How many whole seconds of processor time it has used."""
        try:
            used = psutil.Process(self._popen.pid).cpu_times()
        except psutil.Error:
            return 0
        return int(used.user + used.system)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; one that is gone is no error."""
        if self._popen.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, number)


class _Pipes:
    """Both output streams of a process, read as they come, so that neither ever fills up and blocks it."""

    def __init__(
        self, popen: subprocess.Popen[bytes], report: Callable[[Progress], None], complaints: Complaints
    ) -> None:
        self._reader = ProgressReader()
        self._report = report
        self._complaints = complaints
        self._rest = b""
        self._popen = popen
        self._selector = selectors.DefaultSelector()
        for pipe, take in ((popen.stdout, self._progress), (popen.stderr, self._complain)):
            assert pipe is not None, "both are opened as pipes"
            self._selector.register(pipe, selectors.EVENT_READ, take)

    def listen(self, seconds: float) -> bool:
        """Take what comes within some time; False once both streams have ended, and then wait for the process."""
        if not self._selector.get_map():
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(seconds)
            return False
        for key, _ in self._selector.select(seconds):
            data = os.read(key.fd, 65_536)
            key.data(data)
            if not data:
                self._selector.unregister(key.fileobj)
        return True

    def close(self) -> None:
        """Let go of both streams."""
        self._selector.close()
        for pipe in (self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                pipe.close()

    def _progress(self, data: bytes) -> None:
        for progress in self._reader.feed(data.decode("utf-8", "replace")):
            self._report(progress)

    def _complain(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data and self._rest:
            lines, self._rest = [self._rest], b""
        for line in lines:
            self._complaints.add(line.decode("utf-8", "replace").rstrip("\r"))


def _start_time(pid: int) -> float:
    """When a process of ours started, in seconds since the epoch."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0
