"""How often a server may be asked, and how long to wait before asking again."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# However long a server asks us to wait, in seconds; after that it is asked again.
LONGEST_WAIT = 60.0
_LONGEST_BACK_OFF = 10.0


class Limiter:
    """At most `rate` requests a second over any time, after a burst of one second's worth. Safe in threads."""

    def __init__(self, rate: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._rate, self._clock, self._sleep = rate, clock, sleep
        self._burst = max(1.0, rate)
        self._free, self._seen = self._burst, clock()
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until one more request may be made."""
        with self._lock:
            now = self._clock()
            self._free = min(self._burst, self._free + (now - self._seen) * self._rate)
            self._seen = now
            # Requests that wait are owed: the next one waits longer.
            self._free -= 1
            pause = max(-self._free / self._rate, self._closed_until - now)
        if pause > 0:
            self._sleep(pause)

    def close_for(self, seconds: float) -> None:
        """Let nobody ask for a while, since the server said so."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)


def back_off(attempt: int, dice: random.Random) -> float:
    """Seconds before the next try, after `attempt` failed ones: longer every time, and never all at once."""
    longest = min(0.5 * 2.0 ** min(attempt, 10), _LONGEST_BACK_OFF)
    return longest / 2 + dice.random() * longest / 2


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, at most LONGEST_WAIT; None if it says nothing."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    if until is None:
        return None
    moment = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_WAIT)
