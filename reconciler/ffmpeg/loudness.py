"""Loudness by EBU R128, in two passes: measured first, then changed by one gain where that is possible. Pure.

One gain keeps everything of a sound but its level. It is not possible where the peaks would become too high, or where
less range is asked for; then ffmpeg's loudnorm follows the sound and changes it as it goes (`dynamic`).

What is believed is ffmpeg's ebur128. loudnorm says 0.7 LU more of a clip of five seconds; only what it needs for its
own second pass is taken from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.core.sound_fields import Loudness
from reconciler.core.units import number
from reconciler.ffmpeg.complaints import Complaints

TRUE_PEAK = -1.5
_ANY_RANGE = 50  # LU, the most that loudnorm knows
_SAID = {"loudness": r"I:\s+(\S+) LUFS", "range": r"LRA:\s+(\S+) LU$", "peak": r"Peak:\s+(\S+) dBFS"}
# Quieter than any programme: there is nothing to raise.
_SILENCE = -70.0
_UNTOLD = "too short, or too quiet, for its loudness to be told: it"
# What an encoder with few bits may change, and loudnorm on the go.
_CLOSE = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """A whole sound: loudness in LUFS, true peak in dBTP, range in LU; `threshold` and `offset` are loudnorm's."""

    loudness: float
    peak: float
    range: float
    threshold: float
    offset: float

    @property
    def silent(self) -> bool:
        """Whether there is nothing to be heard."""
        return not self.loudness > _SILENCE


@dataclass(slots=True)
class Report(Complaints):
    """The error stream of a measuring process, the last lines of which are the result."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Take one line, without its line end."""
        self.lines.append(line)
        Complaints.add(self, line)


def measuring_filters(wish: Loudness) -> list[str]:
    """The filters that measure, and say what they found when all is heard."""
    return ["ebur128=peak=true:framelog=quiet", f"loudnorm={_wish(wish)}:print_format=json"]


def read_measured(lines: Sequence[str]) -> Measured | None:
    """What a process with the measuring filters found; None if it said nothing of it."""
    text = "\n".join(lines)
    summary, start, end = text.rfind("Summary:"), text.rfind("{"), text.rfind("}")
    heard = {name: re.search(pattern, text[summary:], re.MULTILINE) for name, pattern in _SAID.items()}
    try:
        said = json.loads(text[start : end + 1])
        loudness, span, peak = (float(found[1]) for found in heard.values() if found is not None)
        return Measured(loudness, peak, span, float(said["input_thresh"]), float(said["target_offset"]))
    except (ValueError, KeyError, TypeError):
        return None


def gain(wish: Loudness, measured: Measured) -> float | None:
    """The one gain, in dB, that makes a sound as loud as is wished; None if there is no such gain."""
    change = _target(wish) - measured.loudness
    fits = measured.peak + change <= _peak(wish) and (wish.range is None or measured.range <= wish.range)
    return change if fits else None


def filters(wish: Loudness, measured: Measured | None, sample_rate: int) -> list[str]:
    """What changes the loudness of a sound; `measured` None: it was not heard yet."""
    # loudnorm works at 192 kHz, and sets the clock of its last samples up to a tenth of a second forward.
    after = [f"aresample={sample_rate}", "asetpts=STARTPTS+N/SR/TB"]
    if measured is None:
        return [f"loudnorm={_wish(wish)}", *after]
    if measured.silent:
        return []
    change = gain(wish, measured)
    if change is not None:
        return [f"volume={change:.2f}dB"]
    known = {"I": measured.loudness, "TP": measured.peak, "LRA": measured.range, "thresh": measured.threshold}
    heard = ":".join(f"measured_{name}={value:.2f}" for name, value in known.items())
    return [f"loudnorm={_wish(wish)}:{heard}:offset={measured.offset:.2f}:linear=false", *after]


def notes(wish: Loudness, measured: Measured) -> Iterator[str]:
    """How loud a sound was, and what is done about it."""
    if measured.silent:
        # Loudness is told by blocks of 0.4 s.
        told = "silent: its loudness" if measured.peak <= _SILENCE else _UNTOLD
        yield f"the sound is {told} is left alone"
        return
    change = _target(wish) - measured.loudness
    was = f"the loudness is {measured.loudness:.1f} LUFS"
    if gain(wish, measured) is not None:
        yield f"{was}: it is changed by {change:+.1f} dB"
    elif measured.peak + change > _peak(wish):
        peaks = f"{measured.peak + change:+.1f} dBTP"
        yield f"{was}, and with {change:+.1f} dB its peaks would be at {peaks}: it is changed dynamically"
    else:
        yield f"{was} with a range of {measured.range:.1f} LU: it is changed dynamically"


def unlike(wish: Loudness, source: Measured, made: Measured) -> Iterator[str]:
    """What is wrong with an output's loudness: one gain is exact, but for what an encoder changes."""
    if not source.silent and gain(wish, source) is not None and abs(made.loudness - _target(wish)) > _CLOSE:
        yield f"its loudness is {made.loudness:.1f} LUFS instead of {_target(wish):g}"


def oddities(wish: Loudness, source: Measured, made: Measured) -> Iterator[str]:
    """What is odd about an output's loudness."""
    if source.silent:
        return
    miss = abs(made.loudness - _target(wish))
    if miss > _CLOSE / 2 and (gain(wish, source) is None or miss <= _CLOSE):
        yield f"the loudness came out as {made.loudness:.1f} LUFS instead of {_target(wish):g}"
    if made.peak > _peak(wish) + _CLOSE:
        yield f"the encoder raised the true peak to {made.peak:.1f} dBTP"


def _wish(wish: Loudness) -> str:
    return f"I={number(_target(wish))}:TP={number(_peak(wish))}:LRA={number(wish.range or _ANY_RANGE)}"


def _target(wish: Loudness) -> float:
    assert wish.target is not None, "combinations asks for a target"
    return wish.target


def _peak(wish: Loudness) -> float:
    return TRUE_PEAK if wish.true_peak is None else wish.true_peak
