"""What a process reads: the source, silence where sound is made up, images, and what else there is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.encode import Source, Trim
from reconciler.core.units import number
from reconciler.ffmpeg.facts import MediaFacts, video_track, wanted_span
from reconciler.ffmpeg.formats import generated_arguments, image_arguments, input_arguments
from reconciler.ffmpeg.pictures import Original
from reconciler.ffmpeg.trimming import lead_in, seek

# Silence, where it is asked for instead of no sound at all, is an input of its own.
SILENCE = "1:a:0"


@dataclass(frozen=True, slots=True)
class Opened:
    """The inputs of a process, as `words`: the source, then silence, then all else.

    `images` are streams by path, `whole` is the number of the input that is the source without its trim.
    """

    words: Sequence[str]
    original: Original
    images: Mapping[str, str]
    whole: int = 0


def inputs(original: Original, *, silent: bool, images: Sequence[str], subtitles: bool) -> Opened:
    """Everything, each of it once. `subtitles`: some are taken out of the whole source, whatever its trim."""
    source, path, facts = original.source, original.path, original.facts
    words, count = opened_source(source, path, facts), 1
    if silent and facts is not None:
        words, count = words + _silence(source.trim, facts), count + 1
    streams: dict[str, str] = {}
    for image in dict.fromkeys(images):
        streams[image] = f"{count}:v:0"
        words, count = words + image_arguments(original.inserts.image(image)), count + 1
    whole = 0
    if subtitles and source.trim != Trim():
        words, whole = words + input_arguments(path), count
    return Opened(words, original, streams, whole)


def opened_source(source: Source, path: str, facts: MediaFacts | None) -> list[str]:
    """How the source is opened, from the start of its trim."""
    opened = generated_arguments(source.location) if source.kind == "lavfi" else input_arguments(path)
    return [*seek(source.trim, lead_in(source.trim, facts)), *opened]


def _silence(trim: Trim, facts: MediaFacts) -> list[str]:
    """Silence that is as long as the picture."""
    track = video_track(facts)
    length = wanted_span(facts, track, trim)[1] if track is not None else facts.end
    return ["-f", "lavfi", "-t", str(number(length)), "-i", "anullsrc=channel_layout=stereo:sample_rate=48000"]
