"""What an image over a picture cannot mean."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.errors import Problem
from reconciler.core.lost import as_far_as_known
from reconciler.core.watermark_fields import Watermark
from reconciler.core.written import Written


def watermark_problems(mark: Watermark | None, field: str, written: Written) -> Iterator[Problem]:
    """What is wrong with the watermark that stands at `field`."""
    if mark is not None:
        for rule in (_image, _width, _margin, _times):
            yield from as_far_as_known(rule(mark, field, written))


def _image(mark: Watermark, field: str, written: Written) -> Iterator[Problem]:
    if mark.image is None:
        yield written.problem("watermark has no image", field, "Write  watermark: {image: logos/logo.png}")


def _width(mark: Watermark, field: str, written: Written) -> Iterator[Problem]:
    if mark.width in {0, "0%"}:
        yield written.problem("a watermark of no width", f"{field}.width", "Write  width: 10%", value=True)


def _margin(mark: Watermark, field: str, written: Written) -> Iterator[Problem]:
    if mark.margin is not None and mark.position == "center":
        hints = (*written.source_of(f"{field}.position"), "Leave it out, or name a corner.")
        yield written.problem('"margin" says nothing for a watermark in the center', f"{field}.margin", *hints)


def _times(mark: Watermark, field: str, written: Written) -> Iterator[Problem]:
    if mark.end is not None and mark.end <= (mark.start or 0):
        hints = written.source_of(f"{field}.start")
        yield written.problem("a watermark that ends before it starts", f"{field}.end", *hints, value=True)
