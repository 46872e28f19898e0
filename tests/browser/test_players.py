"""Packages in a real browser, played by the players that web pages use."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from builders_browser import HERE, script
from builders_ffmpeg import AAC, encode, local, output
from builders_http import Page, serving
from builders_media import ffmpeg
from reconciler.core.ports import Verified

SECONDS = 8
SMALL, BIG = 60, 120
RATE = 3  # times as fast as the film was meant

# Pictures are stored in another order than they are shown in, as by default.
H264 = {"codec": "h264", "crf": 30, "preset": "veryfast"}
AV1 = {"codec": "av1", "crf": 50, "preset": "11"}
OPUS = {"codec": "opus", "bitrate": "48k"}
NARROW = {**AAC, "bitrate": "32k", "channels": 1}

# What hls.js tells and goes on by itself, unless it says "fatal" before it: that the machine was too slow; that it gave
# up a request of its own for a switch; and that a segment which it fetched anew for a switch is longer than what is
# buffered, since it leaves out of its own account the edit list by which browsers place a segment.
HARMLESS = ("bufferStalledError ", "aborted ", "bufferAppendNoProgress ")

PAGE = b"""<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<video id="video" muted></video>
<script src="library.js"></script>
<script src="player.js"></script>
"""

CASES = {
    "fragments-hls.js": ("hls.js", "hls", "fmp4", H264, AAC, AAC),
    "transport-streams-hls.js": ("hls.js", "hls", "ts", H264, AAC, AAC),
    "both-hls.js-sounds-that-differ": ("hls.js", "cmaf", "fmp4", H264, AAC, NARROW),
    "both-dash.js": ("dashjs", "cmaf", "fmp4", H264, AAC, AAC),
    "dash.js-av1-opus": ("dashjs", "dash", "fmp4", AV1, OPUS, OPUS),
}

# When the picture of an odd master begins, and when all of it ends.
ODD = {"paused": (0, 4), "late_picture": (0.8, 2.8), "late_sound": (0, 2.8)}


def package(project, source, video, sounds, **parameters):
    """The folder of a package that was made whole: two heights, segments of a second."""
    variants = {
        "big": {"video": {**video, "height": BIG}, "audio": sounds[0]},
        "small": {"video": {**video, "height": SMALL}, "audio": sounds[1]},
    }
    wanted = output(source, "film", video=None, audio=None, variants=variants, **parameters)
    (result,) = encode(project, source, wanted).values()
    assert isinstance(result, Verified), result
    return Path(project) / result.path


class Cinema:
    """A page that plays the package in a folder, until it is asked what it saw."""

    def __init__(self, browser, site, player):
        self._browser = browser
        self.site = site
        entry = "master.m3u8" if player == "hls.js" else "manifest.mpd"
        browser.get_log("browser")
        browser.get(site.url("/"))
        self.run("begin", player, f"/film/{entry}", SMALL, RATE)

    def run(self, function, *arguments):
        """Call a function of the page."""
        return self._browser.execute_script(f"return {function}(...arguments)", *arguments)

    def until(self, condition, *, within=40):
        """What is seen once it is as wanted; no error may come before."""
        end = time.monotonic() + within
        while True:
            now = self.run("seen")
            assert [] == [error for error in now["errors"] if not error.startswith(HARMLESS)], now
            if condition(now):
                return now
            assert time.monotonic() < end, now
            time.sleep(0.02)

    def complaints(self):
        """Errors on the browser's console, and files that could not be fetched."""
        lost = [(each.path, each.status) for each in self.site.requests if each.status not in {200, 206}]
        return lost + [line["message"] for line in self._browser.get_log("browser") if line["level"] == "SEVERE"]

    def fetched(self, folder):
        """How many segments of a variant were asked for."""
        return len({each.path for each in self.site.requests if f"/{folder}/segment-" in each.path})


