"""How the filter chains of several outputs hang on one decode.

Several outputs share one filter graph, in which `split` and `asplit` hand every decoded frame to each of them.
With a graph for each output ffmpeg would decode once, too, but its scheduler can lock up: it did for good, with
ffmpeg 9.0.2, where one of three outputs had another frame rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["video", "audio", "subtitle"]
Maps = dict[Kind, list[str]]

_FILTER_OPTION = {"video": "-vf", "audio": "-af"}
_FILTER_OF_ONE = {"video": "-filter:v", "audio": "-filter:a"}
_SPLIT = {"video": "split", "audio": "asplit"}
_NOTHING = {"video": "null", "audio": "anull"}


@dataclass(frozen=True, slots=True)
class Feed:
    """One track on its way into one output: the stream specifier that it comes from, and its filters.

    `filters` None: the track is copied, not decoded. `number` counts the tracks of its kind in the output.
    """

    kind: Kind
    stream: str
    filters: tuple[str, ...] | None
    number: int = 0

    @property
    def is_copied(self) -> bool:
        """Whether the track goes past all filters."""
        return self.filters is None


def graph(outputs: Sequence[Sequence[Feed]]) -> tuple[list[str], list[Maps]]:
    """The options that come before all outputs, and for each output by kind those that map and filter its tracks."""
    if len(outputs) == 1:
        return [], [_mapped((feed, _alone(feed, outputs[0])) for feed in outputs[0])]
    feeds = [(number, feed) for number, output in enumerate(outputs) for feed in output if not feed.is_copied]
    chains: list[str] = []
    for stream in dict.fromkeys(feed.stream for _, feed in feeds):
        chains += _chains(stream, [(number, feed) for number, feed in feeds if feed.stream == stream])
    mapped = [
        _mapped((feed, ["-map", feed.stream if feed.is_copied else f"[{_label(number, feed)}]"]) for feed in output)
        for number, output in enumerate(outputs)
    ]
    return ["-filter_complex", ";".join(chains)] if chains else [], mapped


def _mapped(feeds: Iterable[tuple[Feed, list[str]]]) -> Maps:
    """The options of an output by kind, those of several tracks one after the other."""
    maps: Maps = {}
    for feed, words in feeds:
        maps.setdefault(feed.kind, []).extend(words)
    return maps


def _alone(feed: Feed, output: Sequence[Feed]) -> list[str]:
    if not feed.filters:
        return ["-map", feed.stream]
    several = sum(other.kind == feed.kind for other in output) > 1
    option = f"{_FILTER_OF_ONE[feed.kind]}:{feed.number}" if several else _FILTER_OPTION[feed.kind]
    return ["-map", feed.stream, option, ",".join(feed.filters)]


def _label(output: int, feed: Feed) -> str:
    return f"{feed.kind}{output}" + (f"track{feed.number}" if feed.number else "")


def _chains(stream: str, feeds: list[tuple[int, Feed]]) -> list[str]:
    """What becomes of one decoded track: as many copies as outputs use it, each through its own filters."""
    kind = feeds[0][1].kind
    copies = [f"[{stream}]"]
    chains: list[str] = []
    if len(feeds) > 1:
        copies = [f"[{_label(number, feed)}in]" for number, feed in feeds]
        chains.append(f"[{stream}]{_SPLIT[kind]}={len(feeds)}{''.join(copies)}")
    for copy, (number, feed) in zip(copies, feeds, strict=True):
        chains.append(f"{copy}{','.join(feed.filters or ()) or _NOTHING[kind]}[{_label(number, feed)}]")
    return chains
