"""Opening media with PyAV under the same whitelists as ffmpeg, and reading its packets without decoding them."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import BinaryIO

import av
import av.container
import av.stream

from reconciler.ffmpeg.formats import FORMAT_WHITELIST, PROTOCOL_WHITELIST


@dataclass(frozen=True, slots=True)
class Packets:
    """What the packets of one track say, in seconds on the file's clock.

    `frame` is how long the last one plays, `steps` the distances between neighbours in presentation order.
    `last_keyframe` is where the last group of pictures begins, `group` how long the longest one is. `size` is that of
    all of them together, in bytes.
    """

    count: int
    start: float
    end: float
    frame: float
    steps: tuple[float, ...]
    last_keyframe: float
    group: float
    size: int = 0


@dataclass(slots=True)
class _Track:
    """The packets of one track as they come, in ticks of its clock."""

    tick: Fraction
    times: list[int] = field(default_factory=list)
    end: int = 0
    last_duration: int = 0
    keyframes: list[int] = field(default_factory=list)
    size: int = 0

    def add(self, packet: av.Packet[av.stream.Stream]) -> None:
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            return
        duration = packet.duration or 0
        if not self.times or time + duration >= self.end:
            self.end, self.last_duration = time + duration, duration
        if packet.is_keyframe:
            self.keyframes.append(time)
        self.times.append(time)
        self.size += packet.size

    def packets(self) -> Packets:
        times, tick = sorted(self.times), float(self.tick)
        steps = tuple((later - sooner) * tick for sooner, later in itertools.pairwise(times))
        frame = self.last_duration * tick or (statistics.median(steps) if steps else 0.0)
        groups = sorted({times[0], *self.keyframes, self.end})
        return Packets(
            count=len(times),
            start=times[0] * tick,
            end=max(self.end * tick, times[-1] * tick + frame),
            frame=frame,
            steps=steps,
            last_keyframe=max(self.keyframes, default=times[0]) * tick,
            group=max((later - sooner for sooner, later in itertools.pairwise(groups)), default=0) * tick,
            size=self.size,
        )


def open_media(source: str | BinaryIO, form: str | None = None) -> av.container.InputContainer:
    """Open a local file (or one held in memory) and nothing that it may point to.

    Raises av.FFmpegError, OSError.
    """
    options = {"format_whitelist": FORMAT_WHITELIST, "protocol_whitelist": PROTOCOL_WHITELIST}
    file = f"file:{source}" if isinstance(source, str) else source
    return av.open(file, "r", format=form, options=options, metadata_errors="replace")


def read_packets(
    container: av.container.InputContainer, look: Callable[[av.Packet[av.stream.Stream]], None] = lambda _: None
) -> dict[int, Packets]:
    """What every track's packets say, by stream index; tracks without packets are left out.

    A file that breaks off is read as far as it goes: what is missing shows in the ends. `look` is shown every
    packet on the way, the empty ones at the end of each track too.
    """
    tracks = {stream.index: _Track(stream.time_base or Fraction(1, 1_000_000)) for stream in container.streams}
    with suppress(av.FFmpegError):
        for packet in container.demux():
            look(packet)
            if packet.size:
                tracks[packet.stream.index].add(packet)
    return {index: track.packets() for index, track in tracks.items() if track.times}
