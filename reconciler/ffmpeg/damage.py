"""Files whose end is missing, seen from the structure of their container alone.

ffmpeg encodes what is there of such a file and reports success. Containers say how long they are: ISO base
media (ISO/IEC 14496-12, boxes), Matroska (RFC 9559, the segment's size), RIFF, and MPEG transport streams
(ISO/IEC 13818-1: packets of one size, and packetised elementary streams with a length).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof", b"pnot", b"uuid", b"sidx"}
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_SYNC = 0x47
_TS_PAYLOAD = 188
_TS_TAIL = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Packets:
    """How a transport stream lies in its file: packets of `size` bytes, the first sync byte at `offset`."""

    offset: int
    size: int


def cut_off(path: Path) -> str | None:
    """A sentence if the end of the file is missing; None if it is whole, or of a kind that does not tell.

    Raises OSError.
    """
    with path.open("rb") as file:
        return missing_end(file, os.fstat(file.fileno()).st_size)


def missing_end(file: BinaryIO, size: int) -> str | None:
    """As `cut_off`, of an open file that stands at its beginning; `size` is how long it really is."""
    head = file.read(4096)
    if head[4:8] in _BOXES:
        return _boxes(file, size)
    if head[:4] == _EBML:
        return _segment(head, size)
    if head[:4] in {b"RIFF", b"RF64"}:
        return _riff(file, size)
    packets = transport_packets(head)
    return _transport(file, size, packets) if packets is not None else None


def open_ended(path: Path) -> bool:
    """Whether the last picture of a transport stream may be cut off and only decoding it can tell.

    Pictures have no length in a transport stream, but the last packet of a whole one is filled up with
    stuffing, unless it happens to fit exactly.
    """
    with path.open("rb") as file:
        packets = transport_packets(file.read(4096))
        if packets is None:
            return False
        size = os.fstat(file.fileno()).st_size
        return any(unit.length is None and not unit.stuffed for unit in _last_units(file, size, packets))


def transport_packets(head: bytes) -> Packets | None:
    """The packets of a transport stream, of which `head` is the beginning; None if it is something else."""
    for size in (188, 192, 204):
        for offset in range(size):
            if len(head) > offset + 4 * size and all(head[offset + n * size] == _SYNC for n in range(5)):
                return Packets(offset, size)
    return None


def _boxes(file: BinaryIO, size: int) -> str | None:
    position = 0
    while size - position >= 8:
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:  # 0 reaches to the end of the file, the rest is no box
            return None
        if position + length > size:
            name = header[4:8].decode("latin-1")
            return f'its "{name}" box is cut off: {position + length - size:,} bytes are missing'
        position += length
    return None


def _segment(head: bytes, size: int) -> str | None:
    """Matroska and WebM. A live recording has a segment of unknown size, which tells nothing."""
    length, position = _vint(head, 4)
    if length is None:
        return None
    position += length
    if head[position : position + 4] != _SEGMENT:
        return None
    length, start = _vint(head, position + 4)
    if length is None or start + length <= size:
        return None
    return f"its segment is cut off: {start + length - size:,} bytes are missing"


def _vint(data: bytes, position: int) -> tuple[int | None, int]:
    """An EBML size and the position after it; None for "unknown"."""
    width = 9 - data[position].bit_length()
    value = int.from_bytes(data[position : position + width], "big") & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), position + width


def _riff(file: BinaryIO, size: int) -> str | None:
    """AVI (which may be several RIFF chunks in a row) and WAV; 0 and the largest number mean "not known"."""
    position = 0
    while size - position >= 8:
        file.seek(position)
        header = file.read(8)
        length = int.from_bytes(header[4:8], "little")
        if header[:4] != b"RIFF" or length in {0, 0xFFFFFFFF}:
            return None
        if position + 8 + length > size:
            return f"its RIFF chunk is cut off: {position + 8 + length - size:,} bytes are missing"
        position += 8 + length + length % 2
    return None


@dataclass(slots=True)
class _Unit:
    """The last packetised unit of one transport stream PID."""

    length: int | None  # None: not said
    received: int = 0
    stuffed: bool = False


def _transport(file: BinaryIO, size: int, packets: Packets) -> str | None:
    # Blu-ray's packets of 192 bytes have their sync byte behind a time stamp of four.
    before = packets.offset - 4 if packets.size == 192 else packets.offset
    if (size - before) % packets.size:
        return "its last packet is cut off"
    missing = [
        unit.length - unit.received
        for unit in _last_units(file, size, packets)
        if unit.length is not None and unit.received < unit.length
    ]
    return f"its last packets are cut off: {max(missing):,} bytes are missing" if missing else None


def _last_units(file: BinaryIO, size: int, packets: Packets) -> list[_Unit]:
    count = (size - packets.offset) // packets.size
    first = max(0, count - _TS_TAIL // packets.size)
    file.seek(packets.offset + first * packets.size)
    data = file.read((count - first) * packets.size)
    units: dict[int, _Unit] = {}
    for position in range(0, len(data), packets.size):
        packet = data[position : position + _TS_PAYLOAD]
        if len(packet) == _TS_PAYLOAD and packet[0] == _SYNC:
            _add_packet(units, packet)
    return list(units.values())


def _add_packet(units: dict[int, _Unit], packet: bytes) -> None:
    pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
    has_field, has_payload = packet[3] & 0x20, packet[3] & 0x10
    if not has_payload:
        return
    payload = packet[5 + packet[4] :] if has_field else packet[4:]
    if packet[1] & 0x40:
        if payload[:3] != b"\x00\x00\x01" or len(payload) < 6:
            units.pop(pid, None)
            return
        length = int.from_bytes(payload[4:6], "big")
        units[pid] = _Unit(length or None, received=-6)
    if pid in units:
        units[pid].received += len(payload)
        units[pid].stuffed = bool(has_field) and _is_stuffed(packet)


def _is_stuffed(packet: bytes) -> bool:
    """Whether the adaptation field of a packet is longer than what it holds."""
    length = packet[4]
    if length <= 1:
        return True
    flags = packet[5]
    used = 1 + 6 * bool(flags & 0x10) + 6 * bool(flags & 0x08) + bool(flags & 0x04)
    return length > used
