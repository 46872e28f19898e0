"""What a server is told when it is started."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

Dialect = Literal["legacy", "current"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to serve.

    `data` is the folder that all of it lives in, `keys` the API keys that let people in. Times are in seconds:
    `link_seconds` is how long a link opens its file, `retention` how long files are kept after their job,
    `token_seconds` how long an access token lives. `queue` is how many jobs may wait or run. `rate` is what a
    minute of output costs, and `balance` what the account was given, in ByteChips. `public_url` is how clients
    reach the server, where that is not what they ask for.
    """

    data: Path
    keys: tuple[str, ...]
    link_seconds: int = 4 * 3600
    retention: int = 48 * 3600
    token_seconds: int = 3600
    queue: int = 1000
    dialect: Literal["auto", "legacy", "current"] = "auto"
    public_url: str = ""
    rate: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)
    allow_private: bool = False
