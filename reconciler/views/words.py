"""Numbers as people say them: sizes, times, counts, and the values of spec fields in the units of the specs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.core.manifest import Canonical
from reconciler.views.cells import visible

_BITRATES = ("bitrate", "buffer_size")
_CHAIN = "encode:"  # the source is the output of this fingerprint
# What stands for a file beside the specs, whose content counts.
_DIGEST = "sha256:"


def count(number: int, noun: str) -> str:
    """`1 output`, `14 outputs`, `1,204 outputs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(octets: int | None) -> str:
    """Bytes as `640 B`, `71.3 MB`, `1.2 GB`; units of a thousand, as file managers show them."""
    if octets is None:
        return "size unknown"
    if octets < 1000:
        return f"{octets} B"
    amount, units = octets / 1000, ("kB", "MB", "GB", "TB")
    for unit in units[:-1]:
        if round(amount, 1) < 1000:
            return f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} {units[-1]}"


def span(seconds: float) -> str:
    """A duration as `0.8 s`, `14 s`, `5 m 48 s`, `3 h 12 m`, `2 d 4 h`."""
    if round(seconds, 1) < 10:
        return f"{max(seconds, 0):.1f} s".replace(".0 s", " s")
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} m {rest} s" if rest else f"{minutes} m"
    days, hours = divmod(hours, 24)
    if not days:
        return f"{hours} h {minutes} m" if minutes else f"{hours} h"
    return f"{days} d {hours} h" if hours else f"{days} d"


def clock(seconds: float) -> str:
    """What is left of a job as `2:11` or `1:02:11`."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(stamp: str | datetime) -> str:
    """A time of the state as `Mon 21 Sep 14:12 UTC`; text that is no time stays as it is, made visible."""
    try:
        at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S%z") if isinstance(stamp, str) else stamp
    except ValueError:
        return visible(str(stamp))
    return f"{at:%a} {at.day} {at:%b %H:%M} UTC"


def sequence(names: Sequence[str], limit: int = 3) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 9 more`."""
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit:,} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def value(field: str, canonical: Canonical | None) -> str:
    """A manifest value as a spec would say it: `192k`, `48k`, `2s`, `true`; what is not set as `not set`."""
    name = field.rpartition(".")[2]
    match canonical:
        case None:
            return "not set"
        case bool():
            return "true" if canonical else "false"
        case int() if name.endswith(_BITRATES):
            return thousands(canonical)
        case int() if name == "sample_rate":
            return f"{canonical / 1000:g}k"
        case int() | float() if name in {"keyframe_interval", "duration"} or field.startswith("source.trim"):
            return f"{canonical}s"
        case str() if field == "source" and canonical.startswith(_CHAIN):
            return f"{_CHAIN}{canonical.removeprefix(_CHAIN)[:8]}"
        case str() if canonical.startswith(_DIGEST):
            return f"sha256 {canonical.removeprefix(_DIGEST)[:12]}"
        case _:
            return visible(str(canonical))


def thousands(bits: int) -> str:
    """Bits a second as `192k` where that is exact, else the plain number."""
    return f"{bits // 1000}k" if bits and bits % 1000 == 0 else str(bits)
