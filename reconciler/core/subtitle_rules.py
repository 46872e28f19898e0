"""What a file of subtitles cannot mean."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.errors import Problem
from reconciler.core.parameters import Parameters
from reconciler.core.subtitle_fields import KINDS
from reconciler.core.written import Written


def subtitle_problems(parameters: Parameters, written: Written) -> Iterator[Problem]:
    """What is wrong with saying something of subtitles."""
    container = parameters.container
    if container is not None and container not in KINDS and parameters.subtitles is not None:
        hints = (*written.source_of("container"), f"It is for {', '.join(KINDS)}, which are files of their own.")
        yield written.problem(f'"subtitles" says nothing for {container}', "subtitles", *hints)
