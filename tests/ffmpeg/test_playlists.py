"""The texts of a package, word for word."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reconciler.ffmpeg.playlists import Choice, Piece, Rendition, manifest, master_playlist, media_playlist

PIECES = (
    Piece("segment-00000.m4s", 1_000_000, 0, 540_000),
    Piece("segment-00001.m4s", 1_500_000, 540_000, 1_080_000),
    Piece("segment-00002.m4s", 100_000, 1_080_000, 1_116_000),
)
BIG = Rendition(
    folder="1080p",
    kind="fmp4",
    codecs=("avc1.640028",),
    ticks=90_000,
    pieces=PIECES,
    width=1920,
    height=1080,
    frame_rate=Fraction(30_000, 1001),
)
SMALL = Rendition(
    folder="größe 2",
    kind="fmp4",
    codecs=("hvc1.2.4.L90.90",),
    ticks=90_000,
    pieces=tuple(Piece(piece.name, piece.size // 4, piece.start, piece.end) for piece in PIECES),
    width=640,
    height=360,
    frame_rate=Fraction(25),
    hdr="PQ",
)
SOUND = Rendition(
    folder="audio",
    kind="fmp4",
    codecs=("mp4a.40.2",),
    ticks=48_000,
    pieces=(
        Piece("segment-00000.m4s", 96_000, 0, 288_768),
        Piece("segment-00001.m4s", 96_000, 288_768, 576_512),
        Piece("segment-00002.m4s", 6_400, 576_512, 595_200),
    ),
    channels=2,
    sample_rate=48_000,
)
CHOICES = [Choice("1080p", BIG, (SOUND,)), Choice("größe 2", SMALL, (SOUND,))]

MEDIA = """\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init.mp4"
#EXTINF:6.000000,
segment-00000.m4s
#EXTINF:6.000000,
segment-00001.m4s
#EXTINF:0.400000,
segment-00002.m4s
#EXT-X-ENDLIST
"""

MASTER = """\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=628321,AVERAGE-BANDWIDTH=547355,CODECS="hvc1.2.4.L90.90,mp4a.40.2",\
RESOLUTION=640x360,FRAME-RATE=25.000,VIDEO-RANGE=PQ,AUDIO="audio"
gr%C3%B6%C3%9Fe%202/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2128321,AVERAGE-BANDWIDTH=1805419,CODECS="avc1.640028,mp4a.40.2",\
RESOLUTION=1920x1080,FRAME-RATE=29.970,AUDIO="audio"
1080p/index.m3u8
"""

MANIFEST = """\
<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" \
profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019" type="static"
  mediaPresentationDuration="PT12.400S" maxSegmentDuration="PT6S" minBufferTime="PT6S">
  <Period id="0" start="PT0S">
    <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
      <Representation id="1080p" codecs="avc1.640028" bandwidth="2000000" width="1920" height="1080" sar="1:1" \
frameRate="30000/1001">
        <SegmentTemplate timescale="90000" initialization="1080p/init.mp4" \
media="1080p/segment-$Number%05d$.m4s" startNumber="0">
          <SegmentTimeline>
            <S t="0" d="540000" r="1"/>
            <S t="1080000" d="36000"/>
          </SegmentTimeline>
        </SegmentTemplate>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1">
      <Representation id="audio" codecs="mp4a.40.2" bandwidth="128321" audioSamplingRate="48000">
        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
        <SegmentTemplate timescale="48000" initialization="audio/init.mp4" \
media="audio/segment-$Number%05d$.m4s" startNumber="0">
          <SegmentTimeline>
            <S t="0" d="288768"/>
            <S t="288768" d="287744"/>
            <S t="576512" d="18688"/>
          </SegmentTimeline>
        </SegmentTemplate>
      </Representation>
    </AdaptationSet>
  </Period>
</MPD>
"""


def test_media_playlist():
    """All segments with their lengths, behind their initialization."""
    assert MEDIA == media_playlist(BIG)


def test_master_playlist():
    """The smaller variant first; rates are those of picture and sound together; names are quoted."""
    assert MASTER == master_playlist(CHOICES)


def test_manifest():
    """Segments that last alike are one line; names stand in attributes as XML wants them."""
    assert MANIFEST == manifest(CHOICES[:1], 6)


def test_other_codecs_and_channel_counts_are_sets_of_their_own():
    """Players change only between what one decoder takes."""
    assert 2 == manifest(CHOICES, 6).count('contentType="video"')


def test_the_peak_counts_short_segments_with_their_neighbours():
    """RFC 8216: segments in a row of half to one and a half times the target."""
    # The last 0.4 s alone would be 2 Mbit/s as well as much more than it is with the one before it.
    burst = (*PIECES[:2], Piece("segment-00002.m4s", 400_000, 1_080_000, 1_116_000))
    stream = Rendition("x", "fmp4", ("avc1.640028",), 90_000, burst, 2, 2)
    assert round(8 * 1_900_000 / 6.4) == stream.peak
    assert round(8 * 2_900_000 / 12.4) == stream.average


@pytest.mark.parametrize(("target", "seconds"), [(1, 0.2), (2, 2.49), (3, 2.5), (4, 3.5), (7, 6.5)])
def test_the_target_is_never_below_a_length(target, seconds):
    """RFC 8216, 4.3.3.1: lengths are rounded to the nearest second, of which halves may be either."""
    piece = Piece("segment-00000.ts", 1, 0, round(seconds * 90_000))
    assert target == Rendition("main", "ts", ("avc1.640028",), 90_000, (piece,)).target


def test_transport_streams_have_no_initialization():
    """And playlists of an older version."""
    old = Rendition("main", "ts", ("avc1.640028", "mp4a.40.2"), 90_000, PIECES, 640, 360, Fraction(25))
    assert "EXT-X-MAP" not in media_playlist(old)
    assert "#EXT-X-VERSION:3\n" in media_playlist(old)
    text = master_playlist([Choice("main", old)])
    assert 'CODECS="avc1.640028,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000\nmain/index.m3u8' in text
