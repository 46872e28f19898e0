"""The passes over a source that come before its encode, and the look at what was made that needs ffmpeg too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.core.checks import Checks
from reconciler.core.encode import Output, Source
from reconciler.core.errors import RejectedError
from reconciler.core.packages import is_package
from reconciler.core.parameters import Crop, Parameters, Video
from reconciler.core.sound_fields import Loudness
from reconciler.ffmpeg import averages, bars, loudness, pass_logs, quality_search
from reconciler.ffmpeg.arguments import (
    Target,
    arguments,
    first_pass,
    hearing,
    looking_for_bars,
    sounds_to_hear,
)
from reconciler.ffmpeg.comparison import Subject
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.encoders import encoder_of
from reconciler.ffmpeg.facts import MediaFacts, video_track, wanted_span
from reconciler.ffmpeg.findings import Findings, Heard
from reconciler.ffmpeg.inserts import AS_WRITTEN, Inserts
from reconciler.ffmpeg.loudness import Measured, Report
from reconciler.ffmpeg.package_quality import as_one_file
from reconciler.ffmpeg.packages import layout
from reconciler.ffmpeg.process import Ended
from reconciler.ffmpeg.quality import Checker
from reconciler.ffmpeg.quality_search import Found
from reconciler.ffmpeg.segments import stuff

Run = Callable[[Sequence[str], Path, Complaints], Ended]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at an output says: what is wrong, what is odd."""

    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of one job: its source as a local file, and how ffmpeg is run; `run` is told the part it works for."""

    source: Source
    path: str
    facts: MediaFacts
    run: Run
    inserts: Inserts = AS_WRITTEN
    _bars: list[Crop] = field(default_factory=list)

    def find(self, wanted: Sequence[tuple[Output, Path]]) -> Findings:
        """All that the encode of these outputs, each with its part, goes by. Raises RejectedError."""
        heard: dict[Heard, Measured] = {}
        for output, part in wanted:
            for sound in sounds_to_hear(output.parameters, self.source.trim, self.facts):
                if sound not in heard:
                    heard[sound] = self._measured(sound, part)
        return Findings(heard)

    def bars(self, part: Path) -> Crop:
        """The black bars around the picture, looked for once. Raises RejectedError."""
        track = video_track(self.facts)
        assert track is not None, "an output with a picture"
        if not self._bars:
            report = Report()
            ended = self.run(looking_for_bars(self.source, self.path, self.facts, str(part)), part, report)
            if not ended.succeeded:
                raise RejectedError(f"black bars cannot be looked for: {ended.reason()}")
            self._bars.append(bars.read_bars(report.lines, track))
        return self._bars[0]

    def crf_of(self, video: Video, target: float, checker: Checker, part: Path, folder: Path) -> Found:
        """The crf with which a picture scores `target`, by samples that lie in `folder` meanwhile.

        Raises ValueError if there is none, RejectedError where pictures cannot be compared, UnavailableError.
        """
        trim = self.source.trim
        track = video_track(self.facts)
        assert track is not None, "an output with a picture"
        pieces = quality_search.samples(wanted_span(self.facts, track, trim)[1], trim)
        sample = Sampler(self, checker, folder / "sample.mkv", part)

        def score(crf: float) -> float:
            picture = video.model_copy(update={"quality": None, "crf": crf, "watermark": None})
            scores = [sample.score(picture, replace(self.source, trim=piece)) for piece in pieces]
            return sum(scores) / len(scores)

        return quality_search.search(score, target, encoder_of(video))

    def first(self, targets: Sequence[Target], part: Path, threads: int | None) -> str | None:
        """Look at the pictures of all targets in two passes; why that failed, if it did. Raises OSError."""
        command = first_pass(
            self.source, self.path, targets, str(part), facts=self.facts, threads=threads, inserts=self.inserts
        )
        if command is None:
            return None
        ended = self.run(command, part, Complaints())
        if not ended.succeeded:
            return ended.reason()
        pass_logs.keep(command)
        return None

    def look(self, output: Output, part: Path, findings: Findings, folder: Path) -> Verdict:
        """Whether an output came out as loud, and with the averages, that it was to have; files lie in `folder`.

        Raises RejectedError, OSError.
        """
        wrong: list[str] = []
        notes = list(averages.notes(output.parameters, averages.rates_of(part, output.parameters, self.facts)))
        for wanted, file in self._files(output, part, folder):
            for number, sound in enumerate(sounds_to_hear(wanted, self.source.trim, self.facts)):
                source = findings.loudness.get(sound)
                if source is not None and sound.wish is not None:
                    made = self._of_file(file, part, number, sound.wish)
                    wrong += loudness.unlike(sound.wish, source, made)
                    notes += loudness.oddities(sound.wish, source, made)
        return Verdict(tuple(dict.fromkeys(wrong)), tuple(dict.fromkeys(notes)))

    def _files(self, output: Output, part: Path, folder: Path) -> Iterator[tuple[Parameters, Path]]:
        """What can be heard of an output, each as one file that is there until the next is asked for."""
        if not is_package(output.parameters):
            yield output.parameters, part
            return
        for stream in layout(output.parameters, self.facts).streams:
            if sounds_to_hear(stream.parameters, self.source.trim, self.facts):
                stuff(part / stream.name)
                folder.mkdir(exist_ok=True)
                with as_one_file(part, stream, folder) as file:
                    yield stream.parameters, file

    def notes(self, output: Output, findings: Findings) -> list[str]:
        """What the passes found that an output is concerned by."""
        said: list[str] = []
        for sound in sounds_to_hear(output.parameters, self.source.trim, self.facts):
            measured = findings.loudness.get(sound)
            if measured is not None and sound.wish is not None:
                said += loudness.notes(sound.wish, measured)
        return list(dict.fromkeys(said))

    def _measured(self, sound: Heard, part: Path) -> Measured:
        command = hearing(self.source, self.path, sound, self.facts, str(part))
        return self._heard(command, part)

    def _of_file(self, file: Path, part: Path, number: int, wish: Loudness) -> Measured:
        made = Source("file", file.name, str(file))
        command = hearing(made, str(file), Heard(f"0:a:{number}", (), wish), None, str(part))
        return self._heard(command, part)

    def _heard(self, command: Sequence[str], part: Path) -> Measured:
        report = Report()
        ended = self.run(command, part, report)
        found = loudness.read_measured(report.lines) if ended.succeeded else None
        if found is None:
            raise RejectedError(f"the loudness cannot be measured: {ended.reason()}")
        return found


@dataclass(frozen=True, slots=True)
class Sampler:
    """Encodes parts of a source into one file after the other, and compares each with the source."""

    passes: Passes
    checker: Checker
    file: Path
    part: Path

    def score(self, picture: Video, source: Source) -> float:
        """The mean VMAF of one part. Raises RejectedError, UnavailableError."""
        wanted = Parameters(container="mkv", video=picture)
        target = Target(wanted, str(self.file))
        command = arguments(source, self.passes.path, [target], facts=self.passes.facts)
        ended = self.passes.run(command, self.part, Complaints())
        if not ended.succeeded:
            raise RejectedError(f"a sample cannot be encoded: {ended.reason()}")
        subject = Subject(str(self.file), wanted, source, self.passes.path or None)
        measured = self.checker.measure(subject, Checks(min_vmaf=0.0), lambda _: None, lambda: False)
        if measured.vmaf is None:
            raise RejectedError("a sample cannot be compared with its source")
        return measured.vmaf.mean
