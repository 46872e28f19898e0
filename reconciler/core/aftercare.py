"""What is to happen to finished outputs, checked before anything runs: where copies go, what they must meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from reconciler.core import checks, targets
from reconciler.core.delivery import STORES
from reconciler.core.encode import Output
from reconciler.core.errors import Problem
from reconciler.core.packages import entry
from reconciler.core.state import Delivered
from reconciler.core.subtitle_fields import KINDS as SUBTITLES
from reconciler.core.targets import Target, Wanted, fields_of, kind_of, target_of


def target(output: Output) -> Target | None:
    """Where the copy of an output goes; None if nobody wants one. Raises ValueError for a template it cannot fill."""
    if output.deliver is None:
        return None
    return target_of(output.deliver, fields_of(output), _entry(output))


def folders_wanted(outputs: Sequence[Output]) -> list[str]:
    """Where copies in folders are to be, as far as their templates can be filled."""
    found: list[str] = []
    for output in outputs:
        with suppress(ValueError):
            wanted = target(output)
            found += [wanted.where] if wanted is not None and not wanted.remote else []
    return found


def _entry(output: Output) -> str:
    """The file that opens a folder; empty for what is a file itself."""
    return entry(output.parameters)


def target_at(copy: Delivered) -> Target:
    """Where a copy is that was made: the target that it was made for, as far as looking and removing need it."""
    scheme, store, rest = copy.where.partition("://")
    if store and scheme in STORES:
        bucket, _, key = rest.partition("/")
        return Target(kind_of(scheme), bucket, key, copy.package, copy.url)
    root, _, name = copy.where.rpartition("/")
    return Target("folder", root or ".", name, copy.package, copy.url)


def aftercare_problems(outputs: Sequence[Output], media_roots: Sequence[str]) -> Iterator[Problem]:
    """Everything that is wrong with `deliver:` and `checks:` of outputs that are right by themselves."""
    wanted: list[Wanted] = []
    for output in outputs:
        yield from _impossible(output)
        try:
            found = target(output)
        except ValueError as error:
            yield Problem(str(error), output.place, _path(output, "deliver"), ("Leave it out of the path.",))
            continue
        if found is not None:
            wanted.append(Wanted(output.address, output.place, found))
            yield from _outside(output, found, media_roots)
    yield from targets.collisions(wanted)
    sources = {_file_of(output): output.address for output in outputs if output.source.kind in {"file", "store"}}
    yield from targets.trespasses(wanted, sources)


def _file_of(output: Output) -> str:
    """What a source is as the place of a copy."""
    source = output.source
    return source.location if source.kind == "file" else source.identity


def _impossible(output: Output) -> Iterator[Problem]:
    if not output.checks.asked:
        return
    video = output.parameters.video
    has_picture = video is None or video.codec != "none"
    generated = output.source.kind == "lavfi"
    plain = output.parameters.stills is not None or output.parameters.container in SUBTITLES
    for name, why in checks.impossible(output.checks, has_picture=has_picture, generated=generated, only_size=plain):
        yield Problem(f"{name} cannot be checked: {why}", output.place, _path(output, f"checks.{name}"))


def _outside(output: Output, found: Target, media_roots: Sequence[str]) -> Iterator[Problem]:
    """Absolute folders lie where a flag allows it, as absolute sources do."""
    root = found.root.rstrip("/") or "/"
    if found.kind != "folder" or not root.startswith("/"):
        return
    if not any(f"{root}/".startswith(f"{allowed.rstrip('/')}/") for allowed in media_roots):
        hint = f"To allow it, where you run reconciler:  --media-root {root}"
        yield Problem(f'"{root}" lies outside the project folder', output.place, _path(output, "deliver"), (hint,))


def _path(output: Output, what: str) -> str:
    return f"encodes.{output.address.replace('/', '.')}.{what}"
