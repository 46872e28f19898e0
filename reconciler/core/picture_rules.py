"""Encoder settings, sizes and shapes of a picture that cannot be meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.codecs import COLOURS, DEFAULT_ENCODERS, DEFAULT_PIXEL_FORMAT, ENCODERS, EncoderFacts
from reconciler.core.errors import Problem
from reconciler.core.lost import as_far_as_known
from reconciler.core.names import suggestion
from reconciler.core.parameters import Crop, Pad, Video
from reconciler.core.rate_rules import encoder_rate_problems, rate_problems
from reconciler.core.watermark_rules import watermark_problems
from reconciler.core.written import Written


def picture_problems(video: Video, written: Written) -> Iterator[Problem]:
    """What is wrong with a picture that has a codec, if perhaps a lost one."""
    yield from as_far_as_known(_by_encoder(video, written))
    yield from rate_problems(video, written)
    yield from as_far_as_known(_even("width", video, written))
    yield from as_far_as_known(_even("height", video, written))
    yield from as_far_as_known(_idle_upscaling(video, written))
    yield from as_far_as_known(_crop(video, written))
    yield from as_far_as_known(_two_crops(video, written))
    yield from as_far_as_known(_pad(video, written))
    yield from as_far_as_known(_watermark(video, written))


def _by_encoder(video: Video, written: Written) -> Iterator[Problem]:
    encoder = video.encoder or DEFAULT_ENCODERS[str(video.codec)]
    facts = ENCODERS[encoder]
    if "codec" in vars(video) and facts.codec != video.codec:
        makers = " or ".join(name for name, known in ENCODERS.items() if known.codec == video.codec)
        hints = (*written.source_of("video.codec"), f"For {video.codec} write  encoder: {makers}, or leave it out.")
        yield written.problem(f"{encoder} makes {facts.codec}, not {video.codec}", "video.encoder", *hints, value=True)
        return
    known: tuple[tuple[str, Sequence[str]], ...] = (
        ("preset", facts.presets),
        ("tune", facts.tunes),
        ("profile", tuple(facts.profiles)),
        ("level", facts.levels),
    )
    for name, right in known:
        yield from as_far_as_known(_setting(name, right, video, encoder, written))
    yield from encoder_rate_problems(video, encoder, facts, written)
    yield from as_far_as_known(_pixels(video, encoder, facts, written))


def _setting(name: str, right: Sequence[str], video: Video, encoder: str, written: Written) -> Iterator[Problem]:
    value, field = getattr(video, name), f"video.{name}"
    if value is None or value in right:
        return
    if not right:
        yield written.problem(f'{encoder} would ignore "{name}"', field, "Leave it out.")
        return
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


def _even(name: str, video: Video, written: Written) -> Iterator[Problem]:
    size = getattr(video, name)
    if size is not None and size % _chroma(video)[0 if name == "width" else 1]:
        hint = f"Write  {name}: {size - 1}  or  {name}: {size + 1}"
        message = f"{name}: {size} is odd, which {video.pixel_format or DEFAULT_PIXEL_FORMAT} cannot be"
        yield written.problem(message, f"video.{name}", hint, value=True)


def _idle_upscaling(video: Video, written: Written) -> Iterator[Problem]:
    if video.avoid_upscaling is False and video.width is None and video.height is None:
        hint = "Set one of them, or leave it out."
        yield written.problem('"avoid_upscaling" says nothing without a width or height', "video.avoid_upscaling", hint)


def _crop(video: Video, written: Written) -> Iterator[Problem]:
    crop = video.crop
    if crop is None:
        return
    edges = ("top", "bottom", "left", "right")
    for edge in edges:
        yield from as_far_as_known(_even_edge(edge, crop, video, written))
    if all(getattr(crop, edge) is None for edge in edges):
        yield written.problem("a crop that takes nothing off", "video.crop", "Write  crop: {top: 20, bottom: 20}")


def _two_crops(video: Video, written: Written) -> Iterator[Problem]:
    if video.autocrop and video.crop is not None:
        main, other = written.later("video.autocrop", "video.crop")
        hints = (*written.source_of(other), "Leave one of them out.")
        yield written.problem('"crop" and "autocrop" cannot both be set', main, *hints)


def _even_edge(edge: str, crop: Crop, video: Video, written: Written) -> Iterator[Problem]:
    pixels = getattr(crop, edge)
    if pixels is not None and pixels % _chroma(video)[0 if edge in {"left", "right"} else 1]:
        hint = f"Write  {edge}: {pixels - 1}  or  {edge}: {pixels + 1}"
        message = f"crop.{edge}: {pixels} is odd: colours are shared by two pixels"
        yield written.problem(message, f"video.crop.{edge}", hint, value=True)


def _pad(video: Video, written: Written) -> Iterator[Problem]:
    if video.pad is not None:
        yield from as_far_as_known(_pad_shape(video.pad, written))
        yield from as_far_as_known(_pad_colour(video.pad, written))


def _pad_shape(pad: Pad, written: Written) -> Iterator[Problem]:
    if pad.aspect is None:
        yield written.problem("pad has no aspect", "video.pad", 'Write  pad: {aspect: "16:9"}')


def _pad_colour(pad: Pad, written: Written) -> Iterator[Problem]:
    if pad.color is not None and pad.color[0] != "#" and pad.color not in COLOURS:
        hint = f'{suggestion(pad.color, COLOURS)}Write a name ({", ".join(COLOURS[:5])} ...) or "#rrggbb".'
        yield written.problem(f'unknown colour "{pad.color}"', "video.pad.color", hint, value=True)


def _watermark(video: Video, written: Written) -> Iterator[Problem]:
    yield from watermark_problems(video.watermark, "video.watermark", written)
