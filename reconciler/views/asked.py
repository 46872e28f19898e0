"""What an output is asked to be, in a few words: `h264 1080p crf 21, aac 192k`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.manifest import Canonical, Manifest
from reconciler.core.packages import KINDS
from reconciler.core.subtitle_fields import KINDS as SUBTITLES
from reconciler.views.cells import columns_of, pad, pad_left, visible
from reconciler.views.words import count, thousands

_NUMBERS = {1, 4}  # the cells of `_cells` that end together
_CHANNELS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The words, in the order they are said; an empty one is not said."""

    codec: str
    picture: str
    rate: str
    sound: str
    sound_rate: str

    def words(self) -> str:
        """All of it, not aligned with anything."""
        video = " ".join(filter(None, (self.codec, self.picture, self.rate)))
        audio = " ".join(filter(None, (self.sound, self.sound_rate)))
        return ", ".join(filter(None, (video, audio))) or "as its source"


def asked(manifest: Manifest) -> Asked:
    """The words for one output, from its manifest."""
    video = {name[6:]: value for name, value in manifest.items() if name.startswith("video.")}
    audio = {name[6:]: value for name, value in manifest.items() if name.startswith("audio.")}
    if manifest.get("container") in SUBTITLES:
        return Asked(_text(manifest.get("container")), f"track {manifest.get('subtitles.track', 0)}", "", "", "")
    if any(name.startswith("stills.") for name in manifest):
        return _stills(manifest)
    if any(name.startswith("variants.") for name in manifest):
        return _package(manifest)
    silent = audio.get("codec") == "none"
    blind = video.get("codec") == "none"
    kind = _text(manifest.get("container")) if manifest.get("container") in KINDS else ""
    return Asked(
        codec=kind if blind else " ".join(filter(None, (kind, _text(video.get("codec"))))),
        picture="" if blind else _picture(video),
        rate="" if blind else _rate(video),
        sound="no sound" if silent else " ".join(filter(None, (_text(audio.get("codec")), _channels(audio)))),
        sound_rate="" if silent else _bits(audio.get("bitrate")),
    )


def _stills(manifest: Manifest) -> Asked:
    """`jpg 320 wide at 10%`; `webp 160 wide every 10 s, 10x10`."""
    said = {name[7:]: value for name, value in manifest.items() if name.startswith("stills.")}
    sides = [f"{said[name]} {word}" for name, word in (("width", "wide"), ("height", "high")) if name in said]
    at = said.get("at")
    when = f"every {said.get('every')} s" if at is None else f"at {at}" if isinstance(at, str) else f"at {at} s"
    grid = f", {said['grid']}" if "grid" in said else ""
    return Asked(
        codec=_text(manifest.get("container")),
        picture=" ".join([*sides, when]) + grid,
        rate="",
        sound="",
        sound_rate="",
    )


_OF_VARIANT = re.compile(r"variants\.(.+?)\.(video|audio)\.(.+)")


def _package(manifest: Manifest) -> Asked:
    """`cmaf 3 variants h264 1080p 720p 480p, aac`."""
    fields = [(match.groups(), value) for name, value in manifest.items() if (match := _OF_VARIANT.fullmatch(name))]
    names = {above for (above, *_), _ in fields}
    heights = {value for (_, *field), value in fields if field == ["video", "height"] and isinstance(value, int)}
    codecs, sounds = (_different(fields, section) for section in ("video", "audio"))
    rungs = [f"{height}p" for height in sorted(heights, reverse=True)]
    return Asked(
        codec=_text(manifest.get("container")),
        picture=count(len(names), "variant"),
        rate=" ".join(["/".join(codecs), *rungs]).strip(),
        sound="/".join(sounds),
        sound_rate="",
    )


def _different(fields: Sequence[tuple[tuple[str, ...], Canonical]], section: str) -> list[str]:
    """The codecs of a section in all variants, each once."""
    return sorted({_text(value) for (_, *field), value in fields if field == [section, "codec"] and value != "none"})


def aligned(rows: Sequence[Asked]) -> list[str]:
    """The words of several outputs under each other; numbers end where the others end."""
    cells = [_cells(row) for row in rows if _has_picture(row)]
    wide = [columns_of(column) for column in zip(*cells, strict=True)]
    return [_aligned(_cells(row), wide) if _has_picture(row) else row.words() for row in rows]


def _has_picture(row: Asked) -> bool:
    return bool(row.codec or row.picture or row.rate)


def _cells(row: Asked) -> tuple[str, ...]:
    picture = [row.codec, row.picture, row.rate]
    if row.sound or row.sound_rate:
        last = max(place for place, words in enumerate(picture) if words)
        picture[last] += ","
    return (*picture, row.sound, row.sound_rate)


def _aligned(cells: Sequence[str], wide: Sequence[int]) -> str:
    padded = [
        (pad_left if place in _NUMBERS else pad)(cell, wide[place]) for place, cell in enumerate(cells) if wide[place]
    ]
    return " ".join(padded).rstrip()


def _picture(video: dict[str, Canonical]) -> str:
    width, height = video.get("width"), video.get("height")
    if width and height:
        return f"{width}x{height}"
    return f"{height}p" if height else f"{width} wide" if width else ""


def _rate(video: dict[str, Canonical]) -> str:
    words = []
    if "crf" in video:
        words.append(f"crf {_text(video['crf'])}")
    if "quality.vmaf" in video:
        words.append(f"vmaf {_text(video['quality.vmaf'])}")
    if "bitrate" in video:
        words.append(f"{'cbr ' if video.get('mode') == 'cbr' else ''}{_bits(video['bitrate'])}")
    if "crf" in video and "max_bitrate" in video:
        words.append(f"max {_bits(video['max_bitrate'])}")
    if "fps" in video:
        words.append(f"{_frames(video['fps'])} fps")
    if "fps.max" in video:
        words.append(f"max {_frames(video['fps.max'])} fps")
    return " ".join(words)


def _frames(rate: Canonical) -> str:
    """`30000/1001` as the 29.97 that people call it."""
    above, slash, below = str(rate).partition("/")
    if slash and above.isdecimal() and below.isdecimal() and int(below):
        return f"{int(above) / int(below):.5g}"
    return _text(rate)


def _channels(audio: dict[str, Canonical]) -> str:
    channels = audio.get("channels")
    if channels in (None, 2):
        return ""
    return _CHANNELS.get(channels, f"{_text(channels)} channels") if isinstance(channels, int) else _text(channels)


def _bits(value: Canonical | None) -> str:
    return thousands(value) if isinstance(value, int) else _text(value)


def _text(value: Canonical | None) -> str:
    return "" if value is None else visible(str(value))
