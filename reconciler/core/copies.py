"""Copies of finished outputs: what is to be copied, what was made of it, and what stands there now. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from reconciler.core.errors import RejectedError
from reconciler.core.targets import Target


class DeliveredCopy(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A copy that was made: where it is, how large it is, its digest, and what its store calls its version.

    Of a package, `size` is that of all its files and `sha256` the digest over them.
    """

    where: str
    size: int
    sha256: str
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """What stands where a copy is expected: its size in bytes, and its version where a store tells one.

    `altered`: it has been written since the copy was made, and holds something else.
    """

    size: int
    etag: str | None = None
    altered: bool = False

    def is_copy(self, copy: DeliveredCopy) -> bool:
        """Whether nothing speaks against it being the copy that was made."""
        if self.altered:
            return False
        return self.size == copy.size and (self.etag is None or copy.etag is None or self.etag == copy.etag)


@dataclass(frozen=True, slots=True)
class FromFile:
    """A finished output on this machine: a file, or the folder of a package."""

    path: str


@dataclass(frozen=True, slots=True)
class FromLink:
    """A finished output that its provider holds. `renew` gives a fresh link, where the one before has died.

    `private` is whether links to it may lead to private addresses, since its provider has one by the user's word.
    """

    url: str
    renew: Callable[[], str]
    private: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One copy that is to be made; `sha256` and `size` (bytes) are what is known of its content."""

    target: Target
    origin: FromFile | FromLink
    sha256: str | None = None
    size: int | None = None

    def refuse_other(self, size: int, digest: str) -> None:
        """Raise RejectedError if what came is not what was made."""
        where = self.target.where
        if self.size not in {None, size}:
            raise RejectedError(f"{where} was not made: {size:,} bytes came instead of {self.size:,}")
        if self.sha256 not in {None, digest}:
            raise RejectedError(f"{where} was not made: sha256 {digest[:12]} came instead of {self.sha256:.12}")
