"""The segments that ffmpeg wrote: each of them opened and measured, and all of a stream read as one file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import av.container
import av.stream

from reconciler.ffmpeg.media import open_media
from reconciler.ffmpeg.packages import INIT, is_segment
from reconciler.ffmpeg.playlists import Piece
from reconciler.ffmpeg.tail import decode_tail

# Seconds: a segment of sound that is no longer is put to its neighbour.
_CRUMB = 0.1

# A packet of a transport stream that holds nothing (ISO/IEC 13818-1, 2.4.1), and how many packets are few.
_EMPTY_PACKET = b"\x47\x1f\xff\x10" + 184 * b"\xff"
_FEW_PACKETS = 16

# So many pictures of the last segment are decoded: the others are held together by their packets.
_PICTURES = 32


@dataclass(frozen=True, slots=True)
class Measured:
    """The segments of a stream in order; `wrong` says what is amiss with them.

    `configurations` are those of its codecs, by codec, picture first.
    """

    pieces: tuple[Piece, ...]
    ticks: int
    configurations: tuple[tuple[str, bytes], ...]
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """One segment, opened: its times in ticks, and whether it can be played without those before it."""

    start: int
    end: int
    ticks: int
    longest: int
    independent: bool
    configurations: tuple[tuple[str, bytes], ...]


def files_of(folder: Path) -> list[Path]:
    """What has to be read in a row to read all of a stream: the initialization, if there is one, and the segments."""
    init = folder / INIT
    segments = sorted(path for path in folder.iterdir() if is_segment(path.name))
    return [init, *segments] if init.exists() else segments


def stuff(folder: Path) -> None:
    """Fill up transport streams of hardly any packets with empty ones: readers must see some to know what it is."""
    for path in folder.glob("*.ts"):
        missing = _FEW_PACKETS - path.stat().st_size // len(_EMPTY_PACKET)
        if missing > 0:
            with path.open("ab") as file:
                file.write(_EMPTY_PACKET * missing)


def measure(folder: Path, pause: float) -> Measured:
    """Open every segment of a stream, whose source has no pause longer than `pause` seconds.

    Raises OSError, av.FFmpegError, ValueError for one that holds nothing.
    """
    files = files_of(folder)
    init = files[0].read_bytes() if files and files[0].name == INIT else b""
    segments = [path for path in files if path.name != INIT]
    if not segments:
        raise ValueError(f"{folder.name} has no segments")
    seen = [_look(path, init) for path in segments]
    wrong: list[str] = []
    pieces: list[Piece] = []
    for index, (path, one) in enumerate(zip(segments, seen, strict=True)):
        name = f"{folder.name}/{path.name}"
        if not one.independent:
            wrong.append(f"{name} does not begin with a keyframe")
        if path.suffix == ".ts" and path.stat().st_size % len(_EMPTY_PACKET):
            wrong.append(f"{name} is cut off")
        end = one.end
        if index + 1 < len(seen):
            end = seen[index + 1].start
            if abs(end - one.end) > one.longest + pause * one.ticks:
                wrong.append(f"between {name} and the next segment are {(end - one.end) / one.ticks:.3f} s")
        # What comes before zero is the encoder's own run-up, which is not played.
        start = max(0, one.start)
        if end <= start:
            wrong.append(f"{name} does not come before the next segment")
        pieces.append(Piece(path.name, path.stat().st_size, start, end))
    return Measured(tuple(pieces), seen[0].ticks, seen[0].configurations, tuple(wrong))


def join_end(folder: Path, measured: Measured, pause: float) -> Measured:
    """The same stream with a last segment of hardly any sound moved into the one before it.

    Sound is cut where its packets end, so that a few of the last packets may be left over. Raises as `measure`.
    """
    if len(measured.pieces) < 2:
        return measured
    before, last = measured.pieces[-2:]
    if last.end - last.start > _CRUMB * measured.ticks:
        return measured
    with (folder / before.name).open("ab") as file:
        file.write(_fragments((folder / last.name).read_bytes()))
    (folder / last.name).unlink()
    return measure(folder, pause)


def _fragments(segment: bytes) -> bytes:
    """The boxes of a segment that hold media, without those that open it."""
    kept, position = b"", 0
    while position + 8 <= len(segment):
        size = int.from_bytes(segment[position : position + 4])
        if size < 8:
            raise ValueError("a box of no size")
        if segment[position + 4 : position + 8] in {b"moof", b"mdat"}:
            kept += segment[position : position + size]
        position += size
    return kept


def broken_end(folder: Path) -> list[str]:
    """What of a stream's last segment cannot be decoded, as sentences. Raises OSError, av.FFmpegError."""
    files = files_of(folder)
    init = files[0].read_bytes() if files[0].name == INIT else b""
    data = init + files[-1].read_bytes()
    wrong: list[str] = []
    with open_media(io.BytesIO(data)) as look:
        kinds = [stream.type for stream in look.streams]
    for index, kind in enumerate(kinds):
        # Opened anew: no place of a transport stream can be found again without fail.
        with open_media(io.BytesIO(data)) as container:
            tail = decode_tail(container, container.streams[index], None, _PICTURES if kind == "video" else None)
        # A single packet of sound only prepares for the next one.
        if tail.broken or (kind == "video" and not tail.frames):
            wrong.append(f"the end of its {'picture' if kind == 'video' else 'sound'} cannot be decoded")
    return wrong


