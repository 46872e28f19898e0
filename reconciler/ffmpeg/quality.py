"""What the checks of an output ask for, measured: lengths, gaps, decoding errors, and pictures beside the source's.

Comparing is a process of its own: beside an encode, libvmaf queues frames without bound.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.checks import (
    CheckResult,
    Checks,
    Decoded,
    Measured,
    Scores,
    TrackEnd,
    judge,
    subsample,
    vmaf_model,
)
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.core.parameters import Parameters
from reconciler.ffmpeg.arguments import audio_track, has_audio, has_video
from reconciler.ffmpeg.comparison import SHIFTS, STRAIGHT, Pair, Shift, Subject, comparison, pair_of
from reconciler.ffmpeg.escaping import escaped
from reconciler.ffmpeg.facts import MediaFacts, Track, video_track, wanted_span
from reconciler.ffmpeg.formats import input_arguments
from reconciler.ffmpeg.generated import generated_facts
from reconciler.ffmpeg.probe import probe
from reconciler.ffmpeg.process import Ended, Process
from reconciler.ffmpeg.progress import Progress
from reconciler.ffmpeg.sound import codec_delay
from reconciler.ffmpeg.verify import expected_sounds

_GLOBAL = [
    *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning"),
    *("-progress", "pipe:1", "-stats_period", "0.5"),
]
# A score that rises by so much when one side is one frame later belongs to pictures that are out of step.
_OUT_OF_STEP = 10.0


class Checker:
    """Measures finished outputs with one ffmpeg at a time.

    A measurement may take `patience` seconds for each second of media, and ten minutes more. `folder` is where logs
    of ffmpeg lie meanwhile; None: where the system keeps such files.
    """

    def __init__(
        self,
        program: str,
        environment: Mapping[str, str],
        clock: Callable[[], float],
        *,
        threads: int,
        patience: float = 60.0,
        folder: Path | None = None,
    ) -> None:
        self._program, self._environment, self._clock = program, environment, clock
        self._threads, self._patience, self._folder = threads, patience, folder

    def check(
        self, subject: Subject, checks: Checks, report: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> tuple[CheckResult, ...]:
        """Measure what `checks` ask for, and judge it.

        `report` is told the share that is done, 0 to 1. Raises RejectedError if something cannot be measured here,
        UnavailableError if it was cancelled or took too long; neither says anything of the output.
        """
        return judge(checks, self.measure(subject, checks, report, cancelled))

    def measure(
        self, subject: Subject, checks: Checks, report: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Measured:
        """What `checks` ask for, without a judgement. Raises as `check`."""
        size = _size(subject.path)
        try:
            made = probe(subject.path)
        except RejectedError as error:
            return Measured(size, broken=str(error).partition(" cannot be read: ")[2] or str(error))
        if made.truncated is not None:
            return Measured(size, broken=made.truncated)
        source = self.source_facts(subject)
        pair = pair_of(subject, made, source)
        run = _Run(self, made.end, report, cancelled)
        return Measured(
            size=size,
            tracks=_tracks(subject.parameters, made, source),
            ends=tuple(_ends(subject, made, source)) if source is not None else (),
            seconds=made.end,
            gaps=tuple(_gaps(made)),
            source_size=Path(subject.source_path).stat().st_size if subject.source_path is not None else None,
            decoded=self._decoded(subject, run) if checks.decode == "full" else None,
            vmaf=self._vmaf(pair, checks, run) if _scored(checks) and pair is not None else None,
            ssim=self._ssim(pair, run) if checks.min_ssim is not None and pair is not None else None,
        )

    def run(self, arguments: Sequence[str], run: _Run) -> Ended:
        """Run ffmpeg to its end. Raises UnavailableError if it was stopped."""
        until = self._clock() + self._patience * run.seconds + 600
        process = Process(self._program, [*_GLOBAL, *arguments], self._environment)
        ended = process.follow(run.follow, lambda: run.why_stop(self._clock() > until), self._clock)
        if ended.stopped is not None:
            raise UnavailableError(f"the check was stopped: {ended.stopped}")
        return ended

    def source_facts(self, subject: Subject) -> MediaFacts | None:
        """What the source holds; None where it is not at hand. Raises RejectedError."""
        if subject.source.kind == "lavfi":
            return generated_facts(subject.source, self._program, self._environment)
        return probe(subject.source_path) if subject.source_path is not None else None

    def _decoded(self, subject: Subject, run: _Run) -> Decoded:
        """Every frame of the file, decoded."""
        words = ["-map", "0:v?", "-map", "0:a?", "-f", "null", "-"]
        ended = self.run([*input_arguments(subject.path), *words], run)
        complaints = ended.complaints
        errors = complaints.source_errors or int(not ended.succeeded)
        return Decoded(errors, complaints.first_source_error or (ended.reason() if errors else ""))

    def _vmaf(self, pair: Pair, checks: Checks, run: _Run) -> Scores:
        scores = self._scored(pair, subsample(pair.made_picture.packets), run)
        if checks.min_vmaf is not None and scores.mean < checks.min_vmaf:
            return Scores(scores.mean, scores.p1, scores.how + self._out_of_step(pair, scores.mean, run))
        return scores

    def _out_of_step(self, pair: Pair, mean: float, run: _Run) -> str:
        """Whether a bad score is one of pictures that are a frame early or late, as words to add; else nothing."""
        for word, shift in SHIFTS.items():
            shifted = self._scored(pair, 1, run, shift)
            if shifted.mean > mean + _OUT_OF_STEP:
                return f"; the picture is one frame {word}, without that it is {shifted.mean:.2f}"
        return ""

    def _scored(self, pair: Pair, every: int, run: _Run, shift: Shift = STRAIGHT) -> Scores:
        width, height = pair.size
        model = vmaf_model(width, height)
        with tempfile.TemporaryDirectory(prefix="reconciler-", dir=self._folder) as folder:
            log = Path(folder, "vmaf.json")
            options = (
                f"libvmaf=model={escaped(f'version={model}')}:n_threads={self._threads}:n_subsample={every}"
                f":log_fmt=json:log_path={escaped(str(log))}:shortest=1:ts_sync_mode=nearest"
            )
            self._compare(pair, options, run, shift)
            frames = json.loads(log.read_bytes())["frames"]
        which = "every frame" if every == 1 else f"every {every}th frame"
        return _scores([frame["metrics"]["vmaf"] for frame in frames], f"{model} at {width}x{height}, {which}")

    def _ssim(self, pair: Pair, run: _Run) -> Scores:
        with tempfile.TemporaryDirectory(prefix="reconciler-", dir=self._folder) as folder:
            log = Path(folder, "ssim.txt")
            options = f"ssim=stats_file={escaped(str(log))}:shortest=1:ts_sync_mode=nearest"
            self._compare(pair, options, run, STRAIGHT)
            lines = log.read_text().splitlines()
        values = [float(line.partition(" All:")[2].split(" ")[0]) for line in lines]
        return _scores(values, "all planes at {}x{}".format(*pair.size))

    def _compare(self, pair: Pair, options: str, run: _Run, shift: Shift) -> None:
        """Both pictures into one filter. Raises RejectedError if this ffmpeg cannot do that."""
        ended = self.run(comparison(pair, options, shift), run)
        if ended.succeeded:
            return
        reason = ended.reason()
        if "libvmaf" in reason or "No such filter" in reason:
            advice = "RECONCILER_FFMPEG names another; the one of imageio-ffmpeg for Linux can."
            raise RejectedError(f"this ffmpeg cannot compare pictures: {reason}\n  {advice}")
        raise RejectedError(f"the pictures of output and source cannot be compared: {reason}")


@dataclass(frozen=True, slots=True)
class _Run:
    """Who follows the measuring of one output that is so many seconds long."""

    checker: Checker
    seconds: float
    report: Callable[[float], None]
    cancelled: Callable[[], bool]

    def follow(self, progress: Progress) -> None:
        """Tell the share that is done."""
        if progress.seconds is not None and self.seconds > 0:
            self.report(min(progress.seconds / self.seconds, 1.0))

    def why_stop(self, late: bool) -> str | None:  # noqa: FBT001 - a fact, not an option
        """Why to stop, if so."""
        return "cancelled" if self.cancelled() else "it took too long" if late else None


def _size(path: str) -> int:
    """0 for what is not there, which the probe will say in words."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _scored(checks: Checks) -> bool:
    return checks.min_vmaf is not None or checks.min_vmaf_p1 is not None


