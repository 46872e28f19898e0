"""What a killed apply left half done: whole files that lack only their final name."""

from __future__ import annotations

from reconciler.apply.hands import Hands
from reconciler.core import transitions
from reconciler.core.errors import ReconcilerError, StateError
from reconciler.core.state import Record


def settle(hands: Hands) -> list[str]:
    """Publish every file that was verified and not yet published; the addresses that are complete now.

    Runs under the lock and before the plan is made. A file that is neither under its temporary nor under its
    final name has to be made again: its record says so, and the plan resumes it.
    """
    waiting = {
        address: record
        for address, record in hands.state.snapshot.records.items()
        if record.output is not None and record.output.temp is not None and record.output.is_on(hands.host)
    }
    return [address for address, record in waiting.items() if _settle_one(hands, address, record)]


def publish(hands: Hands, address: str, record: Record) -> Record:
    """Give a verified output its final name, record that, and remove what it replaced under another name."""
    output = record.output
    assert output is not None, "only a verified output is published"
    assert output.temp is not None, "a published output has its name already"
    assert output.path is not None, "only a file of this machine gets a name"
    hands.files.publish(output.temp, output.path)
    return _recorded(hands, address, record)


def publish_or_fail(hands: Hands, address: str, record: Record) -> Record:
    """As `publish`; a name that cannot be given is this output's failure and nobody else's.

    A file that was to be renamed stays under the name it has. Raises StateError only.
    """
    try:
        return publish(hands, address, record)
    except StateError:
        raise
    except (ReconcilerError, OSError) as error:
        return _not_named(hands, address, record, str(error))


def _not_named(hands: Hands, address: str, record: Record, error: str) -> Record:
    assert record.output is not None, "only a verified output is published"
    assert record.output.temp is not None, "a published output has its name already"
    rev, now, temp = hands.state.next_rev(address), hands.stamp(), record.output.temp
    if not temp.endswith(".part"):
        left = transitions.left_in_place(record, rev, now)
        hands.record("left in place", left, address)
        return left
    failed = transitions.failed(record, error, rev, now)
    hands.record("failed", failed, address)
    hands.files.remove(temp)
    return failed


def _settle_one(hands: Hands, address: str, record: Record) -> bool:
    output = record.output
    assert output is not None, "chosen for its output"
    assert output.path is not None, "chosen for being on this machine"
    size = output.size or 0
    if output.temp is not None and hands.files.holds(output.temp, size, output.sha256):
        return publish_or_fail(hands, address, record).status == "complete"
    if hands.files.holds(output.path, size, output.sha256):
        _recorded(hands, address, record)
        return True
    rev = hands.state.next_rev(address)
    hands.record("unpublished", transitions.unpublished(record, rev, hands.stamp()), address)
    return False


def _recorded(hands: Hands, address: str, record: Record) -> Record:
    done = transitions.published(record, hands.state.next_rev(address), hands.stamp())
    hands.record("published", done, address)
    for replaced in _replaced(hands, record):
        hands.files.remove(replaced)
    return done


def _replaced(hands: Hands, record: Record) -> list[str]:
    """Files of earlier attempts under another name, on this machine, that no record still calls its own."""
    assert record.output is not None, "only a published output replaces files"
    used = {other.output.path for other in hands.state.snapshot.records.values() if other.output is not None}
    return [
        attempt.output.path
        for attempt in record.previous
        if attempt.output.path is not None and attempt.output.is_on(hands.host) and attempt.output.path not in used
    ]