class Joined(io.RawIOBase):
    """Several files, read as if they were one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__()
        self._paths = paths
        self._sizes = [path.stat().st_size for path in paths]
        self._position = 0
        self._open: tuple[int, BinaryIO] | None = None

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """As of any file."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: sum(self._sizes)}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; fewer at the end of each file."""
        before = 0
        for index, length in enumerate(self._sizes):
            if self._position < before + length:
                file = self._file(index)
                file.seek(self._position - before)
                data = file.read(size if size >= 0 else length)
                self._position += len(data)
                return data
            before += length
        return b""

    def close(self) -> None:
        """Let go of the file that is open."""
        if self._open is not None:
            self._open[1].close()
            self._open = None
        super().close()

    def _file(self, index: int) -> BinaryIO:
        if self._open is not None and self._open[0] == index:
            return self._open[1]
        if self._open is not None:
            self._open[1].close()
        file = self._paths[index].open("rb")
        self._open = (index, file)
        return file


def _look(path: Path, init: bytes) -> _Seen:
    with open_media(io.BytesIO(init + path.read_bytes())) as container:
        tracks = [stream for stream in container.streams if stream.type in {"video", "audio"}]
        tracks.sort(key=lambda stream: stream.type != "video")
        packets = [packet for packet in container.demux(tracks[0]) if packet.size and packet.pts is not None]
        if not packets:
            raise ValueError(f"{path.parent.name}/{path.name} holds nothing")
        times = [packet.pts or 0 for packet in packets]
        tick = tracks[0].time_base
        assert tick is not None, "what has packets has a clock"
        return _Seen(
            start=min(times),
            end=max((packet.pts or 0) + (packet.duration or 0) for packet in packets),
            ticks=int(1 / tick),
            longest=max(packet.duration or 0 for packet in packets),
            independent=packets[0].is_keyframe and packets[0].pts == min(times),
            configurations=tuple(_configuration(stream, packets[0]) for stream in tracks),
        )


def _configuration(stream: av.stream.Stream, first: av.Packet[av.stream.Stream]) -> tuple[str, bytes]:
    """A codec and its configuration, which in a transport stream stands in the first picture."""
    assert isinstance(stream, av.VideoStream | av.AudioStream), "chosen for that"
    context = stream.codec_context
    known = context.extradata
    if not known and stream.type == "video":
        known = bytes(first)
    return context.codec.canonical_name, known or b""
