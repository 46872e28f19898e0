"""A picture that is asked for by how good it is, not by how it is encoded."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.core import units
from reconciler.core.strict import Strict

LEAST, MOST = 30, 99


def _score(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic turns only ValueError into a problem with a place
    return units.number(value)


class Quality(Strict):
    """The mean VMAF against the source; what it takes is found once, and kept in the state."""

    vmaf: (
        Annotated[
            int | float,
            BeforeValidator(_score),
            Field(ge=LEAST, le=MOST),
            WithJsonSchema({"type": "number", "minimum": LEAST, "maximum": MOST}),
        ]
        | None
    ) = None
