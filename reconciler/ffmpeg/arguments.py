"""What ffmpeg is told: one process that makes all outputs of a job from one decode. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.core.encode import Source, Trim
from reconciler.core.languages import old_code
from reconciler.core.packages import is_package, segment_type
from reconciler.core.parameters import Audio, Parameters
from reconciler.core.subtitle_fields import KINDS as SUBTITLES
from reconciler.core.watermark_fields import Watermark
from reconciler.ffmpeg import bars, burn_in, encoders, loudness, sound, stills, subtitles, trimming
from reconciler.ffmpeg.facts import AudioTrack, MediaFacts, video_track, wanted_span
from reconciler.ffmpeg.findings import NOTHING, Findings, Heard
from reconciler.ffmpeg.formats import GLOBAL, output_arguments
from reconciler.ffmpeg.graph import Feed, Maps, graph
from reconciler.ffmpeg.inputs import SILENCE, Opened, inputs, opened_source
from reconciler.ffmpeg.inserts import AS_WRITTEN, Inserts
from reconciler.ffmpeg.packages import layout, muxer_arguments
from reconciler.ffmpeg.pictures import Original, Picture
from reconciler.ffmpeg.tracks import Chosen, chosen, is_copied
from reconciler.ffmpeg.trimming import lead_in

_LONG = 60.0  # seconds
_LATE = 0.05  # seconds

# Options that begin a line of their own where a command is shown.
_LINE_STARTS = {
    *("-f", "-protocol_whitelist", "-filter_complex", "-map", "-vf", "-c:v", "-c:a", "-map_metadata", "-movflags")
}


@dataclass(frozen=True, slots=True)
class Target:
    """One output of a process: what it shall be, and the file, or the package's folder, that it is written to.

    `log` is the beginning of the files by which two passes know of each other.
    """

    parameters: Parameters
    path: str
    log: str = "pass"

    @property
    def in_two_passes(self) -> bool:
        """Whether its picture is looked at before it is encoded."""
        return self.parameters.video is not None and self.parameters.video.passes == 2

    @property
    def mark(self) -> Watermark | None:
        """The image over its pictures."""
        if self.parameters.stills is not None:
            return self.parameters.stills.watermark
        return self.parameters.video.watermark if self.parameters.video is not None else None


def arguments(
    source: Source,
    path: str,
    targets: Sequence[Target],
    *,
    facts: MediaFacts | None,
    threads: int | None = None,
    findings: Findings = NOTHING,
    inserts: Inserts = AS_WRITTEN,
) -> list[str]:
    """The arguments of the ffmpeg process that makes `targets`.

    `path` is the source as a local file; a generated source needs none. `facts` None means that nothing is
    known of the source yet: sizes become expressions and sound is taken to be there. `findings` are those of
    earlier passes; `inserts` says where images and subtitles lie that become part of pictures.
    """
    targets = [each for target in targets for each in _parts(target, facts)]
    opened = _read(source, path, targets, facts, inserts)
    feeds = [_feeds(target, opened, findings) for target in targets]
    shared, mapped = graph(feeds)
    words = [*GLOBAL, *opened.words, *shared]
    for target, own, maps in zip(targets, feeds, mapped, strict=True):
        copied = [feed.is_copied for feed in own if feed.kind == "audio"]
        words += _output(target, maps, facts, threads, copied)
    return words


def looking_for_bars(source: Source, path: str, facts: MediaFacts, part: str) -> list[str]:
    """The arguments of the process that looks for black bars; it writes nothing, and is known by `part`."""
    chain = [*trimming.filters("video", source.trim, lead_in(source.trim, facts)), bars.FILTER]
    # Of a long source the keyframes are enough.
    fast = ["-skip_frame", "nokey"] if source.kind != "lavfi" and facts.end > _LONG else []
    words = [*GLOBAL, *fast, *opened_source(source, path, facts)]
    words[words.index("level+warning")] = "level+info"
    shown = ["-map", "0:V:0", "-vf", ",".join(chain), "-fps_mode", "passthrough"]
    return [*words, *shown, "-an", "-f", "null", f"file:{part}"]


def first_pass(
    source: Source,
    path: str,
    targets: Sequence[Target],
    part: str,
    *,
    facts: MediaFacts | None,
    threads: int | None = None,
    inserts: Inserts = AS_WRITTEN,
) -> list[str] | None:
    """The arguments of the process that looks at the pictures of all targets in two passes, from one decode.

    None if there are none. It writes only their logs, and is known by `part`.
    """
    parts = [each for target in targets for each in _parts(target, facts) if each.in_two_passes]
    if not parts:
        return None
    silent = [replace(each, parameters=each.parameters.model_copy(update={"audio": None})) for each in parts]
    opened = _read(source, path, silent, facts, inserts)
    shared, mapped = graph([_feeds(each, opened, NOTHING) for each in silent])
    words = [*GLOBAL, *opened.words, *shared]
    for each, maps in zip(silent, mapped, strict=True):
        words += [*maps["video"], *_picture(each, facts, threads, 1), "-an", "-f", "null", f"file:{part}"]
    return words


def sounds_to_hear(wanted: Parameters, trim: Trim, facts: MediaFacts | None) -> list[Heard]:
    """The sounds of an output whose loudness has to be measured before it is made."""
    singles = [each.parameters for each in _parts(Target(wanted, ""), facts)]
    heard = [sound for single in singles for sound, _ in _heard(single, trim, facts)]
    return [sound for sound in heard if sound.wish is not None and sound.stream != SILENCE]


def hearing(source: Source, path: str, heard: Heard, facts: MediaFacts | None, part: str) -> list[str]:
    """The arguments of the process that measures a sound; it writes nothing, and is known by `part`."""
    assert heard.wish is not None, "what is measured has a wish"
    chain = [*heard.filters, *loudness.measuring_filters(heard.wish)]
    words = [*GLOBAL, *opened_source(source, path, facts)]
    words[words.index("level+warning")] = "level+info"
    return [*words, "-map", heard.stream, "-af", ",".join(chain), "-f", "null", f"file:{part}"]


def _read(source: Source, path: str, targets: Sequence[Target], facts: MediaFacts | None, inserts: Inserts) -> Opened:
    """Everything that a process reads for its targets."""
    return inputs(
        Original(source, path, facts, inserts),
        silent=facts is not None and any(_silent(target.parameters, facts) for target in targets),
        images=[target.mark.image for target in targets if target.mark is not None and target.mark.image is not None],
        subtitles=any(target.parameters.container in SUBTITLES for target in targets),
    )


def has_video(parameters: Parameters) -> bool:
    """Whether an output has a picture."""
    return parameters.video is not None and parameters.video.codec not in {None, "none"}


def has_audio(parameters: Parameters) -> bool:
    """Whether an output is to have sound."""
    return parameters.audio is not None and parameters.audio.codec not in {None, "none"}


def audio_track(audio: Audio, facts: MediaFacts | None) -> AudioTrack | None:
    """The first sound that is asked for; None if the source has it not, or is not known."""
    return next((each.facts for each in chosen(audio, facts)), None)


def _feeds(target: Target, opened: Opened, findings: Findings) -> list[Feed]:
    """The tracks that an output is made from, and what is done to them: picture first."""
    feeds: list[Feed] = []
    wanted, original = target.parameters, opened.original
    trim, facts = original.source.trim, original.facts
    image = opened.images.get(target.mark.image or "") if target.mark is not None else None
    if wanted.container in SUBTITLES:
        return [Feed("subtitle", f"{opened.whole}:s:{subtitles.track_of(wanted, facts) or 0}", None)]
    if wanted.stills is not None:
        taken = stills.taken(wanted.stills, trim, facts, video_track(facts))
        picture = Picture(stills.picture_of(wanted.stills), target.mark, image, burn_in.asked(wanted))
        return [picture.feed(original, taken, stills.sheets(wanted.stills))]
    if has_video(wanted) and wanted.video is not None:
        picture = Picture(wanted.video, target.mark, image, burn_in.asked(wanted))
        feeds.append(picture.feed(original))
    for place, (heard, track) in enumerate(_heard(wanted, trim, facts)):
        filters: tuple[str, ...] | None = None
        if not is_copied(wanted, track.facts, trim):
            filters = (*heard.filters, *_louder(wanted, heard, track, findings))
        feeds.append(Feed("audio", heard.stream, filters, place))
    return feeds


def _heard(wanted: Parameters, trim: Trim, facts: MediaFacts | None) -> list[tuple[Heard, Chosen]]:
    """The sounds of an output as they are before their loudness is changed."""
    audio = wanted.audio
    if not has_audio(wanted) or audio is None:
        return []
    if facts is not None and _silent(wanted, facts):
        return [(Heard(SILENCE, tuple(sound.filters(audio, None))), Chosen(0, None))]
    cut = trimming.filters("audio", trim, lead_in(trim, facts))
    heard: list[tuple[Heard, Chosen]] = []
    for each in chosen(audio, facts):
        # Browsers pass over the pictures that come before the first sound of a package.
        late = is_package(wanted) and facts is not None and _begin(facts, each, trim) > _LATE
        chain = (*cut, *sound.filters(audio, each.facts, late=late))
        heard.append((Heard(f"0:a:{each.number}", chain, audio.loudness), each))
    return heard


def _begin(facts: MediaFacts, track: Chosen, trim: Trim) -> float:
    """When a sound begins in an output."""
    return wanted_span(facts, track.facts, trim)[0] if track.facts is not None else 0.0


def _louder(wanted: Parameters, heard: Heard, track: Chosen, findings: Findings) -> list[str]:
    """The change of loudness; silence that is made up has none."""
    if wanted.audio is None or heard.wish is None:
        return []
    return loudness.filters(heard.wish, findings.loudness.get(heard), sound.rate_of(wanted.audio, track.facts))


def _output(
    target: Target, maps: Maps, facts: MediaFacts | None, threads: int | None, copied: Sequence[bool]
) -> list[str]:
    wanted = target.parameters
    packed, container = is_package(wanted), _container(wanted)
    words: list[str] = []
    if wanted.container in SUBTITLES:
        return [*maps["subtitle"], *subtitles.arguments(wanted, target.path)]
    if wanted.stills is not None:
        return [*maps["video"], *stills.arguments(wanted, target.path)]
    if "video" in maps:
        words += [*maps["video"], *_picture(target, facts, threads, 2)]
    if "audio" in maps and wanted.audio is not None:
        words += [*maps["audio"], *sound.options(wanted.audio, copied)]
    words += _languages(wanted, facts)
    if packed:
        return words + muxer_arguments(wanted, target.path)
    return words + output_arguments(container, target.path, faststart=wanted.faststart is not False)


def _picture(target: Target, facts: MediaFacts | None, threads: int | None, number: int) -> list[str]:
    """The encoder of a picture and its options, in the given pass if there are two."""
    wanted = target.parameters
    assert wanted.video is not None, "an output with a picture"
    of_two = encoders.Pass(number, target.log) if target.in_two_passes else None
    return encoders.options(
        wanted.video,
        _container(wanted),
        video_track(facts),
        threads,
        from_first=is_package(wanted),
        of_two=of_two,
    )


def _container(wanted: Parameters) -> str:
    """What holds a file, or the segments of a package."""
    if is_package(wanted):
        return {"fmp4": "mp4"}.get(segment_type(wanted), "ts")
    return wanted.container or "mp4"


def _languages(wanted: Parameters, facts: MediaFacts | None) -> list[str]:
    """Several tracks are told apart by their languages."""
    if not has_audio(wanted) or wanted.audio is None or wanted.audio.tracks is None:
        return []
    said: list[str] = []
    for place, track in enumerate(chosen(wanted.audio, facts)):
        if track.language is not None:
            code = old_code(track.language) if wanted.container == "mov" else track.language
            said += [f"-metadata:s:a:{place}", f"language={code}"]
    return said


def _parts(target: Target, facts: MediaFacts | None) -> list[Target]:
    """What ffmpeg writes for an output: one file, or the streams of a package."""
    if not is_package(target.parameters):
        return [target]
    streams = layout(target.parameters, facts).streams
    return [
        Target(stream.parameters, f"{target.path}/{stream.name}", f"{target.log}-{number}")
        for number, stream in enumerate(streams)
    ]


def _silent(wanted: Parameters, facts: MediaFacts) -> bool:
    """Whether an output gets made-up silence, since the source has no sound at all."""
    audio = wanted.audio
    return has_audio(wanted) and audio is not None and audio.missing == "silence" and not facts.audio


def shell(command: Sequence[str]) -> str:
    """A command for people to read and to paste: quoted, one group of options a line."""
    lines: list[list[str]] = [[]]
    for word in command:
        if word in _LINE_STARTS:
            lines.append([])
        lines[-1].append(shlex.quote(word))
    return " \\\n  ".join(" ".join(line) for line in lines)
