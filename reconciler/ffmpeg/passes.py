"""The passes over a source that come before its encode, and the look at what was made that needs ffmpeg too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.encode import Output, Source
from reconciler.core.errors import RejectedError
from reconciler.core.packages import is_package
from reconciler.core.sound_fields import Loudness
from reconciler.ffmpeg import loudness
from reconciler.ffmpeg.arguments import Target, first_pass, hearing, sounds_to_hear
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.facts import MediaFacts
from reconciler.ffmpeg.findings import Findings, Heard
from reconciler.ffmpeg.loudness import Measured, Report
from reconciler.ffmpeg.process import Ended

Run = Callable[[Sequence[str], Path, Complaints], Ended]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at an output's sound says: what is wrong, what is odd."""

    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of one job: its source as a local file, and how ffmpeg is run; `run` is told the part it works for."""

    source: Source
    path: str
    facts: MediaFacts
    run: Run

    def find(self, wanted: Sequence[tuple[Output, Path]]) -> Findings:
        """All that the encode of these outputs, each with its part, goes by. Raises RejectedError."""
        heard: dict[Heard, Measured] = {}
        for output, part in wanted:
            for sound in sounds_to_hear(output.parameters, self.source.trim, self.facts):
                if sound not in heard:
                    heard[sound] = self._measured(sound, part)
        return Findings(heard)

    def first(self, targets: Sequence[Target], part: Path, threads: int | None) -> str | None:
        """Look at the pictures of all targets in two passes; why that failed, if it did."""
        command = first_pass(self.source, self.path, targets, str(part), facts=self.facts, threads=threads)
        ended = self.run(command, part, Complaints()) if command is not None else None
        return ended.reason() if ended is not None and not ended.succeeded else None

    def look(self, output: Output, part: Path, findings: Findings) -> Verdict:
        """Whether the sound of a file came out as loud as it was to be. A package is not heard again."""
        if is_package(output.parameters):
            return Verdict()
        wrong: list[str] = []
        notes: list[str] = []
        for number, sound in enumerate(sounds_to_hear(output.parameters, self.source.trim, self.facts)):
            source = findings.loudness.get(sound)
            if source is not None and sound.wish is not None:
                made = self._of_file(part, number, sound.wish)
                wrong += loudness.unlike(sound.wish, source, made)
                notes += loudness.oddities(sound.wish, source, made)
        return Verdict(tuple(wrong), tuple(notes))

    def notes(self, output: Output, findings: Findings) -> list[str]:
        """What the passes found that an output is concerned by."""
        said: list[str] = []
        for sound in sounds_to_hear(output.parameters, self.source.trim, self.facts):
            measured = findings.loudness.get(sound)
            if measured is not None and sound.wish is not None:
                said += loudness.notes(sound.wish, measured)
        return said

    def _measured(self, sound: Heard, part: Path) -> Measured:
        command = hearing(self.source, self.path, sound, self.facts, str(part))
        return self._heard(command, part)

    def _of_file(self, part: Path, number: int, wish: Loudness) -> Measured:
        made = Source("file", part.name, str(part))
        command = hearing(made, str(part), Heard(f"0:a:{number}", (), wish), None, str(part))
        return self._heard(command, part)

    def _heard(self, command: Sequence[str], part: Path) -> Measured:
        report = Report()
        ended = self.run(command, part, report)
        found = loudness.read_measured(report.lines) if ended.succeeded else None
        if found is None:
            raise RejectedError(f"the loudness cannot be measured: {ended.reason()}")
        return found
