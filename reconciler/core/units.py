"""Human units, read once and made canonical: bits a second, hertz, seconds, bytes.

Every function takes what YAML gives (a number or a string) and raises ValueError with a sentence that says
what would be right.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction

_SI = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
_BITRATE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kmg]?)(bits?(?:/s)?|bps|b/s|b)?\s*$", re.IGNORECASE)
_BYTES = frozenset({"B", "B/s", "B/S", "Bps", "BPS"})  # by custom, B is a byte and b a bit
_RATE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(k?)(?:hz)?\s*$", re.IGNORECASE)
_PLAIN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*$")
_FRACTION = re.compile(r"^\s*(\d+(?:\.\d+)?)(?:\s*[:/]\s*(\d+(?:\.\d+)?))?\s*$")
_CLOCK = re.compile(r"^\s*(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)\s*$")
_SPANS = re.compile(
    r"^\s*(?:(?P<d>\d+(?:\.\d+)?)\s*d)?\s*(?:(?P<h>\d+(?:\.\d+)?)\s*h)?\s*(?:(?P<m>\d+(?:\.\d+)?)\s*m(?:in)?)?\s*"
    r"(?:(?P<s>\d+(?:\.\d+)?)\s*s)?\s*(?:(?P<ms>\d+(?:\.\d+)?)\s*ms)?\s*$",
    re.IGNORECASE,
)
LONGEST = 40  # characters; longer ones are no unit, and arithmetic on them would take for ever
_LETTER = re.compile(r"(\\.)|\[([^\]]*)\]|\(\?P<\w+>|([A-Za-z])")
_SPAN_SECONDS = {"d": Decimal(86_400), "h": Decimal(3_600), "m": Decimal(60), "s": Decimal(1), "ms": Decimal("0.001")}

# The broadcast rates, which people write in decimals; ffmpeg wants the exact fraction.
_NTSC = tuple(
    Fraction(rate) * 1000 / 1001 for rate in ("6", "7.5", "12", "15", "24", "30", "48", "60", "96", "120", "240")
)
_NTSC_WITHIN = Fraction(1, 10_000)

_POSITIVE = r"(?=[^1-9]*[1-9])"
_POSITIVE_PARTS = (r"(?!\s*[0.]+\s*([:/]|$))", r"(?!.*[:/]\s*[0.]+\s*$)")


def _portable(pattern: re.Pattern[str], *conditions: str) -> str:
    """A pattern as JSON Schema (ECMA 262) knows them: no flags, so letters in both cases, and no named groups."""

    def spelled(match: re.Match[str]) -> str:
        escape, inside, letter = match.groups()
        if letter is not None:
            return f"[{letter.lower()}{letter.upper()}]"
        if inside is not None:
            return f"[{inside.lower()}{inside.upper()}]" if inside.isalpha() else f"[{inside}]"
        return escape or "(?:"

    return f"^{''.join(conditions)}{_LETTER.sub(spelled, pattern.pattern).removeprefix('^')}"


def _either(*patterns: str) -> str:
    return f"^(?:{'|'.join(pattern.removeprefix('^').removesuffix('$') for pattern in patterns)})$"


# What text each unit takes, for editors; how large a number may be is not in them.
BITRATE_TEXT = _portable(_BITRATE, _POSITIVE, rf"(?!.*(?:{'|'.join(sorted(_BYTES, reverse=True))})\s*$)")
SAMPLE_RATE_TEXT = _portable(_RATE, _POSITIVE)
DURATION_TEXT = _either(_portable(_PLAIN), _portable(_CLOCK), _portable(_SPANS, r"(?=.*\d)"))
FRAME_RATE_TEXT = _portable(_FRACTION, *_POSITIVE_PARTS, r"(?![^:]*:)")
ASPECT_TEXT = _portable(_FRACTION, *_POSITIVE_PARTS)


def bitrate(value: object) -> int:
    """Bits a second: `4500k`, `4.5M`, `4500000`; SI prefixes, as ffmpeg reads them."""
    match = _BITRATE.match(_text(value, "a bitrate such as 4500k or 4.5M"))
    if match is None:
        raise ValueError(f'"{value}" is not a bitrate; write for example 4500k, 4.5M or 4500000')
    if match[3] in _BYTES:
        bits = f"{match[1]}{match[2]}"
        raise ValueError(f'"{value}" counts bytes, a bitrate counts bits; write for example {bits}bit/s or {bits}')
    return _whole(Decimal(match[1]) * _SI[match[2].lower()], value, "bits a second")


def bitrate_text(bits: int) -> str:
    """A bitrate as people write it: `4500k`, or `4500` where there are no whole thousands."""
    return f"{bits // 1000}k" if bits % 1000 == 0 else str(bits)


def sample_rate(value: object) -> int:
    """Hertz: `48k`, `48khz`, `44.1k`, `48000`."""
    match = _RATE.match(_text(value, "a sample rate such as 48k or 44100"))
    if match is None:
        raise ValueError(f'"{value}" is not a sample rate; write for example 48k, 44.1k or 48000')
    return _whole(Decimal(match[1]) * _SI[match[2].lower()], value, "hertz")


def duration(value: object) -> int | float:
    """Seconds, to the microsecond: `2`, `2s`, `1m30s`, `500ms`, `00:01:30`, `1:30.5`."""
    text = _text(value, "a duration such as 2s or 00:01:30")
    seconds = _seconds(text)
    if seconds is None:
        raise ValueError(f'"{value}" is not a duration; write for example 2s, 1m30s or 00:01:30')
    if seconds > 1_000_000_000:
        raise ValueError(f'"{value}" is longer than any film')
    return number(seconds)


def frame_rate(value: object) -> str:
    """Frames a second as a whole number or an exact fraction: `25`, `29.97` is `30000/1001`, `24000/1001`."""
    text = _text(value, "a frame rate such as 25, 29.97 or 30000/1001").strip()
    rate = _fraction(text.replace(":", "?"))
    if rate is None:
        raise ValueError(f'"{value}" is not a frame rate; write for example 25, 29.97 or 30000/1001')
    if not 0 < rate <= 1000:
        raise ValueError(f'"{value}" is not a frame rate between 0 and 1000')
    return str(rate if "/" in text else _broadcast(rate))


def _broadcast(rate: Fraction) -> Fraction:
    """The exact broadcast rate that a decimal stands for; any other rate as it is."""
    if rate == Fraction("23.98"):  # what many programs show for 23.976
        return Fraction(24_000, 1001)
    return next((exact for exact in _NTSC if abs(rate - exact) <= exact * _NTSC_WITHIN), rate)


def aspect(value: object) -> str:
    """A shape in lowest terms: `16:9`, `1920:1080` and `16/9` are the same."""
    shape = _fraction(_text(value, "a shape such as 16:9"))
    if shape is None:
        raise ValueError(f'"{value}" is not a shape; write for example 16:9 or 2.39:1')
    shape = shape.limit_denominator(10_000)
    if not Fraction(1, 10) <= shape <= 10:
        raise ValueError(f'"{value}" is not a shape between 1:10 and 10:1')
    return f"{shape.numerator}:{shape.denominator}"


def number(value: Decimal | float) -> int | float:
    """The one spelling of a number: whole ones are int, the others rounded to six places."""
    if not math.isfinite(value) or abs(float(value)) > 1e15:
        raise ValueError(f"{value} is not a number that can be used here")
    rounded = round(Decimal(str(value)), 6)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _text(value: object, wanted: str) -> str:
    """What YAML gave, as text without exponents; a boolean or a mapping is never a unit."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"must be {wanted}")  # noqa: TRY004 - pydantic turns only ValueError into a problem with a place
    if isinstance(value, float):
        return format(Decimal(str(value)), "f") if math.isfinite(value) else str(value)
    if isinstance(value, str) and len(value) > LONGEST:
        raise ValueError(f"must be {wanted}, not {len(value)} characters")
    return str(value)


def _seconds(text: str) -> Decimal | None:
    plain = _PLAIN.match(text)
    if plain is not None:
        return Decimal(plain[1])
    clock = _CLOCK.match(text)
    if clock is not None:
        return Decimal(clock[1] or 0) * 3600 + Decimal(clock[2]) * 60 + Decimal(clock[3])
    spans = _SPANS.match(text)
    if spans is None or not any(spans.groups()):
        return None
    parts = (Decimal(span) * _SPAN_SECONDS[unit] for unit, span in spans.groupdict().items() if span)
    return sum(parts, Decimal(0))


def _fraction(text: str) -> Fraction | None:
    match = _FRACTION.match(text)
    if match is None or len(text) > LONGEST:
        return None
    below = Fraction(match[2] or 1)
    return Fraction(match[1]) / below if below else None


def _whole(amount: Decimal, value: object, unit: str) -> int:
    if amount != amount.to_integral_value():
        raise ValueError(f'"{value}" is not a whole number of {unit}')
    return int(amount)
