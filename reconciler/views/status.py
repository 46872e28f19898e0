"""Where everything stands, what needs a hand first; judged from state, files and clock, contacting nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconciler.core.plan import IN_FLIGHT
from reconciler.core.state import Record
from reconciler.core.world import World, output_state
from reconciler.views.cells import columns_of, fold, pad, visible, whole
from reconciler.views.words import count, moment, sequence, span

NEEDED_AT_MOST = 20
_ATTEMPTS = 2  # what a spec that does not say otherwise gives an output


@dataclass(frozen=True, slots=True)
class Declared:
    """What the specs add to a status; `readable` is false where they have errors."""

    readable: bool = True
    attempts: Mapping[str, int] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()


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
    """The status screen: needs you, running, fine. `options` are the flags that commands on it have to repeat."""
    alive = {address: record for address, record in records.items() if record.status != "retired"}
    parts = [
        fold(_headline(project, alive), columns),
        _needs_you(alive, declared, world, columns, options),
        _running(alive, now, columns, options),
        _fine(alive, declared, world, columns),
        [*_rest(records, alive, declared, columns, options), *_judged(now, columns)],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


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
        if address not in declared.paused
        and (said := _need(address, record, declared.attempts.get(address, _ATTEMPTS), world, options))
    ]
    if not needed:
        return []
    wide = columns_of(visible(address) for address, _ in needed[:NEEDED_AT_MOST])
    lines = ["Needs you"]
    for address, (what, *how) in needed[:NEEDED_AT_MOST]:
        lines += fold(what, columns, first=f"  ! {pad(visible(address), wide)}  ", rest="      ")
        for line in how:
            lines += fold(line, columns, first="      ")
    more = len(needed) - NEEDED_AT_MOST
    return [*lines, f"  and {count(more, 'more output')}: reconciler status --json{options}"] if more > 0 else lines


def _need(address: str, record: Record, attempts: int, world: World, options: str) -> list[str]:
    """What is wrong with an output and the command that helps; nothing for one that is fine."""
    error = f'"{visible(record.error)}"' if record.error else "no reason is known"
    again = f"try again:  {whole(f'reconciler apply --rerun {visible(address)}{options}')}"
    live = "; the old file is live" if record.previous else ""
    match record.status:
        case "failed" if record.failures < attempts:
            what = f"failed, attempt {record.failures} of {attempts}: {error}"
            return [what, f"the next apply tries again{live}:  {whole(f'reconciler apply{options}')}"]
        case "failed":
            what = f"failed, {record.failures} of {attempts} attempts: {error}"
            return [what, f"not tried again until its spec or source changes{live}", again]
        case "suspect":
            return [f"suspect: {error}", f"not used until somebody looks at it{live}", again]
        case "lost":
            return [f"lost: {error}", again]
        case "complete":
            found = output_state(record, world)
            return (
                [visible(found[1]), f"make it again:  {whole(f'reconciler apply{options}')}"]
                if found is not None
                else []
            )
        case _:
            return []


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
        if record.status == "complete" and address not in declared.paused and output_state(record, world) is None
    }
    if not fine:
        return []
    lines = ["Fine"]
    for sentence in _places(fine, world):
        lines += fold(sentence, columns, first="  ")
    return lines


def _places(fine: Mapping[str, Record], world: World) -> Iterator[str]:
    by_host: dict[str, list[str]] = {}
    held: Counter[str] = Counter()
    for record in fine.values():
        if record.output is not None and record.output.path is not None:
            by_host.setdefault(record.output.host, []).append(record.output.path)
        else:
            held[record.provider] += 1
    for host, paths in sorted(by_host.items(), key=lambda pair: (pair[0] != world.host, pair[0])):
        folders = sorted({f"{visible(path.partition('/')[0])}/" for path in paths})
        where = "no expiry" if host == world.host else f"made on {visible(host)}, not here"
        yield f"{count(len(paths), 'output')} in {sequence(folders)}, {where}"
    for provider, number in sorted(held.items()):
        yield f"{count(number, 'output')} at {visible(provider)}"


def _rest(
    records: Mapping[str, Record], alive: Mapping[str, Record], declared: Declared, columns: int, options: str
) -> list[str]:
    sentences = []
    paused = declared.paused & records.keys()
    if paused:
        sentences.append(f"Paused (enabled: false): {sequence(sorted(map(visible, paused)))}")
    missing = declared.attempts.keys() - alive.keys() - declared.paused
    if missing:
        sentences.append(
            f"Declared and not made yet: {count(len(missing), 'output')}. See: {whole(f'reconciler plan{options}')}"
        )
    retired = len(records) - len(alive)
    if retired:
        sentences.append(
            f"Retired, files kept: {count(retired, 'output')}. To drop: {whole(f'reconciler state prune{options}')}"
        )
    if not declared.readable:
        sentences.append(f"The specs have errors. To see them: {whole(f'reconciler validate{options}')}")
    return [line for sentence in sentences for line in fold(sentence, columns, rest="  ")]


def _judged(now: datetime, columns: int) -> list[str]:
    return fold(f"Judged from state, files and clock, {moment(now)}. Nothing was contacted.", columns)
