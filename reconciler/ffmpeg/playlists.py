"""The texts of a package: playlists of HLS (RFC 8216), the manifest of DASH (ISO/IEC 23009-1). Pure.

All that they say is measured from the segments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from reconciler.core.languages import short_code
from reconciler.ffmpeg.packages import INDEX, INIT

# What EXT-X-MAP and playlists in fragmented MP4 need, and what everything else does.
_VERSION = {"fmp4": 6, "ts": 3}


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment: its file's name and size, and when it begins and ends, in ticks."""

    name: str
    size: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Rendition:
    """One stream of a package, as players see it. `width` and `height` are 0 for sound alone.

    Sound that is shared has a `label` in its `group`, and a `language` if that is known.
    """

    folder: str
    kind: str
    codecs: tuple[str, ...]
    ticks: int
    pieces: tuple[Piece, ...]
    width: int = 0
    height: int = 0
    frame_rate: Fraction | None = None
    hdr: str | None = None
    channels: int = 0
    sample_rate: int = 0
    group: str = "audio"
    label: str = "audio"
    language: str | None = None

    def seconds(self, piece: Piece) -> float:
        """How long a segment plays."""
        return (piece.end - piece.start) / self.ticks

    @property
    def length(self) -> float:
        """How long it plays, in seconds."""
        return (self.pieces[-1].end - self.pieces[0].start) / self.ticks

    @property
    def target(self) -> int:
        """The longest segment in whole seconds, halves up: no player may find it longer."""
        return max(1, *(math.floor(self.seconds(piece) + 0.5) for piece in self.pieces))

    @property
    def average(self) -> int:
        """Bits a second, over all."""
        return _rate(sum(piece.size for piece in self.pieces), self.length)

    @property
    def peak(self) -> int:
        """The most bits a second of segments in a row that last 0.5 to 1.5 times the target (RFC 8216, 4.1)."""
        found = [self.average]
        for first in range(len(self.pieces)):
            size, length = 0, 0.0
            for piece in self.pieces[first:]:
                size, length = size + piece.size, length + self.seconds(piece)
                if length > 1.5 * self.target:
                    break
                if length >= 0.5 * self.target:
                    found.append(_rate(size, length))
        return max(found)


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant: what players choose between. Of several `sounds` they play one."""

    name: str
    main: Rendition
    sounds: tuple[Rendition, ...] = ()

    @property
    def streams(self) -> tuple[Rendition, ...]:
        """All that belongs to it."""
        return (self.main, *self.sounds)

    @property
    def peak(self) -> int:
        """The most bits a second that it may take to play."""
        return self.main.peak + max((sound.peak for sound in self.sounds), default=0)

    @property
    def average(self) -> int:
        """Bits a second, over all, with the largest of its sounds."""
        return self.main.average + max((sound.average for sound in self.sounds), default=0)


def media_playlist(stream: Rendition) -> str:
    """`{folder}/index.m3u8`."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{_VERSION[stream.kind]}", f"#EXT-X-TARGETDURATION:{stream.target}"]
    lines += ["#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [f'#EXT-X-MAP:URI="{INIT}"'] if stream.kind == "fmp4" else []
    for piece in stream.pieces:
        lines += [f"#EXTINF:{stream.seconds(piece):.6f},", piece.name]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def master_playlist(choices: Sequence[Choice]) -> str:
    """`master.m3u8`; the variant with the fewest bits stands first, so that playing begins at once anywhere."""
    rising = sorted(choices, key=lambda choice: (choice.average, choice.name))
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{max(_VERSION[choice.main.kind] for choice in choices)}"]
    lines += ["#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += _renditions(_sounds(choices))
    for choice in rising:
        lines += [f"#EXT-X-STREAM-INF:{','.join(_attributes(choice))}", _index(choice.main)]
    return "\n".join([*lines, ""])


def manifest(choices: Sequence[Choice], seconds: float) -> str:
    """`manifest.mpd`; `seconds` is how long a segment is meant to be."""
    length = max(stream.pieces[-1].end / stream.ticks for choice in choices for stream in choice.streams)
    longest = max(stream.target for choice in choices for stream in choice.streams)
    profiles = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
    lengths = f'mediaPresentationDuration="PT{length:.3f}S" maxSegmentDuration="PT{longest}S"'
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="{profiles}" type="static"',
        f'  {lengths} minBufferTime="PT{seconds:g}S">',
        '  <Period id="0" start="PT0S">',
    ]
    pictures = [choice.main for choice in choices if choice.main.width]
    sounds = [choice.main for choice in choices if not choice.main.width] + _sounds(choices)
    number = 0
    for content, streams in (("video", pictures), ("audio", sounds)):
        labels = list(dict.fromkeys(_label(stream) for stream in streams))
        for place, label in enumerate(labels):
            named = sorted((stream for stream in streams if _label(stream) == label), key=_switching)
            for _, alike in groupby(named, key=_switching):
                role = "" if len(labels) == 1 else "alternate" if place else "main"
                lines += _adaptation_set(number, content, list(alike), role)
                number += 1
    return "\n".join([*lines, "  </Period>", "</MPD>", ""])


def _renditions(sounds: Sequence[Rendition]) -> list[str]:
    """A line for each sound; the first of a group plays by itself, and of those in one language the first."""
    lines: list[str] = []
    groups, languages = set[str](), set[tuple[str, str | None]]()
    for sound in sounds:
        about = f'TYPE=AUDIO,GROUP-ID="{sound.group}",NAME="{sound.label}"'
        about += f',LANGUAGE="{short_code(sound.language)}"' if sound.language is not None else ""
        about += f",DEFAULT={'NO' if sound.group in groups else 'YES'}"
        about += f",AUTOSELECT={'NO' if (sound.group, sound.language) in languages else 'YES'}"
        lines.append(f'#EXT-X-MEDIA:{about},CHANNELS="{sound.channels}",URI="{_index(sound)}"')
        groups.add(sound.group)
        languages.add((sound.group, sound.language))
    return lines


def _sounds(choices: Sequence[Choice]) -> list[Rendition]:
    """The shared sounds, each once."""
    return list({sound.folder: sound for choice in choices for sound in choice.sounds}.values())


def _attributes(choice: Choice) -> list[str]:
    main = choice.main
    codecs = dict.fromkeys(name for stream in choice.streams for name in stream.codecs)
    said = [
        f"BANDWIDTH={choice.peak}",
        f"AVERAGE-BANDWIDTH={choice.average}",
        f'CODECS="{",".join(codecs)}"',
    ]
    said += [f"RESOLUTION={main.width}x{main.height}"] if main.width else []
    said += [f"FRAME-RATE={float(main.frame_rate):.3f}"] if main.frame_rate else []
    said += [f"VIDEO-RANGE={main.hdr}"] if main.hdr else []
    return said + ([f'AUDIO="{choice.sounds[0].group}"'] if choice.sounds else [])


def _index(stream: Rendition) -> str:
    return f"{quote(stream.folder)}/{INDEX}"


def _label(stream: Rendition) -> str:
    return "" if stream.width else stream.label


def _switching(stream: Rendition) -> tuple[str, int]:
    """Players change only between streams that agree in this."""
    return stream.codecs[0].partition(".")[0], stream.channels


def _adaptation_set(number: int, content: str, streams: Sequence[Rendition], role: str) -> list[str]:
    """What players choose from. Of several languages the `main` one plays by itself, however many bits others have."""
    head = f'id="{number}" contentType="{content}" mimeType="{content}/mp4" segmentAlignment="true" startWithSAP="1"'
    spoken = streams[0].language if content == "audio" else None
    lang = f' lang="{short_code(spoken)}"' if spoken is not None else ""
    first = ' selectionPriority="2"' if role == "main" else ""
    lines = [f"    <AdaptationSet {head}{lang}{first}>"]
    if role:
        lines.append(f'      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="{role}"/>')
    for stream in streams:
        lines += _representation(stream)
    return [*lines, "    </AdaptationSet>"]


def _representation(stream: Rendition) -> list[str]:
    about = f'id={quoteattr(stream.folder)} codecs="{",".join(stream.codecs)}" bandwidth="{stream.peak}"'
    if stream.width:
        rate = f' frameRate="{stream.frame_rate}"' if stream.frame_rate else ""
        about += f' width="{stream.width}" height="{stream.height}" sar="1:1"{rate}'
    else:
        about += f' audioSamplingRate="{stream.sample_rate}"'
    folder, (stem, _, ending) = quote(stream.folder), stream.pieces[0].name.rpartition(".")
    names = f'initialization="{folder}/{INIT}" media="{folder}/{stem[:-5]}$Number%05d$.{ending}" startNumber="0"'
    lines = [f"      <Representation {about}>"]
    if not stream.width:
        scheme = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
        lines.append(f'        <AudioChannelConfiguration schemeIdUri="{scheme}" value="{stream.channels}"/>')
    lines += [f'        <SegmentTemplate timescale="{stream.ticks}" {names}>', "          <SegmentTimeline>"]
    lines += [f"            {line}" for line in _timeline(stream)]
    return [*lines, "          </SegmentTimeline>", "        </SegmentTemplate>", "      </Representation>"]


def _timeline(stream: Rendition) -> list[str]:
    """One line for segments in a row that last just as long."""
    lines: list[str] = []
    for ticks, alike in groupby(stream.pieces, key=lambda piece: piece.end - piece.start):
        first, *rest = alike
        repeat = f' r="{len(rest)}"' if rest else ""
        lines.append(f'<S t="{first.start}" d="{ticks}"{repeat}/>')
    return lines


def _rate(size: int, seconds: float) -> int:
    return round(8 * size / seconds) if seconds > 0 else 8 * size
