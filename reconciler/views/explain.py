"""Why an output would run, and which line of which file set each of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from reconciler.core.aftercare import target
from reconciler.core.encode import Output
from reconciler.core.finished import Notice
from reconciler.core.manifest import NEUTRAL, Canonical, parameter_fields
from reconciler.core.packages import is_package
from reconciler.core.parameters import Parameters
from reconciler.core.presets import BuiltIn
from reconciler.core.state import EndedAttempt, Record
from reconciler.core.steps import Step
from reconciler.views.cells import columns_of, fold, pad, visible, width
from reconciler.views.document import ResourceChange
from reconciler.views.history import history_lines
from reconciler.views.plan_json import changed_fields
from reconciler.views.plan_rows import values
from reconciler.views.words import value

_VALUE_COLUMNS = 16


def explain_text(
    output: Output,
    record: Record | None,
    step: Step | None,
    notices: Sequence[Notice],
    *,
    held: bool = False,
    columns: int = 80,
) -> str:
    """Would it run and why; then every field, its value and where it was written.

    `held` is whether its provider keeps what it makes.
    """
    lines = fold(f"{visible(output.address)}: {_verdict(output, record, step)}", columns, rest="  ")
    for notice in notices:
        lines += fold(visible(notice.sentence), columns, first="  ")
    if step is not None:
        for change in changed_fields(step):
            lines += fold(values(change), columns, first="  ", rest="    ")
    lines += ["", *_fields(output, columns), "", *_facts(output, columns, held=held)]
    lines += history_lines(record, columns)
    return "\n".join(lines) + "\n"


def retired_text(address: str, record: Record, step: Step | None, *, columns: int = 80) -> str:
    """What becomes of an address that is recorded and no longer declared."""
    what = (
        f"{step.phrase} ({step.symbol}): {step.reason.sentence}"
        if step is not None
        else f"{record.status}, not declared"
    )
    lines = fold(f"{visible(address)}: {visible(what)}.", columns, rest="  ")
    return "\n".join([*lines, *history_lines(record, columns)]) + "\n"


class Field(msgspec.Struct, frozen=True):
    """One field of an output, and where it was written."""

    value: Canonical
    place: str | None = None
    preset: str | None = None
    variable: str | None = None


class Explained(msgspec.Struct, frozen=True):
    """What programs are told of an output; `change` is its part of a plan, if it has one."""

    fingerprint: str
    path: str | None
    provider: str
    place: str | None
    change: ResourceChange | None
    fields: dict[str, Field]
    history: tuple[EndedAttempt, ...] = ()


def explained(output: Output, change: ResourceChange | None, record: Record | None = None) -> Explained:
    """An explanation for programs; `change` is the output's part of a plan, if it has one."""
    return Explained(
        fingerprint=output.fingerprint,
        path=output.path,
        provider=output.provider,
        place=str(output.place),
        change=change,
        fields={name: _field(output, name, canonical) for name, canonical in output.manifest.items()},
        history=record.history if record is not None else (),
    )


def explained_record(record: Record, change: ResourceChange | None) -> Explained:
    """The same of an address that is recorded and no longer declared: nothing says where its fields were written."""
    return Explained(
        fingerprint=record.fingerprint,
        path=record.output.path if record.output is not None else None,
        provider=record.provider,
        place=None,
        change=change,
        fields={name: Field(canonical) for name, canonical in record.manifest.items()},
        history=record.history,
    )


def _field(output: Output, name: str, canonical: Canonical) -> Field:
    origin = output.origins.get(name)
    if origin is None:
        return Field(canonical)
    return Field(canonical, None if origin.place is None else str(origin.place), origin.preset, origin.variable)


def presets_text(presets: Mapping[str, BuiltIn], *, columns: int = 80) -> str:
    """The built-in presets: what each is for, and everything it holds."""
    blocks = []
    for name, preset in presets.items():
        fields = preset_fields(preset)
        wide = columns_of(fields)
        lines = fold(f"{name}  {preset.description}", columns, rest="  ")
        blocks.append("\n".join([*lines, *(f"  {pad(key, wide)}  {value(key, each)}" for key, each in fields.items())]))
    return "\n\n".join(blocks) + "\n"


def preset_fields(preset: BuiltIn) -> dict[str, Canonical]:
    """The manifest fields that a built-in preset sets."""
    return dict(sorted(parameter_fields(Parameters.model_validate(preset.parameters)).items()))


def _verdict(output: Output, record: Record | None, step: Step | None) -> str:
    if not output.enabled:
        return "paused (enabled: false); nothing is done about it."
    if step is not None:
        return f"{visible(step.phrase)} ({step.symbol}): {visible(step.reason.sentence)}."
    if record is not None and record.status == "complete":
        return "nothing to do; it is as declared."
    return "nothing is done about it."


def _fields(output: Output, columns: int) -> Iterator[str]:
    """`field  value  where`; where it was written goes below a value that leaves it no room."""
    rows = [
        (visible(name), value(name, canonical), _origin(output, name)) for name, canonical in output.manifest.items()
    ]
    name, shown = columns_of(row[0] for row in rows), min(columns_of(row[1] for row in rows), _VALUE_COLUMNS)
    indent = " " * (2 + name + 2)
    for field, said, origin in rows:
        line = f"  {pad(field, name)}  {pad(said, shown)}"
        if not origin or width(line) + 2 + width(origin) <= columns:
            yield f"{line}  {origin}".rstrip()
        else:
            yield line.rstrip()
            yield f"{indent}{origin}"


def _origin(output: Output, field: str) -> str:
    origin = output.origins.get(field)
    if origin is None:
        return ""
    place = "" if origin.place is None else visible(str(origin.place))
    variable = "" if origin.variable is None else f"${{{visible(origin.variable)}}}"
    preset = "" if origin.preset is None else f"{'built-in ' if not place else ''}preset {visible(origin.preset)}"
    return "  ".join(part for part in (place, variable, preset) if part)


_OPTIONAL = ("audio.loudness", "video.watermark", "stills.watermark")


def _section(name: str) -> str:
    """What has to be said for a field to mean something: its section, or the part of it that need not be there."""
    return next((part for part in _OPTIONAL if name.startswith(f"{part}.")), name.partition(".")[0])


def _facts(output: Output, columns: int, *, held: bool) -> Iterator[str]:
    sections = {name.partition(".")[0] for name in output.manifest}
    sections |= {"segment"} if is_package(output.parameters) else set()
    sections |= {part for part in _OPTIONAL if any(name.startswith(f"{part}.") for name in output.manifest)}
    unset = [
        f"{name}={_plain(canonical)}"
        for name, canonical in NEUTRAL.items()
        if name not in output.manifest and ("." not in name or _section(name) in sections)
    ]
    yield from fold(f"Not set, so the default: {', '.join(unset)}", columns, first="  ", rest="    ")
    if output.source.kind == "encode":
        yield f"  made from    {visible(output.source.location)}"
    yield f"  declared at  {visible(str(output.place))}"
    yield f"  written to   {f'nowhere here: {visible(output.provider)} keeps it' if held else visible(output.path)}"
    copy = target(output)
    if copy is not None:
        yield f"  delivered to {visible(copy.where)}"
    yield f"  provider     {visible(output.provider)}"
    yield f"  fingerprint  {output.fingerprint}"


def _plain(canonical: Canonical) -> str:
    return value("", canonical)
