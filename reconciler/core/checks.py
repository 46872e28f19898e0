"""What a finished output must meet beyond being whole, and whether what was measured of it does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.core.parameters import Bitrate, Seconds
from reconciler.core.strict import Strict
from reconciler.core.units import bitrate_text

_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*(k|m|g|t)?b?\s*", re.IGNORECASE)
_SHARE = re.compile(r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*%\s*")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_PICTURE = ("min_vmaf", "min_vmaf_p1", "min_ssim")

# From this height or width on, what is seen of a picture is judged as on a 4K screen.
_LARGE = (1440, 2560)
MODEL, LARGE_MODEL = "vmaf_v0.6.1", "vmaf_4k_v0.6.1"


def largest_size(value: object) -> int | str:
    """A size in bytes, or a share of the source's: `40MB`, `1.5 GB`, `1200000`, `80%` (canonical: `80%`)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a size such as 40MB or 80%")  # noqa: TRY004 - pydantic turns only ValueError into a problem
    text = str(value)
    share = _SHARE.fullmatch(text)
    if share is not None and Decimal(share[1]) > 0:
        return f"{Decimal(share[1]).normalize():f}%"
    size = _SIZE.fullmatch(text)
    amount = Decimal(size[1]) * _UNITS[(size[2] or "").lower()] if size is not None else Decimal(0)
    if amount < 1 or amount != amount.to_integral_value():
        raise ValueError(f'"{value}" is not a size; write for example 40MB, 1200000 or 80% (of the source)')
    return int(amount)


Size = Annotated[
    int | str,
    BeforeValidator(largest_size),
    WithJsonSchema({"type": ["number", "string"], "description": "Bytes, or a share of the source: 40MB, 80%."}),
]
Score = Annotated[float, Field(ge=0, le=100, strict=True)]


class ChecksSpec(Strict):
    """What stands under `checks:`. Absent: as the level above says; null: not asked for."""

    duration_tolerance: Seconds | None = None
    decode: Literal["tail", "full"] | None = None
    max_size: Size | None = None
    max_bitrate: Bitrate | None = None
    min_vmaf: Score | None = None
    min_vmaf_p1: Score | None = None
    min_ssim: Annotated[float, Field(ge=0, le=1, strict=True)] | None = None
    max_gap: Annotated[Seconds, Field(gt=0)] | None = None


@dataclass(frozen=True, slots=True)
class Checks:
    """What is asked of an output. Times in seconds, `max_bitrate` in bits a second; None: not asked for.

    `max_size` is in bytes, or a share of the source such as `80%`.
    """

    duration_tolerance: int | float | None = None
    decode: Literal["tail", "full"] | None = None
    max_size: int | str | None = None
    max_bitrate: int | None = None
    min_vmaf: float | None = None
    min_vmaf_p1: float | None = None
    min_ssim: float | None = None
    max_gap: int | float | None = None

    @property
    def asked(self) -> bool:
        """Whether anything is asked for at all."""
        return self != Checks()

    @property
    def compares(self) -> bool:
        """Whether its picture is compared with that of its source."""
        return any(getattr(self, name) is not None for name in _PICTURE)

    @property
    def needs_source(self) -> bool:
        """Whether the source must be at hand to check this."""
        share = isinstance(self.max_size, str)
        return share or self.duration_tolerance is not None or self.compares


# What is asked of an output where no spec asks for anything.
NO_CHECKS = Checks()


def asked_of(checks: Checks) -> dict[str, int | float | str]:
    """What is asked of a finished file by name, as it is recorded once that was measured; what all meet is left out."""
    said = {each.name: getattr(checks, each.name) for each in fields(checks)}
    return {name: value for name, value in said.items() if value is not None and value != "tail"}


def unmet(checks: Checks, measured: Mapping[str, int | float | str]) -> tuple[str, ...]:
    """The checks that nobody made of a file that met those in `measured`, which are as `asked_of` gives them."""
    return tuple(name for name, value in asked_of(checks).items() if not _covered(name, value, measured.get(name)))


def _covered(name: str, asked: float | str, met: float | str | None) -> bool:
    """Whether a file that met one bound meets another; a share of the source cannot be told from bytes."""
    if isinstance(asked, str) or isinstance(met, str):
        shares = [each.removesuffix("%") for each in (asked, met) if isinstance(each, str) and each.endswith("%")]
        return asked == met or (len(shares) == 2 and Decimal(shares[1]) <= Decimal(shares[0]))
    return met is not None and (met >= asked if name.startswith("min_") else met <= asked)


def over(base: Checks, said: ChecksSpec) -> Checks:
    """`base` with what a level below says; null takes away."""
    values = vars(said)
    return replace(base, **{name: values[name] for name in said.model_fields_set if name in values})


def impossible(
    checks: Checks, *, has_picture: bool, generated: bool, only_size: bool = False
) -> Iterator[tuple[str, str]]:
    """The checks that an output cannot meet whatever it looks like: the name of each, and why.

    `generated` is whether its source is made up (lavfi), and so has no size; `only_size` whether the output is stills
    or subtitles, whose content is looked at whole, and measured in no other way.
    """
    for name in asked_of(checks) if only_size else ():
        if name not in {"max_size", "decode"}:
            yield name, "of stills and subtitles only the size is"
    for name in () if only_size else _PICTURE:
        if getattr(checks, name) is not None and not has_picture:
            yield name, "it compares pictures, and this output has none"
    if isinstance(checks.max_size, str) and generated:
        yield "max_size", "a generated source has no size; write bytes, such as 40MB"


