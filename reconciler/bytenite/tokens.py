"""The access token: got for the API key, kept as long as it is good, one for all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from reconciler.bytenite.wire import Token

# A token is renewed so long before its end, or at half its life if that is later: seconds.
MARGIN = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A token and until when it is used, on the clock of whoever keeps it."""

    secret: SecretStr
    until: float


class Tokens:
    """Keeps a token; `exchange` gets a new one. Safe in threads: one exchange at a time."""

    def __init__(self, exchange: Callable[[], Token], clock: Callable[[], float]) -> None:
        self._exchange, self._clock = exchange, clock
        self._kept: Kept | None = None
        self._lock = threading.Lock()

    def get(self) -> SecretStr:
        """A token that is still good. Raises what the exchange raises."""
        with self._lock:
            if self._kept is None or self._clock() >= self._kept.until:
                asked = self._clock()
                token = self._exchange()
                life = float(token.lifetime_seconds)
                self._kept = Kept(SecretStr(token.token), asked + max(life - MARGIN, life / 2))
            return self._kept.secret

    def drop(self, refused: SecretStr) -> None:
        """Forget a token that was refused, unless there is already another."""
        with self._lock:
            if self._kept is not None and self._kept.secret == refused:
                self._kept = None
