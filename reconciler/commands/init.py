"""`reconciler init`: a first spec that works, and what belongs beside it. Overwrites nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from reconciler import __version__
from reconciler.commands.kinds import Types
from reconciler.commands.options import Command, Globals, with_globals
from reconciler.commands.speaking import Screen
from reconciler.commands.states import is_shared, state_of
from reconciler.core.errors import ReconcilerError, UsageError
from reconciler.core.schema import spec_schema
from reconciler.core.urls import SCHEMES, identity, url_error
from reconciler.io import atomic
from reconciler.views.edit_types import Written
from reconciler.views.first_spec import (
    SCHEMA_FILE,
    TEST_PICTURES,
    attributes,
    first_spec,
    ignored,
    init_text,
    name_from,
    presets_for,
)
from reconciler.views.workflows import FOLDER, workflow_files


@click.command("init", cls=Command)
@click.argument("clip", required=False, metavar="[CLIP]")
@click.option("--workflow", is_flag=True, help="Also write workflows for GitHub Actions: plan, apply, collect.")
@with_globals
def command(settings: Globals, *, clip: str | None, workflow: bool) -> int:
    """Write a working spec, the lines that .gitignore and .gitattributes need, and the schema that editors read.

    CLIP is the video to begin with: a path in this folder, or a URL. Without it the spec encodes generated test
    pictures. Nothing that exists is overwritten.
    """
    screen = Screen(settings)
    folder, project = Path(settings.specs), Path.cwd()
    source = TEST_PICTURES if clip is None else _source(clip, project)
    encode = "first" if clip is None else name_from(Path(source.partition("?")[0]).stem, "first")
    spec = first_spec(name_from(project.name, "my-encodes"), encode, source, presets_for(source))
    written: list[str] = []
    alone: list[str] = []
    _write_spec(folder, spec, written, alone)
    _write_schema(folder, written, alone)
    _write_lines(project / ".gitignore", ignored, written, alone)
    if not is_shared(settings.state):
        _write_lines(project / ".gitattributes", lambda text: attributes(text, settings.state), written, alone)
    if workflow:
        _write_workflows(name_from(project.name, "encodes"), settings, written, alone)
    if settings.json:
        screen.json(msgspec.to_builtins(Written(written=tuple(written), left_alone=tuple(alone))))
    else:
        screen.result(init_text(written, alone, columns=screen.columns))
    return 0


def _write_spec(folder: Path, spec: str, written: list[str], alone: list[str]) -> None:
    existing = sorted(path for pattern in ("*.yaml", "*.yml") for path in folder.rglob(pattern))
    if existing:
        alone.append(f"{folder}/, which has specs already ({existing[0]})")
        return
    _write(folder / "encodes.yaml", spec, written)


def _write_schema(folder: Path, written: list[str], alone: list[str]) -> None:
    path = folder / SCHEMA_FILE
    schema = json.dumps(spec_schema(Types()), indent=1, ensure_ascii=False) + "\n"
    if not path.exists():
        _write(path, schema, written)
    elif path.read_text(encoding="utf-8", errors="replace") != schema:
        alone.append(f"{path}, which is not this version's; to renew it: reconciler schema > {path}")


def _write_lines(path: Path, added: Callable[[str], str], written: list[str], alone: list[str]) -> None:
    """Add our lines to a file of the user's; what is in it stays."""
    existing = path.read_text(encoding="utf-8") if path.exists() else ""
    wanted = added(existing)
    if wanted == existing:
        alone.append(f"{path.name}, which has our lines already")
    else:
        _write(path, wanted, written, shown=path.name)


def _write_workflows(project: str, settings: Globals, written: list[str], alone: list[str]) -> None:
    environment = re.sub("[^A-Za-z0-9]+", "-", project).strip("-")[:50] or "encodes"
    if is_shared(settings.state):
        install = f'"encode-reconciler[cloud]=={__version__}"'
        files = workflow_files(install=install, environment=environment, state=state_of(settings).name)
    else:
        files = workflow_files(install=f"encode-reconciler=={__version__}", environment=environment)
    for name, text in files.items():
        path = Path(FOLDER) / name
        if path.exists():
            alone.append(f"{path}, which is there already")
        else:
            _write(path, text, written)


def _write(path: Path, content: str, written: list[str], *, shown: str | None = None) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, content.encode())
    except OSError as error:
        raise ReconcilerError(f"{path}: cannot be written: {error.strerror}") from error
    written.append(shown or str(path))


def _source(clip: str, project: Path) -> str:
    """A clip as a spec names it. Raises UsageError for what a spec in git must not hold, or could not reach."""
    if clip.startswith("lavfi:"):
        return clip
    if clip.partition("://")[0].lower() in SCHEMES and "://" in clip:
        return _url(clip)
    path = Path(clip)
    if not path.is_file():
        raise UsageError(f"{clip}: there is no such file; name a clip in this folder, or a URL")
    try:
        inside = Path(os.path.abspath(path)).relative_to(project)  # noqa: PTH100 - a symlink keeps its own name
        path.resolve().relative_to(project.resolve())
    except ValueError:
        advice = "Put it into this folder, for example into masters/, and name it there."
        raise UsageError(f"{clip}: lies outside this folder, where specs do not reach.\n{advice}") from None
    return inside.as_posix()


def _url(url: str) -> str:
    wrong = url_error(url)
    if wrong is not None:
        raise UsageError(f"{wrong[0]}.\n{wrong[1]}")
    query = url.partition("#")[0].partition("?")[2]
    if len(list(filter(None, query.split("&")))) > len(list(filter(None, identity(url).partition("?")[2].split("&")))):
        advice = (
            'Write it as  source: {id: clip, url: "${env.RECONCILER_CLIP_URL}"}  and keep the URL in that variable.'
        )
        raise UsageError(f"this URL is signed, and a spec is kept in git.\n{advice}")
    return url
