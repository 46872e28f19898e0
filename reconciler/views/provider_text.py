"""What a provider said when it was asked, in words."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.views.cells import fold, visible


def provider_text(name: str, lines: Sequence[str], *, good: bool, columns: int = 80) -> str:
    """A block for one provider: its name, whether it can be used, and what it says of itself."""
    head = f"{visible(name)}: ready" if good else f"Error: {visible(name)}"
    said = [
        line for part in lines for text in part.split("\n") for line in fold(visible(text.strip()), columns, first="  ")
    ]
    return "\n".join([head, *[line for line in said if line.strip() not in {"ready", ""}]]) + "\n"
