"""What playlists call a codec (RFC 6381), read from the codec's own configuration. Pure.

The configurations are those of ISO/IEC 14496-15 (avcC, hvcC), 14496-3 (AudioSpecificConfig) and of AV1's own binding
(av1C); in a transport stream H.264 has none, and its parameter sets say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

_SPS = 7
_AAC_LC = 2


def codec_name(codec: str, configuration: bytes) -> str:
    """`avc1.640028`, `mp4a.40.2`. Raises ValueError for a configuration that cannot be read, and unknown codecs."""
    if codec not in _READERS:
        raise ValueError(f"{codec} has no name in playlists")
    try:
        return _READERS[codec](configuration)
    except IndexError:
        raise ValueError(f"the configuration of {codec} is cut off") from None


def _h264(configuration: bytes) -> str:
    profile = configuration[1:4]
    if configuration[0] != 1:
        profile = _after_start_code(configuration)[1:4]
    if len(profile) < 3:
        raise IndexError
    return f"avc1.{profile.hex()}"


def _after_start_code(stream: bytes) -> bytes:
    """The first sequence parameter set of a byte stream."""
    for unit in stream.split(b"\0\0\1")[1:]:
        if unit and unit[0] & 0x1F == _SPS:
            return unit
    raise IndexError


def _hevc(configuration: bytes) -> str:
    space, tier, profile = configuration[1] >> 6, configuration[1] >> 5 & 1, configuration[1] & 0x1F
    compatible = int(f"{int.from_bytes(configuration[2:6]):032b}"[::-1], 2)
    constraints = configuration[6:12].rstrip(b"\0")
    level = configuration[12]
    parts = [f"{['', 'A', 'B', 'C'][space]}{profile}", f"{compatible:X}", f"{'H' if tier else 'L'}{level}"]
    return ".".join(["hvc1", *parts, *(f"{byte:X}" for byte in constraints)])


def _av1(configuration: bytes) -> str:
    profile, level = configuration[1] >> 5, configuration[1] & 0x1F
    tier, high, twelve = (configuration[2] >> bit & 1 for bit in (7, 6, 5))
    depth = (12 if twelve else 10) if high else 8
    return f"av01.{profile}.{level:02}{'H' if tier else 'M'}.{depth:02}"


def _aac(configuration: bytes) -> str:
    """In a transport stream the sound's frames say it, and there is no configuration: it is what our encoder makes."""
    return f"mp4a.40.{configuration[0] >> 3 if configuration else _AAC_LC}"


def _opus(_configuration: bytes) -> str:
    return "opus"


_READERS: Mapping[str, Callable[[bytes], str]] = {
    "h264": _h264,
    "hevc": _hevc,
    "av1": _av1,
    "aac": _aac,
    "opus": _opus,
}