def pages(folder, player):
    """A site that plays a package."""
    film = {f"/film/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}
    own = {"/": Page(PAGE, headers={"Content-Type": "text/html"}), "/player.js": HERE / "player.js"}
    return {**film, **own, "/library.js": script(player)}


@pytest.mark.parametrize("case", CASES)
def test_a_package_plays_to_its_end_with_a_switch_on_the_way(browser, clips, tmp_path, case):
    """No error, no gap, all pictures and the sound; another height is shown once it is asked for; seeking works."""
    player, container, kind, video, *sounds = CASES[case]
    source = local(clips.plain("eight.mp4", seconds=SECONDS))
    folder = package(tmp_path, source, video, sounds, container=container, segment={"type": kind, "duration": 1})
    with serving(pages(folder, player)) as site:
        cinema = Cinema(browser, site, player)
        begun = cinema.until(lambda now: now["time"] > 1)
        cinema.run("change", BIG)
        end = cinema.until(lambda now: now["ended"])
        cinema.run("again", 2.5)
        cinema.until(lambda now: now["time"] > 3.5 and not now["ended"])

    assert ([SMALL], [SMALL, BIG]) == (begun["heights"], end["heights"])
    assert SECONDS == pytest.approx(end["duration"], abs=0.1) == pytest.approx(end["time"], abs=0.1)
    assert (1, 1) == (len(begun["buffered"]), len(end["buffered"]))
    assert [0, SECONDS] == pytest.approx([begun["buffered"][0][0], end["buffered"][0][1]], abs=0.1)
    assert end["frames"] >= 0.9 * SECONDS * 25
    assert end["sound"] > 0
    assert 0 < cinema.fetched("small") < SECONDS
    assert 0 < cinema.fetched("big") <= SECONDS
    assert [] == cinema.complaints()


@pytest.mark.parametrize("name", ODD)
def test_packages_of_odd_masters_play_to_their_end(browser, clips, tmp_path, name):
    """Pauses, a late picture, late sound: players neither stop nor complain, and move no track against another."""
    begin, end = ODD[name]
    source = local(late_sound(clips, tmp_path) if name == "late_sound" else getattr(clips, name)())
    folder = package(tmp_path, source, H264, (AAC, AAC), container="cmaf", segment={"duration": 1})
    for player, start in (("dashjs", begin), ("hls.js", 0)):
        # To hls.js a film begins where its picture does.
        with serving(pages(folder, player)) as site:
            cinema = Cinema(browser, site, player)
            seen = cinema.until(lambda now: now["ended"])
        assert [[start, start + end - begin]] == [pytest.approx(each, abs=0.1) for each in seen["buffered"]]
        assert [] == cinema.complaints()


def late_sound(clips, folder):
    """Sound that begins 0.8 s after the picture."""
    path, late = folder / "late.mkv", ("-itsoffset", 0.8, "-i", clips.plain())
    ffmpeg("-i", clips.plain(), *late, "-map", "0:v", "-map", "1:a", "-c", "copy", path)
    return path


# What players list, and how the second track is chosen.
LISTED = {
    "hls.js": "return player.audioTracks.map((each) => each.lang ?? '')",
    "dashjs": "return player.getTracksFor('audio').map((each) => each.lang ?? '')",
}
CHOOSES = {
    "hls.js": "player.audioTrack = 1",
    "dashjs": "player.setCurrentTrack(player.getTracksFor('audio')[1])",
}


@pytest.mark.parametrize("player", LISTED)
def test_players_switch_between_languages(browser, clips, tmp_path, player):
    """English plays by itself; Dutch is fetched once it is chosen, and no error comes of it."""
    path = tmp_path / "bilingual.mkv"
    plain, tone = clips.plain("eight.mp4", seconds=SECONDS), f"sine=frequency=800:sample_rate=48000:duration={SECONDS}"
    said = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=dut")
    tracks = ("-map", "0:v", "-map", "0:a", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", *said)
    ffmpeg("-i", plain, "-f", "lavfi", "-i", tone, *tracks, path)
    sound = {**AAC, "tracks": "all"}
    folder = package(tmp_path, local(path), H264, (sound, sound), container="cmaf", segment={"duration": 1})
    with serving(pages(folder, player)) as site:
        cinema = Cinema(browser, site, player)
        cinema.until(lambda now: now["time"] > 1)
        listed, before = browser.execute_script(LISTED[player]), cinema.fetched("audio-nld")
        browser.execute_script(CHOOSES[player])
        end = cinema.until(lambda now: now["ended"])
    assert (["en", "nl"], 0) == (listed, before)
    assert cinema.fetched("audio-eng") > 0
    assert cinema.fetched("audio-nld") > 0
    assert end["sound"] > 0
    assert [] == cinema.complaints()
