"""The lock of a shared state: an object that only one can create. It names its holder, and stays if that is killed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from reconciler.core.errors import LockedError, ProviderError, StateError
from reconciler.io.stores import Version
from reconciler.store.lock import who
from reconciler.store.objects import LOCK, SharedObjects, unsafe

_RETRY_SECONDS = 1.0


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock: its id, user@host and pid, and since when."""

    id: str
    who: str = "somebody"
    since: str = "?"

    def __str__(self) -> str:
        return f"{self.who}, since {self.since}"


class StoreLock:
    """One holder's lock of a shared state."""

    def __init__(
        self, shared: SharedObjects, identifier: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """`identifier` is chosen by the holder, and nobody else has the same."""
        self.id = identifier
        self._shared, self._now = shared, now
        self._is_taken = False

    def acquire(
        self, timeout: float = 0.0, sleep: Callable[[float], None] | None = None, own: Collection[str] = ()
    ) -> None:
        """Take the lock, waiting up to `timeout` seconds if `sleep` is given.

        `own` are ids of locks whose holders are known to be dead: such a one is taken over. Raises LockedError that
        names the holder, StateError for a store that ignores conditions or cannot be asked, CredentialsError.
        """
        content = msgspec.json.encode(Holder(self.id, who(), self._now().strftime("%Y-%m-%dT%H:%M:%SZ")))
        waited = 0.0
        with self._shared.asking():
            while not isinstance(found := self._taken(content, own), Version):
                if found is not None and (waited >= timeout or sleep is None):
                    raise LockedError(_told(found, self._shared.url))
                if found is not None and sleep is not None:
                    sleep(_RETRY_SECONDS)
                    waited += _RETRY_SECONDS
            self._is_taken = True
            self._prove(content, found)

    def holds(self) -> bool:
        """Whether the lock still is ours; somebody may have broken it. Raises StateError."""
        with self._shared.working():
            held = holder_of(self._shared)
        return held is not None and held.id == self.id

    def release(self) -> None:
        """Give the lock back, unless it is somebody else's by now. Raises StateError where it has to stay."""
        if not self._is_taken:
            return
        self._is_taken = False
        try:
            if self.holds():
                self._shared.objects.remove(self._shared.key(LOCK))
        except (ProviderError, StateError) as error:
            raise StateError(
                f"everything is recorded, but the lock could not be given back: {error}\n"
                "  The next apply on this machine takes it over. For all others:\n"
                f"  {_unlock(self._shared.url, self.id)}"
            ) from error

    def leave(self) -> None:
        """Leave the lock where it is, since nobody answers there; its machine takes it over later."""
        self._is_taken = False

    def _taken(self, content: bytes, own: Collection[str]) -> Version | Holder | None:
        """The version of the lock that was taken, or who holds it; None where it was given back just now."""
        objects, key = self._shared.objects, self._shared.key(LOCK)
        made = objects.create(key, content)
        if made is not None:
            return made
        found = objects.fetch(key)
        if found is None:
            return None
        if found[0] == content:  # a reply was lost, and the request sent again
            return found[1]
        held = _read(found[0])
        return objects.swap(key, content, found[1]) if held.id in own else held

    def _prove(self, content: bytes, version: Version) -> None:
        """Refuse a store that ignores conditions: a lock that is held must be neither created nor swapped again.

        Two small requests, each time: an answer that was remembered could be about another store.
        """
        objects, key = self._shared.objects, self._shared.key(LOCK)
        another = Version('"no-such-version"', None if version.number is None else "1")
        missing = []
        # One that could be created again may have been broken by somebody just now; twice in a row it was not.
        if objects.create(key, content) is not None and objects.create(key, content) is not None:
            missing.append('"create only if there is none" (If-None-Match: *)')
        if objects.swap(key, content, another) is not None:
            missing.append('"replace only this version" (If-Match)')
        if missing:
            with suppress(ProviderError):
                objects.remove(key)
            raise unsafe(self._shared.url, " and ".join(missing))


def holder_of(shared: SharedObjects) -> Holder | None:
    """Who holds the lock of a shared state; None if nobody does. Raises ProviderError."""
    found = shared.objects.fetch(shared.key(LOCK))
    return _read(found[0]) if found is not None else None


def break_lock(shared: SharedObjects, identifier: str) -> None:
    """Remove the lock of this id, whoever holds it. Raises StateError if it is another one by now."""
    with shared.asking():
        held = holder_of(shared)
        if held is not None and held.id != identifier:
            raise StateError(f"{shared.url} is not locked by {identifier}, but by {held.id}: {held}")
        shared.objects.remove(shared.key(LOCK))


def _read(content: bytes) -> Holder:
    """A lock's content; one that cannot be read still locks, and can be broken by the id `unreadable`."""
    try:
        return msgspec.json.decode(content, type=Holder)
    except msgspec.MsgspecError:
        return Holder("unreadable")


def _told(held: Holder, url: str) -> str:
    return (
        f"state is locked by {held}\n"
        f"  It is the lock {held.id} of {url}. Once you know that its process is gone:\n"
        f"  {_unlock(url, held.id)}"
    )


def _unlock(url: str, identifier: str) -> str:
    return f"reconciler --state {url} state unlock {identifier}"
