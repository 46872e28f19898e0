"""The crf that a quality comes to, found by encoding samples of a source and comparing them with it.

The score falls as crf rises, nearly in a straight line from one whole number to the next. So the search goes by
the line between what is known on both sides of the wish, and needs four or five tries.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.codecs import ENCODERS
from reconciler.core.encode import Trim

# A score that is this near is found.
_NEAR = 0.15
_MOST_TRIES = 9
# How far a try goes on where only one side is known: the score falls by about this for one crf.
_SLOPE = 0.7
_FIRST = {"libx264": 23.0, "libx265": 26.0, "libvpx-vp9": 32.0, "libsvtav1": 32.0, "libaom-av1": 32.0}
_LEAST = 4.0
# What ffmpeg hands on to each encoder: fractions of a crf, or whole numbers only.
_STEP = {"libx264": 0.1, "libx265": 0.1}

_SAMPLE = 4.0
_MOST_SAMPLES = 5
_WHOLE = 20.0


@dataclass(frozen=True, slots=True)
class Found:
    """A crf and the score that it had."""

    crf: float
    score: float


def search(score: Callable[[float], float], target: float, encoder: str) -> Found:
    """The crf whose score is nearest to `target`; ValueError, with the best there is, if none is good enough."""
    step, most = _STEP.get(encoder, 1.0), float(ENCODERS[encoder].crf_max)
    tries: list[Found] = []
    crf = _FIRST[encoder]
    while len(tries) < _MOST_TRIES and all(known.crf != crf for known in tries):
        tries.append(Found(crf, score(crf)))
        if abs(tries[-1].score - target) <= _NEAR:
            break
        crf = _next(tries, target, step, most)
    nearest = min(tries, key=lambda known: abs(known.score - target))
    best = max(tries, key=lambda known: known.score)
    if best.score < target - 0.5:
        raise ValueError(f"VMAF {target:g} is not reached: crf {best.crf:g} gives {best.score:.1f}")
    return nearest


def samples(end: float, trim: Trim) -> list[Trim]:
    """The parts of a source that are looked at: all of a short one, else pieces that are spread over it."""
    if not math.isfinite(end):
        raise ValueError("nobody knows how long the source is: give it a trim with an end")
    if end <= _WHOLE:
        return [trim]
    count = min(_MOST_SAMPLES, 2 + int(end // 120))
    starts = [round(trim.start + end * (number + 0.5) / count - _SAMPLE / 2, 3) for number in range(count)]
    return [Trim(start, round(start + _SAMPLE, 3)) for start in starts]


def _next(tries: list[Found], target: float, step: float, most: float) -> float:
    good = [known for known in tries if known.score >= target]
    bad = [known for known in tries if known.score < target]
    if not bad:
        highest = max(good, key=lambda known: known.crf)
        crf = highest.crf + max(2.0, (highest.score - target) / _SLOPE)
    elif not good:
        lowest = min(bad, key=lambda known: known.crf)
        crf = lowest.crf - max(2.0, (target - lowest.score) / _SLOPE)
    else:
        above, below = max(good, key=lambda known: known.crf), min(bad, key=lambda known: known.crf)
        share = (above.score - target) / (above.score - below.score)
        crf = above.crf + share * (below.crf - above.crf)
        crf = min(max(crf, above.crf + step), below.crf - step)
        if below.crf - above.crf <= step * 1.001:
            return above.crf
    return round(min(max(round(crf / step) * step, _LEAST), most), 1)
