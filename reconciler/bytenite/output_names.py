"""What the outputs of a document are called: after their own names, else after their heights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from reconciler.bytenite.leaves import Leaves, Path
from reconciler.bytenite.template_errors import TemplateError, TemplateProblems
from reconciler.bytenite.translation import Extra
from reconciler.core.names import LONGEST, name_error, normal

# An output's parameters, its extras, and its entry in the document.
Read = tuple[Mapping[str, object], Mapping[str, Extra], Mapping[str, object]]


def names_of(read: Sequence[Read], path: Path) -> list[str]:
    """A name for each output; those that clash get their codecs, whatever their order.

    `path` leads to the list of outputs.

    Raises:
        TemplateProblems: where names clash even so, or cannot be names.
    """
    first = [_slug(str(entry.get("name") or "")) or _from_height(entry) for _, _, entry in read]
    clashing = {name for name, count in Counter(map(str.casefold, first)).items() if count > 1}
    names = [
        f"{name}-{codec}" if name.casefold() in clashing and (codec := _codec(one)) else name
        for name, one in zip(first, read, strict=True)
    ]
    counts = Counter(map(str.casefold, names))
    problems = [
        TemplateError((*path, index, "name"), f'two outputs would be named "{name}"', "Give them names of their own.")
        for index, name in enumerate(names)
        if counts[name.casefold()] > 1
    ]
    problems += [
        TemplateError((*path, index, "name"), f'"{name}" cannot be a name: {why}', "Give it a shorter name.")
        for index, name in enumerate(names)
        if (why := name_error(name)) is not None
    ]
    if problems:
        raise TemplateProblems(problems)
    return names


def _slug(text: str) -> str:
    """`720p @4.5Mbps` is `720p-4.5Mbps`: what may not stand in a name becomes one hyphen."""
    kept = "".join(letter if name_error(f"a{letter}") is None else "-" for letter in normal(text))
    name = re.sub(r"-{2,}", "-", kept).strip("-").lstrip(".-")
    while name and name_error(name) is not None:
        # Too long, or it starts with a mark that belonged to a letter which is gone.
        name = name[:-1] if len(name.encode()) > LONGEST else name[1:]
    return name.rstrip("-")


def _from_height(entry: Mapping[str, object]) -> str:
    leaves = dict(Leaves(entry).items())
    at = ("output_params", "aspect", "resolution")
    height = leaves.get((*at, "height"))
    if height == "custom":
        height = leaves.get((*at, "custom_height"))
    digits = re.fullmatch(r"(\d{1,5})p?", str(height))
    return f"{int(digits[1])}p" if digits else "source"


def _codec(read: Read) -> str:
    parameters, extras, _ = read
    video = parameters.get("video")
    known = video.get("codec") if isinstance(video, Mapping) else None
    return _slug(str(known or extras.get("bytenite.output_params.video.codec") or ""))
