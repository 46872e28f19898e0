"""Encoder settings, sizes and shapes of a picture that cannot be meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.codecs import COLOURS, DEFAULT_ENCODERS, DEFAULT_PIXEL_FORMAT, ENCODERS, EncoderFacts
from reconciler.core.errors import Problem
from reconciler.core.names import suggestion
from reconciler.core.parameters import Crop, Pad, Video
from reconciler.core.rate_rules import rate_problems
from reconciler.core.written import Written


def picture_problems(video: Video, written: Written) -> Iterator[Problem]:
    """What is wrong with a picture that has a codec."""
    encoder = video.encoder or DEFAULT_ENCODERS[str(video.codec)]
    facts = ENCODERS[encoder]
    if facts.codec != video.codec:
        makers = " or ".join(name for name, known in ENCODERS.items() if known.codec == video.codec)
        hints = (*written.source_of("video.codec"), f"For {video.codec} write  encoder: {makers}, or leave it out.")
        yield written.problem(f"{encoder} makes {facts.codec}, not {video.codec}", "video.encoder", *hints, value=True)
        return
    yield from _settings(video, encoder, facts, written)
    yield from rate_problems(video, encoder, facts, written)
    yield from _pixels(video, encoder, facts, written)
    yield from _sizes(video, written)
    yield from _crop(video.crop, video, written)
    yield from _pad(video.pad, written)


def _settings(video: Video, encoder: str, facts: EncoderFacts, written: Written) -> Iterator[Problem]:
    known: tuple[tuple[str, Sequence[str]], ...] = (
        ("preset", facts.presets),
        ("tune", facts.tunes),
        ("profile", tuple(facts.profiles)),
        ("level", facts.levels),
    )
    for name, right in known:
        value = getattr(video, name)
        if value is None or value in right:
            continue
        field = f"video.{name}"
        if not right:
            yield written.problem(f'{encoder} would ignore "{name}"', field, "Leave it out.")
            continue
        hint = f"{suggestion(value, right)}{encoder} has: {', '.join(right)}."
        yield written.problem(f'{encoder} has no {name} "{value}"', field, hint, value=True)


def _pixels(video: Video, encoder: str, facts: EncoderFacts, written: Written) -> Iterator[Problem]:
    pixel_format = video.pixel_format or DEFAULT_PIXEL_FORMAT
    if pixel_format not in facts.pixel_formats:
        hint = f"Write  pixel_format: {' or '.join(sorted(facts.pixel_formats))}"
        yield written.problem(f"{encoder} cannot make {pixel_format}", "video.pixel_format", hint, value=True)
        return
    fitting = facts.profiles.get(video.profile or "")
    lossless = video.profile == "high444" and video.crf is not None and video.crf < 1
    if fitting is None or pixel_format in fitting or lossless:
        return
    able = [name for name, formats in facts.profiles.items() if pixel_format in formats]
    hint = f"Write  profile: {' or '.join(able)}, or  pixel_format: {' or '.join(sorted(fitting))}"
    message = f'"profile: {video.profile}" is not for {pixel_format}'
    if video.pixel_format is None:
        yield written.problem(f"{message}, the default", "video.profile", hint)
        return
    field, other = written.later("video.profile", "video.pixel_format")
    yield written.problem(message, field, *written.source_of(other), hint)


def _chroma(video: Video) -> tuple[int, int]:
    """How many pixels of width and height share a colour: sizes must be multiples of it."""
    pixel_format = video.pixel_format or DEFAULT_PIXEL_FORMAT
    return {"420": (2, 2), "422": (2, 1), "444": (1, 1)}[pixel_format[3:6]]


def _sizes(video: Video, written: Written) -> Iterator[Problem]:
    for name, step in zip(("width", "height"), _chroma(video), strict=True):
        size = getattr(video, name)
        if size is not None and size % step:
            hint = f"Write  {name}: {size - 1}  or  {name}: {size + 1}"
            message = f"{name}: {size} is odd, which {video.pixel_format or DEFAULT_PIXEL_FORMAT} cannot be"
            yield written.problem(message, f"video.{name}", hint, value=True)
    if video.avoid_upscaling is False and video.width is None and video.height is None:
        hint = "Set one of them, or leave it out."
        yield written.problem('"avoid_upscaling" says nothing without a width or height', "video.avoid_upscaling", hint)


def _crop(crop: Crop | None, video: Video, written: Written) -> Iterator[Problem]:
    if crop is None:
        return
    across, down = _chroma(video)
    edges = {"top": down, "bottom": down, "left": across, "right": across}
    if all(getattr(crop, edge) is None for edge in edges):
        yield written.problem("a crop that takes nothing off", "video.crop", "Write  crop: {top: 20, bottom: 20}")
    for edge, step in edges.items():
        pixels = getattr(crop, edge)
        if pixels is not None and pixels % step:
            hint = f"Write  {edge}: {pixels - 1}  or  {edge}: {pixels + 1}"
            message = f"crop.{edge}: {pixels} is odd: colours are shared by two pixels"
            yield written.problem(message, f"video.crop.{edge}", hint, value=True)


def _pad(pad: Pad | None, written: Written) -> Iterator[Problem]:
    if pad is None:
        return
    if pad.aspect is None:
        yield written.problem("pad has no aspect", "video.pad", 'Write  pad: {aspect: "16:9"}')
    if pad.color is not None and pad.color[0] != "#" and pad.color not in COLOURS:
        hint = f'{suggestion(pad.color, COLOURS)}Write a name ({", ".join(COLOURS[:5])} ...) or "#rrggbb".'
        yield written.problem(f'unknown colour "{pad.color}"', "video.pad.color", hint, value=True)
