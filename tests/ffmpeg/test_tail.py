"""Decoding the end of a file."""

from __future__ import annotations

import pytest

from builders_ffmpeg import local, made
from reconciler.core.ports import Verified
from reconciler.ffmpeg.media import open_media, read_packets
from reconciler.ffmpeg.tail import decode_tail


def tail(path, index=0, at_most=None):
    """What decoding a clip's tail gives."""
    with open_media(str(path)) as container:
        seen = read_packets(container)[index]
        return decode_tail(
            container, container.streams[index], seen.last_keyframe if index == 0 else seen.end - 0.5, at_most
        )


def test_a_whole_tail_decodes(clips):
    """From the last keyframe on every frame of a whole clip decodes, and so does its sound."""
    assert tail(clips.noisy()).frames == 25
    assert tail(clips.noisy()).ends_whole
    assert tail(clips.noisy(), index=1).broken == 0


def test_a_long_tail_is_only_begun(clips):
    """A limit keeps the look short."""
    assert tail(clips.noisy(), at_most=5).frames < 15


def test_an_overwritten_tail_does_not(clips, tmp_path):
    """Noise over the last fifth of a clip shows when its end is decoded."""
    data = bytearray(clips.noisy("noisy.mp4").read_bytes())
    data[-len(data) // 5 :] = bytes(len(data) // 5)
    path = tmp_path / "broken.mp4"
    path.write_bytes(data)
    assert tail(path).broken > 0
    assert not tail(path).ends_whole


@pytest.mark.parametrize("end", [1.3, 2.5, 3.9])
def test_the_end_of_ogg_is_found_wherever_its_pages_end(clips, tmp_path, end):
    """Ogg is searched by pages of a second: sound of any length is whole."""
    source = local(clips.plain("four.mp4", seconds=4), end=end)
    result, _ = made(tmp_path, source, container="ogg", video=None, audio={"codec": "opus"})
    assert isinstance(result, Verified), result
