"""What is to be done about a finished output that is as declared: about its file, its link and its copy.

| file                        | no copy wanted                        | copy there | copy wanted and not there |
|-----------------------------|---------------------------------------|------------|---------------------------|
| here, or living at provider | nothing; Relink if only the link died | nothing    | Redeliver                 |
| missing or altered here     | Rerun                                 | nothing    | Rerun                     |
| deleted by its provider     | on_expiry: a notice, or Rerun         | nothing    | on_expiry                 |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.aftercare import target
from reconciler.core.checks import asked_of, unmet
from reconciler.core.encode import Output
from reconciler.core.expiry import link_is_dead
from reconciler.core.manifest import Difference
from reconciler.core.state import Record
from reconciler.core.steps import CHECKS, Reason, Redeliver, Relink, Rerun, Step, Update
from reconciler.core.upstream_files import gone
from reconciler.core.world import World, copy_state, expired, output_state


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning about one address: nothing is done about it until a person decides."""

    code: str
    address: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is done about a finished output, what is told of it, and whether its link is renewed."""

    step: Step | None = None
    notice: Notice | None = None
    relink: Relink | None = None


def finished(output: Output, record: Record, world: World) -> Verdict:
    """The row of the table that a complete output is in, or else the step that records what changed about it."""
    wanted = target(output)
    missing_copy = copy_state(record, wanted.where, world) if wanted is not None else None
    if wanted is not None and missing_copy is None:
        return _checked(output, record, world)
    missing_file = output_state(record, world)
    if missing_file is not None:
        return Verdict(Rerun(output, Reason(*missing_file), record, ()))
    if record.output is not None and expired(record.output, world.now):
        return _expired(output, record)
    unchecked = _checked(output, record, world)
    if unchecked.notice is not None or (unchecked.step is not None and unmet(output.checks, record.checked)):
        return unchecked
    if wanted is not None and missing_copy is not None:
        return Verdict(Redeliver(output, Reason(*missing_copy), record, wanted.where))
    dead = record.output is not None and link_is_dead(record.output, world.now)
    return Verdict(updated(output, record), relink=Relink(output.address, record) if dead else None)


def _checked(output: Output, record: Record, world: World) -> Verdict:
    """A file that nobody measured for what is asked of it now is measured, where it can be had."""
    missing = unmet(output.checks, record.checked)
    if not missing or _at_hand(record, world):
        return Verdict(updated(output, record, missing))
    where = gone(record, world.host, world.now)
    sentence = (
        f"nobody checked it for {', '.join(missing)}, and no check reads its file, {where}; --rerun makes it again"
    )
    return Verdict(updated(output, record), Notice("unchecked", output.address, sentence))


def _at_hand(record: Record, world: World) -> bool:
    file = record.output
    if file is None:
        return False
    if file.path is None:
        return not expired(file, world.now)
    return file.is_on(world.host) and world.files.get(file.path) == file.size


def _expired(output: Output, record: Record) -> Verdict:
    """A file that its provider deleted, of which nobody kept a copy."""
    assert record.output is not None, "a file that was deleted was there"
    sentence = f"its file is gone: {record.provider} deleted it at {record.output.expires_at}"
    if output.on_expiry == "rerun":
        why = f"{sentence}; on_expiry: rerun makes it again every time that happens"
        return Verdict(Rerun(output, Reason("expired", why), record, ()))
    notice = Notice("expired", output.address, f"{sentence} and no copy was kept; --rerun makes it again")
    return Verdict(updated(output, record), notice)


def updated(output: Output, record: Record, unchecked: Sequence[str] = ()) -> Update | None:
    """The step that records changed labels, protection, provider or what becomes of its files; None if none did.

    `unchecked` are checks that nobody made of its file: the step makes them.
    """
    changes = [
        Difference(f"labels.{name}", record.labels.get(name), output.labels.get(name))
        for name in sorted({*record.labels, *output.labels})
        if record.labels.get(name) != output.labels.get(name)
    ]
    pairs = (
        ("on_remove", record.on_remove, output.on_remove),
        ("protect", record.protect, output.protect),
        ("provider", record.provider, output.provider),
    )
    changes += [Difference(name, before, after) for name, before, after in pairs if before != after]
    wanted = asked_of(output.checks)
    changes += [Difference(f"{CHECKS}{name}", record.checked.get(name), wanted[name]) for name in unchecked]
    if not changes:
        return None
    what = "recorded only" if not unchecked else "its file is measured"
    return Update(output, Reason("updated", f"{what}, nothing is encoded"), record, tuple(changes))
