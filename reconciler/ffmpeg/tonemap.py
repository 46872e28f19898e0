"""High dynamic range, brought down to the standard one where that is asked for."""

from __future__ import annotations

from reconciler.core.parameters import Video
from reconciler.ffmpeg.facts import UNKNOWN_COLOUR, VideoTrack
from reconciler.ffmpeg.light import Light

# The brightness, in candela a square metre, that becomes white: ITU-R BT.2408 has diffuse white near it.
_WHITE = 100
_SAYS_OF_ITS_MASTER = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL", "DYNAMIC_HDR_PLUS", "DOVI_METADATA")


def is_brought_down(video: Video, track: VideoTrack | None) -> bool:
    """Whether a picture's range is reduced; while the source is not known, if that is asked for."""
    return video.tonemap is not None and (track is None or track.hdr is not None)


def kept_light(video: Video, track: VideoTrack | None) -> Light | None:
    """What an output says of the brightness of its master: as its source, unless its range is reduced."""
    return None if track is None or track.hdr is None or is_brought_down(video, track) else track.light


def filters(video: Video, track: VideoTrack | None, pixel_format: str) -> list[str]:
    """From PQ or HLG in BT.2020 to BT.709, by way of linear light; nothing for a picture of standard range."""
    if not is_brought_down(video, track):
        return []
    return [
        *_assumed(track),
        f"zscale=t=linear:npl={_WHITE}",
        "format=gbrpf32le",
        "zscale=p=bt709",
        f"tonemap={video.tonemap}:desat=0",
        "zscale=t=bt709:m=bt709:r=tv",
        f"format={pixel_format}",
        *(f"sidedata=mode=delete:type={kind}" for kind in _SAYS_OF_ITS_MASTER),
    ]


def _assumed(track: VideoTrack | None) -> list[str]:
    """HDR that does not say its primaries or its matrix has those of BT.2020."""
    unsaid: list[str] = []
    if track is not None and track.primaries == UNKNOWN_COLOUR:
        unsaid.append("color_primaries=bt2020")
    if track is not None and track.matrix == UNKNOWN_COLOUR:
        unsaid.append("colorspace=bt2020nc")
    return [f"setparams={':'.join(unsaid)}"] if unsaid else []