def _scores(values: Sequence[float], how: str) -> Scores:
    """The mean, and the first percentile by nearest rank. Raises RejectedError where nothing was compared."""
    if not values:
        raise RejectedError("the pictures of output and source cannot be compared: no frame of one is in the other")
    worst = sorted(values)[math.ceil(len(values) / 100) - 1]
    return Scores(sum(values) / len(values), worst, how)


def _tracks(wanted: Parameters, made: MediaFacts, source: MediaFacts | None) -> tuple[int, int, int, int]:
    """Pictures and sounds, found and wanted; without the source, sound may be missing as it may be there."""
    if source is not None:
        return len(made.video), len(made.audio), int(has_video(wanted)), expected_sounds(wanted, source)
    sound = int(has_audio(wanted))
    if sound and wanted.audio is not None and wanted.audio.tracks is not None:
        sound = max(sound, len(made.audio))
    if sound and wanted.audio is not None and wanted.audio.missing not in {"silence", "error"}:
        sound = min(sound, len(made.audio))
    return len(made.video), len(made.audio), int(has_video(wanted)), sound


def _ends(subject: Subject, made: MediaFacts, source: MediaFacts) -> Iterator[TrackEnd]:
    """Each track's end beside that of the track it was made from."""
    trim, picture = subject.source.trim, video_track(source)
    # The clock of a transport stream begins anywhere.
    since = made.start if made.container == "mpegts" else 0.0
    if made.video and picture is not None:
        track = made.video[0]
        frame = max(track.frame, picture.frame, 1 / float(track.frame_rate or 1000))
        frame = frame if trim.end is None else 1.5 * frame
        yield from _end("picture", source, subject, (track, picture, frame), since)
    audio = subject.parameters.audio
    if made.audio and audio is not None:
        sound = made.audio[0]
        origin: Track | None = audio_track(audio, source) or picture
        if origin is not None:
            tolerance = origin.frame + codec_delay(sound)
            yield from _end("sound", source, subject, (sound, origin, tolerance), since)


def _end(
    kind: str, source: MediaFacts, subject: Subject, tracks: tuple[Track, Track, float], since: float
) -> Iterator[TrackEnd]:
    track, origin, tolerance = tracks
    expected = wanted_span(source, origin, subject.source.trim)[1]
    if math.isfinite(expected):
        yield TrackEnd(kind, track.end - since, expected, tolerance)


def _gaps(made: MediaFacts) -> Iterator[tuple[str, float]]:
    """The longest step between two neighbours of each track."""
    yield from (("picture", track.gap) for track in made.video)
    yield from (("sound", track.gap) for track in made.audio)
