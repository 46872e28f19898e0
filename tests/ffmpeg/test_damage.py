"""Ends that are missing, seen from the container."""

from __future__ import annotations

import pytest

from builders_media import ffmpeg
from reconciler.ffmpeg.damage import cut_off, open_ended

OPTIONS = {"wav": ["-vn"], "avi": ["-c", "copy", "-bsf:v", "h264_mp4toannexb"]}


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "ts", "avi", "wav"])
def test_a_whole_file_is_whole(clips, tmp_path, container):
    """No container that ffmpeg writes is taken for cut off, with its index in front or behind."""
    made = tmp_path / f"whole.{container}"
    ffmpeg("-i", clips.noisy(), *OPTIONS.get(container, ["-c", "copy"]), made)
    assert cut_off(made) is None
    assert not open_ended(made)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "avi", "wav"])
@pytest.mark.parametrize("missing", [1, 1000, 0.5])
def test_a_missing_end_is_seen(clips, tmp_path, container, missing):
    """A byte is enough: these containers say how long they are."""
    made = tmp_path / f"whole.{container}"
    ffmpeg("-i", clips.noisy(), *OPTIONS.get(container, ["-c", "copy"]), made)
    data = made.read_bytes()
    made.write_bytes(data[: -missing if isinstance(missing, int) else int(len(data) * missing)])
    assert "cut off" in cut_off(made)


def test_a_transport_stream_has_whole_packets(clips, tmp_path):
    """A transport stream that does not end with a packet is cut off; so is one of 192 bytes a packet."""
    for name, options in (("plain.ts", []), ("bluray.m2ts", ["-mpegts_m2ts_mode", "1"])):
        made = tmp_path / name
        ffmpeg("-i", clips.noisy(), "-c", "copy", "-f", "mpegts", *options, made)
        assert cut_off(made) is None
        made.write_bytes(made.read_bytes()[:-50])
        assert cut_off(made) == "its last packet is cut off"


def test_a_transport_stream_may_end_between_packets(clips, tmp_path):
    """Cut between packets, the unit that the cut went through is missing bytes, or was never filled up."""
    data, made = clips.noisy("noisy.ts").read_bytes(), tmp_path / "cut.ts"
    seen = 0
    for packets in range(1000, 2000, 50):
        made.write_bytes(data[: packets * 188])
        seen += cut_off(made) is not None or open_ended(made)
    assert seen >= 18


@pytest.mark.parametrize(
    "content", [b"", b"G", b"hello" * 1000, b"\x1a\x45\xdf\xa3" + b"\x80" * 50, b"\0\0\0\x20ftyp" + b"\0" * 9]
)
def test_anything_may_be_in_a_file(tmp_path, content):
    """Files that are no media, or hardly any, are looked at without an error."""
    path = tmp_path / "anything"
    path.write_bytes(content)
    assert cut_off(path) is None or "cut off" in cut_off(path)
    assert not open_ended(path)
