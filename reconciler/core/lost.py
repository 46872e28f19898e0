"""Values that cannot be known, of which the reason was told: nobody complains about them a second time.

In nodes they are `LostNode`; a model made of such nodes has not got the field, and asking for it raises
LostError. So a rule that needs a lost value ends, and what does not need it is still judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

Item = TypeVar("Item")


class LostError(AttributeError):
    """Somebody asked for a value that is lost."""


def as_far_as_known(rule: Iterable[Item]) -> Iterator[Item]:
    """What a rule says until it asks for a value that is lost."""
    with suppress(LostError):
        yield from rule
