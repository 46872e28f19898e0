"""Where everything stands, what needs a hand first; judged from state, files and clock, contacting nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.core.countdown import SOON, dying, has_copy, is_gone, seconds_between
from reconciler.core.plan import IN_FLIGHT
from reconciler.core.state import Record
from reconciler.core.transitions import older_attempts
from reconciler.core.world import World, copy_state, output_state
from reconciler.views.cells import columns_of, fold, pad, visible, whole
from reconciler.views.status_expiry import (
    Advice,
    Declared,
    advice_lines,
    gone,
    links_sentence,
    soon_lines,
    undelivered,
)
from reconciler.views.words import count, moment, sequence, span

NEEDED_AT_MOST = 20
_ATTEMPTS = 2  # what a spec that does not say otherwise gives an output


def status_text(
    project: str,
    records: Mapping[str, Record],
    declared: Declared,
    world: World,
    now: datetime,
    *,
    columns: int = 80,
    options: str = "",
) -> str:
    """The status screen: needs you, soon, running, fine. `options` are the flags that commands on it repeat."""
    world = replace(world, now=f"{now:%Y-%m-%dT%H:%M:%SZ}")
    alive = {address: record for address, record in records.items() if record.status != "retired"}
    parts = [
        fold(_headline(project, alive), columns),
        _needs_you(alive, declared, world, columns, options),
        _soon(alive, declared, world, columns, options),
        _running(alive, now, columns, options),
        _fine(alive, declared, world, columns),
        _rest(_sentences(records, declared, world, options), now, columns),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def expiring_text(
    records: Mapping[str, Record],
    declared: Declared,
    world: World,
    within: float,
    *,
    columns: int = 80,
    options: str = "",
) -> str:
    """What is deleted within so many seconds and has no copy, and how it is saved."""
    alive = {address: record for address, record in records.items() if record.status != "retired"}
    found = len(dying(alive, world, within))
    if not found:
        return f"Nothing without a copy is deleted within {span(within)}.\n"
    are = "1 output is" if found == 1 else f"{found:,} outputs are"
    head = fold(f"{are} deleted within {span(within)} and no copy was kept.", columns)
    return (
        "\n".join([*head, "", *soon_lines(alive, declared, world, columns=columns, options=options, within=within)])
        + "\n"
    )


def _soon(alive: Mapping[str, Record], declared: Declared, world: World, columns: int, options: str) -> list[str]:
    lines = soon_lines(alive, declared, world, columns=columns, options=options, within=SOON)
    return ["Soon", *lines] if lines else []


def _headline(project: str, alive: Mapping[str, Record]) -> str:
    times = [record.updated_at for record in alive.values() if record.updated_at is not None]
    if not alive:
        return f"{visible(project)}: no outputs were made yet."
    return (
        f"{visible(project)}: {count(len(alive), 'output')}. Last change {moment(max(times)) if times else 'unknown'}."
    )


def _needs_you(alive: Mapping[str, Record], declared: Declared, world: World, columns: int, options: str) -> list[str]:
    needed = [
        (address, said)
        for address, record in alive.items()
        if address not in declared.paused and (said := _need(address, record, declared, world, options)) is not None
    ]
    if not needed:
        return []
    wide = columns_of(visible(address) for address, _ in needed[:NEEDED_AT_MOST])
    lines = ["Needs you"]
    for address, (what, how) in needed[:NEEDED_AT_MOST]:
        lines += fold(what, columns, first=f"  ! {pad(visible(address), wide)}  ", rest="      ")
        lines += advice_lines(how, columns)
    more = len(needed) - NEEDED_AT_MOST
    return [*lines, f"  and {count(more, 'more output')}: reconciler status --json{options}"] if more > 0 else lines


def _need(
    address: str, record: Record, declared: Declared, world: World, options: str
) -> tuple[str, list[Advice | str]] | None:
    """What is wrong with an output and what helps; None for one that is fine."""
    error = f'"{visible(record.error)}"' if record.error else "no reason is known"
    again = Advice("try again:", f"reconciler apply --rerun {visible(address)}{options}")
    live = "; the old file is live" if older_attempts(record) else ""
    attempts = declared.attempts.get(address, _ATTEMPTS)
    match record.status:
        case "failed" if record.failures < attempts:
            what = f"failed, attempt {record.failures} of {attempts}: {error}"
            return what, [Advice(f"the next apply tries again{live}:", f"reconciler apply{options}")]
        case "failed":
            what = f"failed, {record.failures} of {attempts} attempts: {error}"
            return what, [f"not tried again until its spec or source changes{live}", again]
        case "suspect":
            return f"suspect: {error}", [f"not used until somebody looks at it{live}", again]
        case "lost":
            return f"lost: {error}", [again]
        case "complete":
            return _need_of_finished(address, record, declared, world, options)
        case _:
            return None


def _need_of_finished(
    address: str, record: Record, declared: Declared, world: World, options: str
) -> tuple[str, list[Advice | str]] | None:
    """What is wrong with a finished output: its file, or the copy that was made of it."""
    if has_copy(record, world):
        return None
    found = output_state(record, world)
    if found is not None:
        return visible(found[1]), [Advice("make it again:", f"reconciler apply{options}")]
    lost = gone(address, record, declared, world, options)
    if lost is not None or record.delivered is None:
        return lost
    missing = copy_state(record, record.delivered.where, world)
    if missing is None or missing[0] not in {"copy_missing", "copy_altered"}:
        return None
    return visible(missing[1]), [Advice("copy it again, free:", f"reconciler apply --no-spend{options}")]


def _running(alive: Mapping[str, Record], now: datetime, columns: int, options: str) -> list[str]:
    running = {address: record for address, record in alive.items() if record.status in IN_FLIGHT}
    if not running:
        return []
    wide = columns_of(map(visible, running))
    lines = ["Running, or left behind by an apply that was stopped"]
    for address, record in running.items():
        lines += fold(_flight(record, now), columns, first=f"  > {pad(visible(address), wide)}  ", rest="      ")
    return [
        *lines,
        *fold(f"To go on with what nobody attends: {whole(f'reconciler apply{options}')}", columns, first="      "),
    ]


def _flight(record: Record, now: datetime) -> str:
    job = record.job
    if job is None:
        return "its file is made and waits for its name"
    since = job.started_at or job.created_at
    ago = _ago(since, now)
    return f"{visible(record.provider)} job {visible(job.id[:8])}, {job.phase}{f' {ago} ago' if ago else ''}"


def _ago(stamp: str | None, now: datetime) -> str:
    try:
        since = datetime.strptime(stamp or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return ""
    return span(max((now - since).total_seconds(), 0))


def _fine(alive: Mapping[str, Record], declared: Declared, world: World, columns: int) -> list[str]:
    fine = {
        address: record
        for address, record in alive.items()
        if record.status == "complete" and address not in declared.paused and _is_fine(record, world)
    }
    going = {each.address for each in dying(fine, world, SOON)}
    fine = {address: record for address, record in fine.items() if address not in going}
    if not fine:
        return []
    lines = ["Fine"]
    for sentence in _places(fine, declared, world):
        lines += fold(sentence, columns, first="  ")
    return lines


def _is_fine(record: Record, world: World) -> bool:
    return has_copy(record, world) or (output_state(record, world) is None and not is_gone(record, world))


def _places(fine: Mapping[str, Record], declared: Declared, world: World) -> Iterator[str]:
    by_place: dict[tuple[str, str], int] = {}
    by_host: dict[str, list[str]] = {}
    held: dict[str, list[str | None]] = {}
    for address, record in fine.items():
        file = record.output
        if has_copy(record, world) and record.delivered is not None:
            place = (_delivered_to(address, record.delivered.where, declared), record.delivered.host)
            by_place[place] = by_place.get(place, 0) + 1
        elif file is not None and file.path is not None:
            by_host.setdefault(file.host, []).append(file.path)
        else:
            held.setdefault(record.provider, []).append(file.expires_at if file is not None else None)
    for (to, host), number in sorted(by_place.items()):
        yield f"{count(number, 'output')} in {visible(to)}, {_whose(host, world)}"
    for host, paths in sorted(by_host.items(), key=lambda pair: (pair[0] != world.host, pair[0])):
        folders = sorted({f"{visible(path.partition('/')[0])}/" for path in paths})
        yield f"{count(len(paths), 'output')} in {sequence(folders)}, {_whose(host, world)}"
    for provider, ends in sorted(held.items()):
        yield f"{count(len(ends), 'output')} at {visible(provider)}{_first_end(ends, world)}"


def _whose(host: str, world: World) -> str:
    return "no expiry" if host in {"", world.host} else f"made on {visible(host)}, not here"


def _delivered_to(address: str, where: str, declared: Declared) -> str:
    """The place that the spec names, while the copy is there; else the folder, or the bucket, that it is in."""
    output = declared.outputs.get(address)
    if output is not None and output.deliver is not None and where.startswith(output.deliver.to.rstrip("/")):
        return f"{output.deliver.to.rstrip('/')}/"
    scheme, store, rest = where.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/" if store else f"{where.rpartition('/')[0]}/"


def _first_end(ends: list[str | None], world: World) -> str:
    """When the first of the files is deleted, which nobody has copied; empty where that is not known."""
    known = min((end for end in ends if end is not None), default=None)
    left = seconds_between(world.now, known) if known is not None else None
    if left is None:
        return ""
    return f", deleted in {span(left)}" if len(ends) == 1 else f", the first is deleted in {span(left)}"


def _rest(sentences: Iterable[str], now: datetime, columns: int) -> list[str]:
    judged = f"Judged from state, files and clock alone, {moment(now)}."
    folded = [line for sentence in sentences for line in fold(sentence, columns, rest="  ")]
    return [*folded, *fold(judged, columns)]


def _sentences(records: Mapping[str, Record], declared: Declared, world: World, options: str) -> Iterator[str]:
    alive = {address: record for address, record in records.items() if record.status != "retired"}
    waiting = [address for address in undelivered(alive, declared, world) if address not in declared.paused]
    if waiting:
        command = whole(f"reconciler apply --no-spend{options}")
        yield f"Not copied to its place yet: {count(len(waiting), 'output')}. Free: {command}"
    paused = declared.paused & records.keys()
    if paused:
        yield f"Paused (enabled: false): {sequence(sorted(map(visible, paused)))}"
    missing = declared.attempts.keys() - alive.keys() - declared.paused
    if missing:
        yield f"Declared and not made yet: {count(len(missing), 'output')}. See: {whole(f'reconciler plan{options}')}"
    retired = sum(1 for record in records.values() if record.status == "retired" and (record.output or record.previous))
    if retired:
        command = whole(f"reconciler state prune{options}")
        yield f"Retired, files kept: {count(retired, 'output')}. To drop: {command}"
    links = links_sentence(alive, world, options)
    if links:
        yield links
    if not declared.readable:
        yield f"The specs have errors. To see them: {whole(f'reconciler validate{options}')}"
