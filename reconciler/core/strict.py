"""What every model of a spec is: closed, fixed once read, and honest about what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from reconciler.core.lost import LostError


class Strict(BaseModel):
    """Unknown keys are errors, values do not change once read; asking for a lost one raises LostError."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Only called for what is not there."""
            if name in type(self).model_fields:
                raise LostError(name)
            return super().__getattr__(name)
