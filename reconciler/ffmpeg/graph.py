"""How the filter chains of several outputs hang on one decode.

Several outputs share one filter graph, in which `split` and `asplit` hand every decoded frame to each of them.
With a graph for each output ffmpeg would decode once, too, but its scheduler can lock up: it did for good, with
ffmpeg 9.0.2, where one of three outputs had another frame rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["video", "audio", "subtitle"]
Maps = dict[Kind, list[str]]

_FILTER_OPTION = {"video": "-vf", "audio": "-af"}
_FILTER_OF_ONE = {"video": "-filter:v", "audio": "-filter:a"}
_SPLIT = {"video": "split", "audio": "asplit"}
_NOTHING = {"video": "null", "audio": "anull"}
_SETTLING = ("aformat=", "loudnorm=")
_CONVERTING = ("scale=", "zscale=")


@dataclass(frozen=True, slots=True)
class Layer:
    """A picture laid over another one: where it comes from, what is done to it, and the filter that lays it there.

    Before that it goes through `sized`, the first of which also takes the picture below, to go by its size. `after` is
    done to both together.
    """

    stream: str
    filters: tuple[str, ...]
    over: str
    after: tuple[str, ...] = ()
    sized: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """One track on its way into one output: the stream specifier that it comes from, and its filters.

    `filters` None: the track is copied, not decoded. `number` counts the tracks of its kind in the output. The
    `layers` of a picture are laid over it one after the other.
    """

    kind: Kind
    stream: str
    filters: tuple[str, ...] | None
    number: int = 0
    layers: tuple[Layer, ...] = ()

    @property
    def is_copied(self) -> bool:
        """Whether the track goes past all filters."""
        return self.filters is None


def graph(outputs: Sequence[Sequence[Feed]]) -> tuple[list[str], list[Maps]]:
    """The options that come before all outputs, and for each output by kind those that map and filter its tracks."""
    if len(outputs) == 1 and not any(feed.layers for feed in outputs[0]):
        return [], [_mapped((feed, _alone(feed, outputs[0])) for feed in outputs[0])]
    feeds = [(number, feed) for number, output in enumerate(outputs) for feed in output if not feed.is_copied]
    ends, splits = _shared(feeds)
    parts: list[str] = []
    for stream, split in splits.items():
        parts += split
        parts += [
            chain
            for number, feed in feeds
            if feed.stream == stream
            for chain in _chains(_label(number, feed), feed, ends)
        ]
    mapped = [
        _mapped((feed, ["-map", feed.stream if feed.is_copied else f"[{_label(number, feed)}]"]) for feed in output)
        for number, output in enumerate(outputs)
    ]
    return ["-filter_complex", ";".join(parts)] if parts else [], mapped


def chains(feed: Feed, label: str) -> list[str]:
    """What becomes of one track that nobody else uses, up to `label`."""
    ends = {label: f"[{feed.stream}]"}
    ends |= {f"{label}layer{place}": f"[{layer.stream}]" for place, layer in enumerate(feed.layers)}
    return list(_chains(label, feed, ends))


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


def _shared(feeds: Sequence[tuple[int, Feed]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Where each use of a decoded stream takes it from, and by stream the filter that makes a copy for each of them."""
    uses: dict[str, list[str]] = {}
    kinds: dict[str, Kind] = {}
    for number, feed in feeds:
        for name, stream in _uses(number, feed):
            uses.setdefault(stream, []).append(name)
            kinds[stream] = feed.kind
    ends: dict[str, str] = {}
    splits: dict[str, list[str]] = {}
    for stream, names in uses.items():
        ends |= {name: f"[{stream}]" if len(names) == 1 else f"[{name}in]" for name in names}
        copies = "".join(ends[name] for name in names)
        splits[stream] = [f"[{stream}]{_SPLIT[kinds[stream]]}={len(names)}{copies}"] if len(names) > 1 else []
    return ends, splits


def _uses(number: int, feed: Feed) -> Iterator[tuple[str, str]]:
    """The streams that a feed takes, by the names of its ways to use them."""
    yield _label(number, feed), feed.stream
    for place, layer in enumerate(feed.layers):
        yield f"{_label(number, feed)}layer{place}", layer.stream


def _apart(feed: Feed, end: str) -> tuple[str, ...]:
    """The filters of a feed, which leave the other ends of its split alone.

    ffmpeg settles the format of a track for all that is joined without a converter. A sound that is mixed down, or
    made loud at 192 kHz, would take the others along, and a layer of 8 bits a picture of 10: wherever something stands
    before the split, such as the trim that `-ss` puts there.
    """
    filters = feed.filters or ()
    if end == f"[{feed.stream}]":
        return filters
    if feed.kind == "audio":
        return ("aresample", *filters) if any(each.startswith(_SETTLING) for each in filters) else filters
    converted = any(each.startswith(_CONVERTING) for each in filters)
    return ("scale", *filters) if feed.layers and not converted else filters


def _chains(label: str, feed: Feed, ends: Mapping[str, str]) -> Iterator[str]:
    """What becomes of one track for one output: its own filters, then a layer after the other."""
    nothing = _NOTHING[feed.kind]
    filters, below = ",".join(_apart(feed, ends[label])) or nothing, ends[label]
    for place, layer in enumerate(feed.layers):
        name = f"{label}layer{place}"
        own = f"{ends[name]}{','.join(layer.filters) or nothing}"
        if layer.sized:
            yield f"{below}{filters},split[{label}below{place}][{label}beside{place}]"
            yield f"{own}[{name}plain]"
            yield f"[{name}plain][{label}beside{place}]{','.join(layer.sized)}[{name}]"
        else:
            yield f"{below}{filters}[{label}below{place}]"
            yield f"{own}[{name}]"
        below, filters = f"[{label}below{place}][{name}]", ",".join((layer.over, *layer.after))
    yield f"{below}{filters}[{label}]"
