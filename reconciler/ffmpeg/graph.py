"""How the filter chains of several outputs hang on one decode.

Several outputs share one filter graph, in which `split` and `asplit` hand every decoded frame to each of them.
With a graph for each output ffmpeg would decode once, too, but its scheduler can lock up: it did for good, with
ffmpeg 9.0.2, where one of three outputs had another frame rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["video", "audio"]
Maps = dict[Kind, list[str]]

_FILTER_OPTION = {"video": "-vf", "audio": "-af"}
_SPLIT = {"video": "split", "audio": "asplit"}
_NOTHING = {"video": "null", "audio": "anull"}


@dataclass(frozen=True, slots=True)
class Feed:
    """One track on its way into one output: the stream specifier that it comes from, and its filters."""

    kind: Kind
    stream: str
    filters: tuple[str, ...]


def graph(outputs: Sequence[Sequence[Feed]]) -> tuple[list[str], list[Maps]]:
    """The options that come before all outputs, and for each output by kind those that map and filter its tracks."""
    if len(outputs) == 1:
        return [], [{feed.kind: _alone(feed) for feed in outputs[0]}]
    feeds = [(number, feed) for number, output in enumerate(outputs) for feed in output]
    chains: list[str] = []
    for stream in dict.fromkeys(feed.stream for _, feed in feeds):
        chains += _chains(stream, [(number, feed) for number, feed in feeds if feed.stream == stream])
    mapped = [
        {feed.kind: ["-map", f"[{feed.kind}{number}]"] for feed in output} for number, output in enumerate(outputs)
    ]
    return ["-filter_complex", ";".join(chains)], mapped


def _alone(feed: Feed) -> list[str]:
    chain = [_FILTER_OPTION[feed.kind], ",".join(feed.filters)] if feed.filters else []
    return ["-map", feed.stream, *chain]


def _chains(stream: str, feeds: list[tuple[int, Feed]]) -> list[str]:
    """What becomes of one decoded track: as many copies as outputs use it, each through its own filters."""
    kind = feeds[0][1].kind
    copies = [f"[{stream}]"]
    chains: list[str] = []
    if len(feeds) > 1:
        copies = [f"[{kind}{number}in]" for number, _ in feeds]
        chains.append(f"[{stream}]{_SPLIT[kind]}={len(feeds)}{''.join(copies)}")
    for copy, (number, feed) in zip(copies, feeds, strict=True):
        chains.append(f"{copy}{','.join(feed.filters) or _NOTHING[kind]}[{kind}{number}]")
    return chains
