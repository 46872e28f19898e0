"""Which files belong to a package, told by its playlists alone."""

from __future__ import annotations

import pytest

from reconciler.core.playlists import OPENER, Stream, follow

MASTER = """\
#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",URI="audio/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.640028,mp4a.40.2",AUDIO="audio"
# a comment
big%20one/index.m3u8
"""
MEDIA = """\
#EXTM3U
#EXT-X-MAP:URI="init.mp4"
#EXTINF:6.000000,
segment-00000.m4s
#EXTINF:1.5,
segment-00001.m4s
#EXT-X-ENDLIST
"""


def followed(**files):
    """What these playlists lead to; `master` opens the package."""
    names = {OPENER: files.pop("master", MASTER), "audio/index.m3u8": MEDIA, "big one/index.m3u8": MEDIA, **files}
    return follow(lambda name: names[name].encode())


def test_a_package_is_all_that_its_playlists_lead_to():
    """Every stream with its length, every file once, the opening playlist last."""
    package = followed()
    sound, picture = package.streams
    files = [f"audio/{name}" for name in ("init.mp4", "segment-00000.m4s", "segment-00001.m4s")]
    assert Stream("audio/index.m3u8", (files[0],), tuple(files[1:]), 7.5, ended=True) == sound
    assert "big one/segment-00001.m4s" == picture.segments[-1]
    assert 6 == len(package.media)
    assert [OPENER, 3] == [list(package.playlists)[-1], len(package.playlists)]


def test_a_single_stream_is_a_package_too():
    """A link may lead to the one playlist of segments; one that goes on is told from one that is complete."""
    package = followed(master="#EXTM3U\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n")
    assert (Stream(OPENER, (), ("a.ts", "b.ts"), 4.0, ended=False),) == package.streams


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("https://elsewhere.example.com/a.ts", "leads out of the package"),
        ("/a.ts", "leads out of the package"),
        ("//host/a.ts", "leads out of the package"),
        ("a.ts?token=1", "leads out of the package"),
        ("file:///etc/passwd", "leads out of the package"),
        ("../a.ts", "whose name cannot be taken over"),
        ("a/%2e%2e/b.ts", "whose name cannot be taken over"),
        (".reconciler.json", "whose name cannot be taken over"),
        ("a%00.ts", "whose name cannot be taken over"),
        ("a%5cb.ts", "whose name cannot be taken over"),
        ("a%ff.ts", "whose name cannot be taken over"),
        ("a" * 600, "whose name cannot be taken over"),
    ],
)
def test_what_leads_elsewhere_is_refused(line, words):
    """No server chooses what is opened, nor what is written where."""
    with pytest.raises(ValueError, match=words) as raised:
        followed(master=f"#EXTM3U\n#EXTINF:2,\n{line}\n#EXT-X-ENDLIST\n")
    assert "token" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no playlist"),
        ("<html>", "is no playlist"),
        ("#EXTM3U\n", "names no segments"),
        ('#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:2,\na.ts\n', "is encrypted"),
        ("#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:X\n{n}.m3u8\n" for n in range(201)), "names 201 playlists"),
    ],
)
def test_what_is_no_package(text, words):
    """It is said in a sentence."""
    with pytest.raises(ValueError, match=words):
        followed(master=text)
