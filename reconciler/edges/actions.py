"""A run of GitHub Actions, as its environment tells of it, and the files in which it takes what a step has to say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from reconciler.core.errors import ReconcilerError

API = "https://api.github.com"

# The runner drops a summary of more than 1 MiB a step altogether.
SUMMARY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Run:
    """A run of Actions, as far as its environment tells; empty and None where it does not.

    `number` is the pull request that it is about, `fork` whether that comes from another repository, `merged`
    whether it was merged; `folder` is where the project is in the repository.
    """

    repository: str = ""
    api_url: str = API
    commit: str = ""
    number: int | None = None
    fork: bool = False
    merged: bool = False
    folder: str = ""
    is_actions: bool = False
    summary: Path | None = None
    output: Path | None = None
    token: SecretStr = field(default=SecretStr(""))

    @property
    def name(self) -> str:
        """What to call the environment where nobody says: the repository without its owner."""
        return self.repository.rpartition("/")[2] or "encodes"


def run_of(environment: Mapping[str, str], project: Path) -> Run:
    """The run that an environment tells of. Raises ReconcilerError for an event that cannot be read."""
    event = _event(environment.get("GITHUB_EVENT_PATH", ""))
    pull = event.get("pull_request")
    pull = pull if isinstance(pull, dict) else {}
    head, base = _repository(pull, "head"), _repository(pull, "base")
    commit = pull.get("head", {}).get("sha") if pull else None
    number = pull.get("number")
    return Run(
        repository=environment.get("GITHUB_REPOSITORY", ""),
        api_url=environment.get("GITHUB_API_URL") or API,
        commit=str(commit or environment.get("GITHUB_SHA", "")),
        number=number if isinstance(number, int) else None,
        fork=bool(pull) and (head is None or head != base),
        merged=pull.get("merged") is True,
        folder=_below(environment.get("GITHUB_WORKSPACE", ""), project),
        is_actions=environment.get("GITHUB_ACTIONS") == "true",
        summary=_path(environment, "GITHUB_STEP_SUMMARY"),
        output=_path(environment, "GITHUB_OUTPUT"),
        token=SecretStr(environment.get("GITHUB_TOKEN", "").strip()),
    )


def append_summary(run: Run, text: str) -> bool:
    """Add to the summary of the step; whether there is one and it has room. Raises ReconcilerError."""
    if run.summary is None:
        return False
    written = run.summary.stat().st_size if run.summary.exists() else 0
    content = f"\n{text}" if written else text
    if written + len(content.encode()) > SUMMARY_BYTES:
        return False
    _append(run.summary, content)
    return True


def append_output(run: Run, text: str) -> None:
    """Hand values to later steps, if there are any. Raises ReconcilerError."""
    if run.output is not None:
        _append(run.output, text)


def _event(path: str) -> Mapping[str, Any]:
    """The payload of the event that started the run; empty where there is none."""
    if not path:
        return {}
    try:
        event = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise ReconcilerError(f"GITHUB_EVENT_PATH: {path} cannot be read: {type(error).__name__}") from None
    return event if isinstance(event, dict) else {}


def _repository(pull: Mapping[str, Any], side: str) -> str | None:
    """The repository of one side of a pull request; None where it is gone."""
    repository = (pull.get(side) or {}).get("repo") or {}
    name = repository.get("full_name")
    return name if isinstance(name, str) else None


def _below(workspace: str, project: Path) -> str:
    try:
        below = project.resolve().relative_to(Path(workspace).resolve()) if workspace else Path()
    except ValueError:
        return ""
    return "" if below == Path() else below.as_posix()


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    return Path(environment[name]) if environment.get(name) else None


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ReconcilerError(f"{path}: cannot be written: {error.strerror}") from error
