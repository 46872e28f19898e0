"""Outputs that cannot both exist: addresses or files that some file system would take for the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.encode import Output
from reconciler.core.errors import Problem
from reconciler.core.packages import is_folder, is_package


def collisions(outputs: Sequence[Output]) -> Iterator[Problem]:
    """A problem for each output whose address or path clashes with an earlier one's."""
    by_address: dict[str, Output] = {}
    by_path: dict[str, Output] = {}
    folders: dict[str, Output] = {}
    for output in outputs:
        first = by_address.setdefault(output.address.casefold(), output)
        other = by_path.setdefault(output.path.casefold(), output)
        folders.setdefault(output.path.casefold().rpartition("/")[0], output)
        if first is not output:
            same = first.address == output.address
            message = (
                f"{output.address} is there twice"
                if same
                else f"{output.address} and {first.address} differ only by case"
            )
            yield _clash(message, output, first)
        elif other is not output:
            yield _clash(f"{output.address} and {other.address} would both be {output.path}", output, other)
    for path, output in by_path.items():
        inside = folders.get(path)
        if inside is not None:
            what = _kind(output)
            message = f"{output.path} would be a {what} and the folder of {inside.address}"
            yield _clash(message, output, inside)


def _kind(output: Output) -> str:
    if is_package(output.parameters):
        return "package"
    return "folder of stills" if is_folder(output.parameters) else "file"


def _clash(message: str, output: Output, first: Output) -> Problem:
    hint = f"The other is at {first.place}. Give one of them another name."
    return Problem(message, output.place, f"encodes.{output.address.replace('/', '.')}", (hint,))
