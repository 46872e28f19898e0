"""What is wrong with a document that somebody wrote."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.bytenite.leaves import Path
from reconciler.core.errors import ReconcilerError


class TemplateError(ReconcilerError):
    """One thing that is wrong with a document: where (keys and indices from its top), what, and what would be right."""

    def __init__(self, path: Path, message: str, hint: str = "") -> None:
        super().__init__(f"{shown(path)}: {message}" if path else message)
        self.path = path
        self.message = message
        self.hint = hint

    @property
    def problems(self) -> tuple[TemplateError, ...]:
        """All that is wrong with the document."""
        return (self,)


class TemplateProblems(TemplateError):  # noqa: N818 - it is several errors, and speaks as the first of them
    """Everything that is wrong with a document."""

    def __init__(self, problems: Sequence[TemplateError]) -> None:
        first = problems[0]
        super().__init__(first.path, first.message, first.hint)
        self._problems = tuple(problems)

    @property
    def problems(self) -> tuple[TemplateError, ...]:
        """All that is wrong with the document."""
        return self._problems


def shown(path: Path) -> str:
    """A path as people write it: `data.outputs[0].name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
