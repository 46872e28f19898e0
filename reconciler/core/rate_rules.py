"""Rate controls that the given parameters cannot mean, or that an encoder would not keep."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.codecs import DEFAULT_ENCODERS, ENCODERS, EncoderFacts, RateControl
from reconciler.core.errors import Problem
from reconciler.core.lost import as_far_as_known
from reconciler.core.parameters import Video
from reconciler.core.units import bitrate_text
from reconciler.core.written import Written

LOWEST = 5_000  # bits a second: anything less is a forgotten "k"

_BESIDE = ("min_bitrate", "max_bitrate", "buffer_size")


def rate_control(video: Video) -> RateControl | None:
    """Which rate control the fields of `video` ask for; None if none."""
    if video.crf is not None or video.quality is not None:
        return "crf" if video.max_bitrate is None else "capped"
    if video.bitrate is None:
        return None
    return "cbr" if video.mode == "cbr" else "vbr"


def rate_problems(video: Video, written: Written) -> Iterator[Problem]:
    """What is wrong with how `video` shares out its bits, whoever encodes it."""
    yield from as_far_as_known(_not_one(video, written))
    for low, high in _RISING:
        yield from as_far_as_known(_order(low, high, video, written))
    yield from as_far_as_known(_idle_passes(video, written))
    for field in ("bitrate", "max_bitrate"):
        yield from as_far_as_known(_tiny(field, video, written))


def encoder_rate_problems(video: Video, encoder: str, facts: EncoderFacts, written: Written) -> Iterator[Problem]:
    """What an encoder would not take, or not keep."""
    for rule in (_crf_range, _lossless, _beside):
        yield from as_far_as_known(rule(video, encoder, facts, written))


def _not_one(video: Video, written: Written) -> Iterator[Problem]:
    """Two rate controls, half of one, or none."""
    if video.quality is not None:
        yield from _quality(video, written)
    elif video.crf is not None and video.bitrate is not None:
        yield _two_rates(video, written)
    elif video.mode is not None and video.bitrate is None:
        message = f'"mode: {video.mode}" needs a "bitrate"'
        beside = written.source_of("video.crf")
        yield written.problem(message, "video.mode", *beside, "Write  bitrate: 4M, or leave mode out.")
    # With a lost codec, which may be none, nothing need be said.
    elif rate_control(video) is None and video.codec is not None:
        yield _no_rate(video, written)


def _quality(video: Video, written: Written) -> Iterator[Problem]:
    """A quality says all by itself."""
    assert video.quality is not None, "a picture with a quality"
    if video.quality.vmaf is None:
        yield written.problem("quality says nothing", "video.quality", "Write  quality: {vmaf: 94}")
    for field in ("crf", "bitrate", "mode"):
        if getattr(video, field) is not None:
            main, other = written.later("video.quality", f"video.{field}")
            message = f'two rate controls: "quality" and "{field}" cannot both be set'
            hint = f"To take the quality, write  {field}: null  beside it."
            yield written.problem(message, main, *written.source_of(other), hint)


def _idle_passes(video: Video, written: Written) -> Iterator[Problem]:
    """A second pass shares out an average; a quality and a constant rate have nothing to share."""
    if video.passes != 2 or rate_control(video) in {None, "vbr"}:
        return
    other = "video.mode" if rate_control(video) == "cbr" else "video.crf"
    hints = (*written.source_of(other), "Leave it out, or write an average:  bitrate: 4M")
    yield written.problem('"passes: 2" is for an average bitrate', "video.passes", *hints)


def _two_rates(video: Video, written: Written) -> Problem:
    field, other = written.later("video.bitrate", "video.crf")
    bits, crf = written.text("video.bitrate"), written.text("video.crf")
    buffered = next(as_far_as_known(_buffered(video)), True)
    ceiling = f"max_bitrate: {bits}" + (f", buffer_size: {_doubled(bits)}" if buffered else "")
    if written.preset("video.bitrate") == written.preset("video.crf"):
        quality, fixed = f"crf: {crf}, {ceiling}", f"bitrate: {bits}"
    elif field == "video.bitrate":
        quality, fixed = ceiling, f"crf: null, bitrate: {bits}"
    else:
        quality, fixed = f"crf: {crf}, bitrate: null, {ceiling}", f"bitrate: {bits}"
    return written.problem(
        'two rate controls: "crf" and "bitrate" cannot both be set',
        field,
        *written.source_of(other),
        f"For a quality with a ceiling write  {quality}",
        f"For a fixed bitrate write           {fixed}",
    )


def _buffered(video: Video) -> Iterator[bool]:
    yield ENCODERS[video.encoder or DEFAULT_ENCODERS[str(video.codec)]].buffered


def _no_rate(video: Video, written: Written) -> Problem:
    hints = ["For a quality write          crf: 23", "For an average bitrate write  bitrate: 4M"]
    if video.max_bitrate is not None:
        return written.problem('"max_bitrate" alone is no rate control', "video.max_bitrate", *hints)
    return written.problem('no rate control: neither "crf" nor "bitrate" is set', "video", *hints)


def _crf_range(video: Video, encoder: str, facts: EncoderFacts, written: Written) -> Iterator[Problem]:
    if video.crf is None:
        return
    if video.crf > facts.crf_max:
        message = f"crf: {video.crf} is beyond what {encoder} takes"
        hint = f"Write a number from 0 to {facts.crf_max}; lower is better."
        yield written.problem(message, "video.crf", hint, value=True)
    elif facts.crf_whole and video.crf != int(video.crf):
        message = f"{encoder} takes whole numbers only, not crf: {video.crf}"
        hint = f"Write  crf: {int(video.crf)}  or  crf: {int(video.crf) + 1}"
        yield written.problem(message, "video.crf", hint, value=True)


def _lossless(video: Video, encoder: str, _: EncoderFacts, written: Written) -> Iterator[Problem]:
    if encoder != "libx264" or video.crf is None or video.crf >= 1:
        return
    if (video.pixel_format or "yuv420p").endswith("p") and video.profile not in {None, "high444"}:
        message = f'"crf: {video.crf}" is lossless, which "profile: {video.profile}" cannot hold'
        field, other = written.later("video.crf", "video.profile")
        hints = ("Write  crf: 1  for the best that it can hold, or  profile: high444.",)
        yield written.problem(message, field, *written.source_of(other), *hints)


def _beside(video: Video, encoder: str, facts: EncoderFacts, written: Written) -> Iterator[Problem]:
    """Ceilings, floors and buffers beside a rate control that has no use for them."""
    control = rate_control(video)
    if control is None or (video.bitrate is not None and (video.crf is not None or video.quality is not None)):
        return
    for field in _BESIDE:
        idle = field not in facts.acts[control]
        yield from as_far_as_known(_idle(field, video, control, encoder, written) if idle else ())
    if not facts.buffered or control in {"cbr", "crf"}:
        return
    if video.max_bitrate is not None and video.buffer_size is None:
        hint = f"Write  buffer_size: {_doubled(written.text('video.max_bitrate'))}  beside it: two seconds are usual."
        yield written.problem('"max_bitrate" needs a "buffer_size"', "video.max_bitrate", hint)
    if video.buffer_size is not None and video.max_bitrate is None:
        yield written.problem(_LONELY_BUFFER, "video.buffer_size", _CEILING)


def _idle(field: str, video: Video, control: RateControl, encoder: str, written: Written) -> Iterator[Problem]:
    if getattr(video, field) is not None:
        message, hint = _why_idle(field, control, encoder)
        yield written.problem(message, f"video.{field}", *written.source_of(_main(control)), hint)


_LONELY_BUFFER = '"buffer_size" needs a "max_bitrate"'
_CEILING = "Write  max_bitrate: 4M  beside it, or leave it out."


def _main(control: RateControl) -> str:
    return {"crf": "video.crf", "capped": "video.crf", "vbr": "video.bitrate", "cbr": "video.mode"}[control]


def _why_idle(field: str, control: RateControl, encoder: str) -> tuple[str, str]:
    """A field that would change nothing, and what to do."""
    if control == "crf" and field == "buffer_size":
        return _LONELY_BUFFER, _CEILING
    if control in {"crf", "capped"} and field == "min_bitrate":
        return '"min_bitrate" goes with "bitrate", not with "crf"', "Leave it out."
    if control == "cbr" and field != "buffer_size":
        return (
            f'"{field}" says nothing beside "mode: cbr"',
            "A constant bitrate is its own floor and ceiling: leave it out.",
        )
    if field == "max_bitrate":
        return (
            f'{encoder} keeps no "max_bitrate" beside "bitrate"',
            "For a ceiling write  crf: 30, max_bitrate: ...  without bitrate.",
        )
    return f'{encoder} would ignore "{field}" here', "Leave it out."


_RISING = (("min_bitrate", "bitrate"), ("bitrate", "max_bitrate"), ("min_bitrate", "max_bitrate"))


def _order(low: str, high: str, video: Video, written: Written) -> Iterator[Problem]:
    lower, higher = getattr(video, low), getattr(video, high)
    if lower is not None and higher is not None and lower > higher:
        message = f'"{low}" ({bitrate_text(lower)}) is above "{high}" ({bitrate_text(higher)})'
        field, other = written.later(f"video.{low}", f"video.{high}")
        yield written.problem(message, field, *written.source_of(other))


def _tiny(field: str, video: Video, written: Written) -> Iterator[Problem]:
    bits = getattr(video, field)
    if bits is not None and bits < LOWEST:
        hint = f"Did you mean {bits}k?"
        yield written.problem(f'"{field}" is {bits:,} bits a second', f"video.{field}", hint, value=True)


def _doubled(text: str) -> str:
    """Twice a bitrate, in the unit it was written in."""
    digits = text.rstrip("kKmMgGbpsitBPSIT/ ")
    number = float(digits) * 2 if digits.replace(".", "", 1).isdigit() else 0
    return f"{number:g}{text[len(digits) :].strip()}" if number else "..."
