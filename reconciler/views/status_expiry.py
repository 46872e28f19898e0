"""What a status says of files that their provider deletes: those that are gone, those that go soon, dead links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.aftercare import target
from reconciler.core.countdown import Dying, dying, has_copy, is_gone, seconds_between
from reconciler.core.encode import Output
from reconciler.core.estimates import FREE, Estimate
from reconciler.core.expiry import link_is_dead
from reconciler.core.state import Record
from reconciler.core.world import World, copy_state
from reconciler.views.cells import columns_of, fold, pad, visible, whole
from reconciler.views.money import about
from reconciler.views.words import count, span

SHOWN_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Declared:
    """What the specs add to a status; `readable` is false where they have errors.

    `outputs` are the declared ones by address, `costs` what it would cost to make them again.
    """

    readable: bool = True
    attempts: Mapping[str, int] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()
    outputs: Mapping[str, Output] = field(default_factory=dict)
    costs: Mapping[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advice:
    """What helps: in words, and as a command or a line of a spec."""

    label: str
    command: str


def advice_lines(advice: Sequence[Advice | str], columns: int) -> Iterator[str]:
    """Sentences as they are; what helps below each other."""
    wide = columns_of(each.label for each in advice if isinstance(each, Advice))
    for each in advice:
        text = each if isinstance(each, str) else f"{pad(each.label, wide)}  {whole(each.command)}"
        yield from fold(text, columns, first="      ", rest="        ")


def gone(
    address: str, record: Record, declared: Declared, world: World, options: str
) -> tuple[str, list[Advice | str]] | None:
    """An output that is nowhere any more, and what to do about it; None for one that is somewhere."""
    if record.output is None or not is_gone(record, world):
        return None
    since = seconds_between(record.output.expires_at or "", world.now)
    ago = f" {span(since)} ago" if since is not None else ""
    copy = record.delivered
    lost = copy_state(record, copy.where, world) if copy is not None else None
    kept = "no copy was kept" if lost is None else visible(lost[1])
    what = f"gone: {visible(record.provider)} deleted it{ago} and {kept}"
    return what, _again(address, declared, options)


def _again(address: str, declared: Declared, options: str) -> list[Advice | str]:
    wanted = declared.outputs.get(address)
    cost = about(declared.costs.get(address, FREE))
    rerun = wanted is not None and wanted.on_expiry == "rerun"
    command = f"reconciler apply{options}" if rerun else f"reconciler apply --rerun {visible(address)}{options}"
    label = f"{'the next apply makes it again' if rerun else 'make it again'}{f', {cost}' if cost else ''}:"
    found: list[Advice | str] = [Advice(label, command)]
    if wanted is not None and wanted.deliver is None:
        found.append(Advice("keep it next time:", f"deliver: in {_place(wanted)}"))
    return found


def _place(output: Output) -> str:
    return visible(f"{output.place.file}:{output.place.line}")


def soon_lines(
    alive: Mapping[str, Record], declared: Declared, world: World, *, columns: int, options: str, within: float
) -> list[str]:
    """The files that are deleted within so many seconds, and how each is saved."""
    found = dying(alive, world, within)
    wide = columns_of(visible(each.address) for each in found[:SHOWN_AT_MOST])
    lines: list[str] = []
    for each in found[:SHOWN_AT_MOST]:
        what = f"{visible(each.record.provider)} deletes it in {span(each.seconds)} and no copy was kept"
        lines += fold(what, columns, first=f"  ! {pad(visible(each.address), wide)}  ", rest="      ")
        lines += advice_lines(_saving(each, declared, options), columns)
    more = len(found) - SHOWN_AT_MOST
    return [*lines, f"  and {count(more, 'more output')}"] if more > 0 else lines


def _saving(each: Dying, declared: Declared, options: str) -> list[Advice | str]:
    wanted = declared.outputs.get(each.address)
    save = f"reconciler apply --no-spend{options}"
    if wanted is None:
        return [Advice("its links:", f"reconciler output --show-links {visible(each.address)}{options}")]
    if wanted.deliver is not None:
        return [Advice("save it now, free:", save)]
    return [Advice("to keep it:", f"deliver: in {_place(wanted)}"), Advice("then save it, free:", save)]


def undelivered(alive: Mapping[str, Record], declared: Declared, world: World) -> list[str]:
    """The finished outputs that have no copy where their spec wants one, while the file itself lives."""
    found = []
    for address, output in declared.outputs.items():
        record = alive.get(address)
        wanted = target(output)
        if record is None or wanted is None or record.status != "complete" or is_gone(record, world):
            continue
        if copy_state(record, wanted.where, world) is not None:
            found.append(address)
    return found


def links_sentence(alive: Mapping[str, Record], world: World, options: str) -> str:
    """`Links: 1 dead, its file lives.` and how it is renewed; empty if none is."""
    dead = [
        address
        for address, record in alive.items()
        if record.status == "complete"
        and record.output is not None
        and link_is_dead(record.output, world.now)
        and not has_copy(record, world)
    ]
    if not dead:
        return ""
    whose = "its file lives" if len(dead) == 1 else "their files live"
    named = f" {visible(dead[0])}" if len(dead) == 1 else ""
    command = whole(f"reconciler output{named}{options}")
    return f"Links: {len(dead):,} dead, {whose}. Free to renew: {command}"
