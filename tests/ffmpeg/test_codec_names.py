"""What playlists call a codec, from configurations that encoders really write."""

from __future__ import annotations

import pytest

from reconciler.ffmpeg.codec_names import codec_name

NAMES = {
    ("h264", "014d400cffe10019674d400c"): "avc1.4d400c",
    ("h264", "00000001674d400cec"): "avc1.4d400c",
    ("h264", "000000010910000000016764002aacd9"): "avc1.64002a",
    # Main 10, tier main, level 4: the example of ISO/IEC 14496-15, annex E.
    ("hevc", "01022000000090000000000078f000"): "hvc1.2.4.L120.90",
    ("hevc", "01016000000090000000000078f000"): "hvc1.1.6.L120.90",
    ("hevc", "0121600000000000000000007bf000"): "hvc1.1.6.H123",
    ("av1", "81040c00"): "av01.0.04M.08",
    ("av1", "812dc000"): "av01.1.13H.10",
    ("aac", "1190"): "mp4a.40.2",
    ("aac", "2b11"): "mp4a.40.5",
    ("aac", ""): "mp4a.40.2",
    ("opus", "00"): "opus",
}


@pytest.mark.parametrize(("codec", "configuration"), NAMES)
def test_a_name_is_read_from_the_configuration(codec, configuration):
    """Profile, tier, level and constraints as RFC 6381 and the codecs' own bindings write them."""
    assert NAMES[codec, configuration] == codec_name(codec, bytes.fromhex(configuration))


@pytest.mark.parametrize(
    ("codec", "configuration"),
    [("h264", ""), ("h264", "01"), ("h264", "00000001"), ("hevc", "0102"), ("av1", "81"), ("vp9", "00")],
)
def test_what_cannot_be_read_is_an_error(codec, configuration):
    """No playlist guesses."""
    with pytest.raises(ValueError, match=codec):
        codec_name(codec, bytes.fromhex(configuration))
