"""How the picture of an output is brought beside that of its source. Pure.

Pictures are compared at the source's own size, after the source went through the crop, the rotation, the bars and
the frame rate of the encode: a small rendition is scaled up, as a player does. Both clocks begin at zero, since one
frame of misalignment halves a score.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.encode import Source
from reconciler.core.parameters import Parameters, Video
from reconciler.ffmpeg import burn_in, geometry, trimming
from reconciler.ffmpeg.facts import MediaFacts, VideoTrack, video_track
from reconciler.ffmpeg.formats import generated_arguments, image_arguments, input_arguments
from reconciler.ffmpeg.graph import chains
from reconciler.ffmpeg.inserts import AS_WRITTEN, Inserts
from reconciler.ffmpeg.pictures import Original, Picture

_NULL = ["-an", "-sn", "-dn", "-f", "null", "-"]
_CLOCK = ["settb=AVTB", "setpts=PTS-STARTPTS"]
_LATER = ("trim=start_frame=1", "setpts=PTS-STARTPTS")


@dataclass(frozen=True, slots=True)
class Subject:
    """An output to be checked: its local file, what it was to be, and its source.

    `source_path` is the source as a local file; None where it is generated, or not at hand. `inserts` are what became
    part of its picture.
    """

    path: str
    parameters: Parameters
    source: Source
    source_path: str | None
    inserts: Inserts = AS_WRITTEN


@dataclass(frozen=True, slots=True)
class Pair:
    """An output and its source as they are, and how the two pictures are brought together."""

    subject: Subject
    made: MediaFacts
    source: MediaFacts
    made_picture: VideoTrack
    picture: VideoTrack
    video: Video

    @property
    def size(self) -> tuple[int, int]:
        """Where they are compared: the source's own size, cropped, turned and padded as the output."""
        return geometry.output_size(self.video, self.picture).canvas

    @property
    def deep(self) -> bool:
        """Whether one of them has more than eight bits."""
        return any("10" in each.pixel_format or "12" in each.pixel_format for each in (self.made_picture, self.picture))


@dataclass(frozen=True, slots=True)
class Shift:
    """Filters that take a frame from one side, and how many seconds are looked at; None: all of it."""

    made: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    look: float | None = None


STRAIGHT = Shift()
# Compared so, pictures that are a frame late, or early, are in step.
SHIFTS = {"late": Shift(made=_LATER, look=10.0), "early": Shift(source=_LATER, look=10.0)}


def pair_of(subject: Subject, made: MediaFacts, source: MediaFacts | None) -> Pair | None:
    """What is to be compared; None without a source, or where one of them has no picture."""
    made_picture, picture, video = video_track(made), video_track(source), subject.parameters.video
    if source is None or made_picture is None or picture is None or video is None:
        return None
    unscaled = video.model_copy(update={"width": None, "height": None, "avoid_upscaling": None})
    return Pair(subject, made, source, made_picture, picture, unscaled)


def comparison(pair: Pair, options: str, shift: Shift = STRAIGHT) -> list[str]:
    """The arguments that bring the output's picture (first) and the source's (second) into the filter `options`."""
    subject, limit = pair.subject, ["-t", f"{shift.look:g}"] if shift.look is not None else []
    origin, mark = subject.source, pair.video.watermark
    lead = trimming.lead_in(origin.trim, pair.source)
    form = f"format={'yuv420p10le' if pair.deep else 'yuv420p'}"
    picture = Picture(pair.video, mark, None if mark is None else "2:v:0", burn_in.asked(subject.parameters))
    as_encoded = picture.feed(Original(origin, subject.source_path or "", pair.source, subject.inserts, number=1))
    graph = ";".join(
        [
            f"[0:V:0]{','.join([*_scaled(pair), form, *_CLOCK, *shift.made])}[made]",
            *chains(as_encoded, "encoded"),
            f"[encoded]{','.join([form, *_CLOCK, *shift.source])}[source]",
            f"[made][source]{options}[compared]",
        ]
    )
    opened = generated_arguments(origin.location)
    if origin.kind != "lavfi":
        opened = input_arguments(subject.source_path or "")
    inputs = [*limit, *input_arguments(subject.path), *trimming.seek(origin.trim, lead), *limit, *opened]
    if mark is not None:
        inputs += image_arguments(subject.inserts.image(mark.image or ""))
    return [*inputs, "-filter_complex", graph, "-map", "[compared]", *_NULL]


def _scaled(pair: Pair) -> list[str]:
    width, height = pair.size
    if (pair.made_picture.width, pair.made_picture.height) == (width, height):
        return []
    return [f"scale={width}:{height}:flags=bicubic"]