class CheckResult(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one check gave. `asked` and `measured` are for people, with their units; `note` says how it was measured."""

    name: str
    asked: str
    measured: str
    passed: bool
    note: str = ""

    def __str__(self) -> str:
        """`min_vmaf: measured 71.23, asked for at least 90 (vmaf_v0.6.1 at 1280x720)`."""
        return f"{self.name}: measured {self.measured}, asked for {self.asked}" + (
            f" ({self.note})" if self.note else ""
        )


@dataclass(frozen=True, slots=True)
class TrackEnd:
    """Where one track ends and where it should, in seconds; `tolerance` is what no encoder can do better."""

    kind: str
    measured: float
    expected: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding a file gave: how many errors, and the first of them."""

    errors: int
    first: str = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of all frames that were compared: their mean, and the one that a hundredth of them is below.

    `how` says in which way they were measured.
    """

    mean: float
    p1: float
    how: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of an output; None where nobody asked for it.

    `broken` says why the file cannot be called whole. `tracks` counts pictures and sounds, with those that were
    asked for behind them.
    """

    size: int
    broken: str | None = None
    tracks: tuple[int, int, int, int] | None = None
    ends: tuple[TrackEnd, ...] = ()
    seconds: float | None = None
    gaps: tuple[tuple[str, float], ...] = ()
    source_size: int | None = None
    decoded: Decoded | None = None
    vmaf: Scores | None = None
    ssim: Scores | None = None


def judge(checks: Checks, measured: Measured) -> tuple[CheckResult, ...]:
    """The results of all checks, those that every output must meet first."""
    if measured.broken is not None:
        return (CheckResult("whole", "a whole file", measured.broken, passed=False),)
    return (
        *(_tracks(measured)),
        *(_durations(checks, measured)),
        *(_decoded(measured)),
        *(_sizes(checks, measured)),
        *(_gaps(checks, measured)),
        *(_scores(checks, measured)),
    )


def failures(results: tuple[CheckResult, ...]) -> str | None:
    """Why an output is suspect, in one line; None if it passed."""
    return "; ".join(str(result) for result in results if not result.passed) or None


def vmaf_model(width: int, height: int) -> str:
    """The model that pictures of a size are judged with. Scores of different models cannot be compared."""
    return LARGE_MODEL if height > _LARGE[0] or width > _LARGE[1] else MODEL


def subsample(frames: int) -> int:
    """Every how manyeth frame is scored: all of two minutes, then fewer, which changes a mean by hundredths."""
    return 1 if frames <= 3_600 else 5


def _tracks(measured: Measured) -> Iterator[CheckResult]:
    if measured.tracks is not None:
        video, audio, wanted_video, wanted_audio = measured.tracks
        asked, got = _counted(wanted_video, wanted_audio), _counted(video, audio)
        yield CheckResult("tracks", asked, got, passed=asked == got)


def _counted(video: int, audio: int) -> str:
    return f"{video} video and {audio} audio track{'s' if audio != 1 else ''}"


def _durations(checks: Checks, measured: Measured) -> Iterator[CheckResult]:
    for end in measured.ends:
        tolerance = end.tolerance if checks.duration_tolerance is None else float(checks.duration_tolerance)
        passed = abs(end.measured - end.expected) <= tolerance + 0.002  # clocks of containers are as coarse
        asked = f"{end.expected:.2f} s within {tolerance:.2f} s"
        yield CheckResult("duration", asked, f"{end.measured:.2f} s", passed, f"the end of the {end.kind}")


def _decoded(measured: Measured) -> Iterator[CheckResult]:
    if measured.decoded is not None:
        errors = measured.decoded.errors
        said = f"{errors} error{'s' if errors != 1 else ''}"
        yield CheckResult("decode", "no errors", said, errors == 0, measured.decoded.first)


def _sizes(checks: Checks, measured: Measured) -> Iterator[CheckResult]:
    limit = checks.max_size
    if isinstance(limit, int):
        yield CheckResult("max_size", f"at most {limit:,} bytes", f"{measured.size:,} bytes", measured.size <= limit)
    elif limit is not None and measured.source_size is not None:
        share = Decimal(100 * measured.size) / max(measured.source_size, 1)
        note = f"{measured.size:,} of {measured.source_size:,} bytes"
        passed = share <= Decimal(limit.removesuffix("%"))
        yield CheckResult("max_size", f"at most {limit} of the source", f"{share:.1f}%", passed, note)
    if checks.max_bitrate is not None and measured.seconds:
        rate = round(8 * measured.size / measured.seconds)
        asked = f"at most {bitrate_text(checks.max_bitrate)} bit/s"
        shown = f"{rate / 1000:,.0f}k bit/s" if rate >= 10_000 else f"{rate} bit/s"
        yield CheckResult("max_bitrate", asked, shown, rate <= checks.max_bitrate, "the average of the file")


def _gaps(checks: Checks, measured: Measured) -> Iterator[CheckResult]:
    if checks.max_gap is not None and measured.gaps:
        kind, widest = max(measured.gaps, key=lambda gap: gap[1])
        passed = widest <= float(checks.max_gap) + 0.0015  # Matroska's clock ticks milliseconds
        yield CheckResult("max_gap", f"at most {checks.max_gap:g} s", f"{widest:.3f} s", passed, f"in the {kind}")


def _scores(checks: Checks, measured: Measured) -> Iterator[CheckResult]:
    wanted = (
        ("min_vmaf", checks.min_vmaf, measured.vmaf, "mean", 2),
        ("min_vmaf_p1", checks.min_vmaf_p1, measured.vmaf, "p1", 2),
        ("min_ssim", checks.min_ssim, measured.ssim, "mean", 4),
    )
    for name, least, scores, which, places in wanted:
        if least is not None and scores is not None:
            got = getattr(scores, which)
            yield CheckResult(name, f"at least {least:g}", f"{got:.{places}f}", got >= least, scores.how)
