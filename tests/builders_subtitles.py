"""Subtitles: files of text, tracks of text beside a dark picture, and pictures of text as discs have them."""

from __future__ import annotations

import struct
from pathlib import Path

from builders_media import ffmpeg

SRT = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n{}\n"
ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: 320
PlayResY: 180

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Alignment, Encoding
Style: Top,Arial,30,&H0000ff,8,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Top,,0,0,0,,{}
"""
WIDE = "WWWWWWWW"


def dark(folder, name="dark.mkv", *, words=(), seconds=3, rate=10, extra=()):
    """A dark picture of 320x180 with a track of subtitles for each of `words`, seen from one second to two."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs, maps = [], []
    for number, (language, text) in enumerate(words):
        side = folder / f"{name}-{number}.srt"
        side.write_text(SRT.format(text), encoding="utf-8")
        inputs += ["-i", side]
        maps += ["-map", number + 1, f"-metadata:s:s:{number}", f"language={language}"]
    picture = ("-f", "lavfi", "-i", f"color=black:size=320x180:rate={rate}:duration={seconds}")
    codec = "mov_text" if name.endswith("mp4") else "srt"
    made = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:s", codec)
    ffmpeg(*picture, *inputs, "-map", 0, *maps, *made, *extra, f"file:{folder / name}")
    return folder / name


def pictures(folder, *, size=(320, 180), box=(100, 120, 120, 30), seen=(1.0, 2.0), group=250):
    """A Matroska file whose subtitles are a white box: pictures, as Blu-ray discs have them."""
    plain = dark(folder, "plain.mkv", extra=("-g", group))
    sup = folder / "box.sup"
    sup.write_bytes(b"".join([_shown(size, box, seen[0]), _cleared(size, box, seen[1])]))
    path = folder / "pictures.mkv"
    both = ("-i", plain, "-itsoffset", seen[0], "-i", sup, "-map", 0, "-map", 1)
    ffmpeg(*both, "-c", "copy", "-metadata:s:s:0", "language=eng", path)
    return path


def _segment(kind, seconds, payload):
    return b"PG" + struct.pack(">IIBH", round(90_000 * seconds), 0, kind, len(payload)) + payload


def _shown(size, box, seconds):
    left, top, width, height = box
    composed = struct.pack(">HHBHBBBB", *size, 0x10, 1, 0x80, 0, 0, 1) + struct.pack(">HBBHH", 0, 0, 0, left, top)
    palette = bytes([0, 0, 1, 235, 128, 128, 255])
    line = bytes([0, 0xC0 | width >> 8, width & 0xFF, 1]) if width > 63 else bytes([0, 0x80 | width, 1])
    runs = (line + b"\0\0") * height
    drawn = struct.pack(">HBB", 0, 0, 0xC0) + (len(runs) + 4).to_bytes(3, "big") + struct.pack(">HH", width, height)
    parts = [(0x16, composed), (0x17, _window(box)), (0x14, palette), (0x15, drawn + runs), (0x80, b"")]
    return b"".join(_segment(kind, seconds, payload) for kind, payload in parts)


def _cleared(size, box, seconds):
    composed = struct.pack(">HHBHBBBB", *size, 0x10, 2, 0, 0, 0, 0)
    return b"".join(
        _segment(kind, seconds, payload) for kind, payload in [(0x16, composed), (0x17, _window(box)), (0x80, b"")]
    )


def _window(box):
    return struct.pack(">BBHHHH", 1, 0, *box)


def no_fonts(folder):
    """The environment of a machine without any font."""
    folder.mkdir(parents=True, exist_ok=True)
    conf = Path(folder, "fonts.conf")
    conf.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig><dir>{folder}/none</dir><cachedir>{folder}/cache</cachedir></fontconfig>"
    )
    return {"FONTCONFIG_FILE": str(conf)}
