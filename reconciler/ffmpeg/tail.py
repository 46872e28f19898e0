"""Decoding the end of a media file: whether what was written last can be played."""

from __future__ import annotations

from dataclasses import dataclass

import av
import av.container
import av.frame
import av.stream


@dataclass(frozen=True, slots=True)
class Tail:
    """What decoding a tail gave: frames, how many could not be decoded, and whether the last one is whole."""

    frames: int
    broken: int
    ends_whole: bool


def decode_tail(
    container: av.container.InputContainer, stream: av.stream.Stream, since: float | None, at_most: int | None = None
) -> Tail:
    """Decode a track from `since` (seconds on the file's clock; None: its start) to its end, or `at_most` frames.

    Raises av.FFmpegError, OSError if that place cannot be found.
    """
    assert stream.time_base is not None, "every track has a clock"
    context = stream.codec_context
    if not context.is_open:
        context.thread_type = "AUTO"
        # Errors are to be seen, not concealed; what smooths the picture costs time and is not looked at.
        context.options = {"err_detect": "explode", "skip_loop_filter": "all"}
    if since is not None:
        container.seek(int(since / stream.time_base), stream=stream)
    whole: set[int | None] = set()
    frames = broken = 0
    last: int | None = None
    for packet in container.demux(stream):
        last = packet.pts if packet.size else last
        try:
            decoded = [frame for frame in packet.decode() if isinstance(frame, av.frame.Frame)]
        except av.FFmpegError:
            broken += 1
            continue
        frames += len(decoded)
        broken += sum(frame.is_corrupt for frame in decoded)
        whole |= {frame.pts for frame in decoded if not frame.is_corrupt}
        if at_most is not None and frames >= at_most:
            return Tail(frames, broken, ends_whole=broken == 0)
    return Tail(frames, broken, ends_whole=last in whole)
