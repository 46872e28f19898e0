"""Subtitles in the picture: there while they are to be read, where they belong, and never lost without a word."""

from __future__ import annotations

from array import array
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from builders_ffmpeg import AAC, H264, encode, generated, job, local, made, output, provider
from builders_ffmpeg import ended as ended_with
from builders_media import ffmpeg
from builders_pictures import frames
from builders_subtitles import ASS, SRT, VTT, WIDE, dark, no_fonts, pictures
from reconciler.core.checks import Checks
from reconciler.core.ports import Done, NotMade, Verified
from reconciler.ffmpeg.probe import probe

SHARP = {"codec": "h264", "crf": 10, "preset": "ultrafast"}
BLACK = "color=black:size=320x180:rate=10:duration=3"


def lit(shown, top, bottom):
    """Whether there is anything bright between two shares of the height."""
    return max(shown.rows(top, bottom)) > 150


def seen(file, *, top=0.66, bottom=1.0):
    """The numbers of the frames with something bright in the lower third, or between two shares of the height."""
    return [number for number, shown in enumerate(frames(file)) if lit(shown, top, bottom)]


def burnt(project, source, burn_in, **parameters):
    """The result and the file of an output with subtitles in it."""
    wanted = {"video": SHARP, "audio": None, **parameters}
    return made(project, source, **wanted, subtitles={"burn_in": burn_in})


def beside(folder, name, text):
    """A file of subtitles in the project."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.format(WIDE), encoding="utf-8")
    return name


@pytest.mark.parametrize("name", ["dark.mkv", "dark.mp4"])
@pytest.mark.parametrize("wish", [0, "en"])
def test_a_track_of_the_source(tmp_path, name, wish):
    """In the lower third and nowhere else, from its first frame to its last."""
    result, file = burnt(tmp_path, local(dark(tmp_path / "in", name, words=[("eng", WIDE)])), wish)
    assert isinstance(result, Verified), result
    assert "subtitles are not copied" not in result.notes
    assert list(range(10, 20)) == seen(file)
    assert [] == seen(file, top=0, bottom=0.66)


def test_the_right_track(tmp_path):
    """A language chooses; the other one has nothing to be seen at that time."""
    source = dark(tmp_path / "in", words=[("eng", "lll"), ("dut", WIDE)])
    wide, dot = (burnt(tmp_path / wish, local(source), wish)[1] for wish in ("nl", "eng"))
    bright = [sum(value > 60 for value in frames(file)[15].rows(0.66, 1)) for file in (wide, dot)]
    assert bright[0] > 3 * bright[1] > 0


@pytest.mark.parametrize(("start", "end", "expected"), [(0.5, 2.5, (5, 15)), (1.5, 3, (0, 5)), (0.25, 1.5, (8, 13))])
def test_a_trim_keeps_them_in_time(tmp_path, start, end, expected):
    """They come and go with the picture that they belong to, also where they are on when the trim begins."""
    source = local(dark(tmp_path / "in", words=[("eng", WIDE)]), start=start, end=end)
    result, file = burnt(tmp_path, source, "eng")
    assert isinstance(result, Verified), result
    found = seen(file)
    assert abs(found[0] - expected[0]) <= 1
    assert abs(found[-1] + 1 - expected[1]) <= 1
    assert list(range(found[0], found[-1] + 1)) == found


@pytest.mark.parametrize(("name", "text"), [("a.srt", SRT), ("a.vtt", VTT), ("a.ass", ASS)])
def test_a_file_of_the_project(tmp_path, name, text):
    """SubRip, WebVTT and ASS; what ASS says of place and colour holds."""
    result, file = burnt(tmp_path, generated(BLACK), beside(tmp_path, name, text))
    assert isinstance(result, Verified), result
    where = {"top": 0, "bottom": 0.34} if name.endswith("ass") else {}
    assert list(range(10, 20)) == seen(file, **where)
    if name.endswith("ass"):
        pixels = frames(file)[15].rows(0, 0.34)
        assert max(pixels[0::3]) > 150
        assert max(pixels[2::3]) < 100


def test_a_file_is_in_time_with_a_trim(tmp_path):
    """Its times are those of the whole source, as players have them."""
    source = local(dark(tmp_path / "in"), start=0.5, end=2.5)
    result, file = burnt(tmp_path, source, beside(tmp_path, "a.srt", SRT))
    assert isinstance(result, Verified), result
    assert list(range(5, 15)) == seen(file)


@pytest.mark.parametrize("name", ["it's, a [b]; c:d %d.srt", "ü/\\'x.srt"])
def test_any_name(tmp_path, name):
    """Quotes, colons, brackets and the like: in the name of the file, of the source and of the project."""
    project = tmp_path / "p: [it's], 100%"
    source = dark(tmp_path / "s'[o],u;r:ce", words=[("eng", WIDE)])
    side = burnt(project, generated(BLACK), beside(project, name, SRT))
    own = burnt(project, local(source), "eng")
    for result, file in (side, own):
        assert isinstance(result, Verified), result
        assert list(range(10, 20)) == seen(file)


def test_pictures_of_letters(tmp_path):
    """Subtitles of discs: over the picture that they were made for, whatever becomes of it."""
    source = pictures(tmp_path / "in")
    assert "pgssub" == probe(str(source)).subtitles[0].codec
    result, file = burnt(tmp_path, local(source), "eng", video={**SHARP, "height": 90})
    assert isinstance(result, Verified), result
    assert list(range(10, 20)) == seen(file)
    shown = frames(file)[15]
    assert shown.at(0.5, 0.75)[0] > 200
    assert shown.at(0.2, 0.75)[0] < 50
    cut, cut_file = burnt(tmp_path / "cut", local(source, start=0.5, end=2.5), "eng")
    assert isinstance(cut, Verified), cut
    assert list(range(5, 15)) == seen(cut_file)


@pytest.mark.parametrize("group", [3, 250])
def test_pictures_of_letters_that_are_on_when_a_trim_begins(tmp_path, group):
    """However long ago they came, and however often there are keyframes."""
    source = local(pictures(tmp_path / "in", group=group), start=1.55)
    result, file = burnt(tmp_path, source, "eng")
    assert isinstance(result, Verified), result
    found = seen(file)
    assert found[0] <= 1
    assert abs(found[-1] + 1 - 4.5) <= 1


def test_pictures_of_letters_for_a_ladder(tmp_path):
    """Two renditions share them, a third one goes without."""
    source = local(pictures(tmp_path / "in"))
    with_them = {"audio": None, "subtitles": {"burn_in": 0}}
    results = encode(
        tmp_path,
        source,
        output(source, "a", video=SHARP, **with_them),
        output(source, "b", video={**SHARP, "height": 90}, **with_them),
        output(source, "c", video=SHARP, audio=None),
    )
    assert all(isinstance(result, Verified) for result in results.values()), results
    found = {name: seen(tmp_path / result.path) for name, result in results.items()}
    assert {"a": list(range(10, 20)), "b": list(range(10, 20)), "c": []} == found


def test_a_ladder_a_package_and_a_poster(tmp_path):
    """One job, one process, text in all of them but the one that does not ask for it."""
    beside(tmp_path, "a.srt", SRT)
    source, text = local(dark(tmp_path / "in")), {"subtitles": {"burn_in": "a.srt"}, "audio": None}
    results = encode(
        tmp_path,
        source,
        output(source, "web", video=SHARP, **text),
        output(source, "bare", video=SHARP, audio=None),
        output(source, "pack", container="hls", video=SHARP, **text),
        output(source, "poster", container="png", video=None, stills={"at": "1.5s"}, **text),
        output(source, "before", container="png", video=None, stills={"at": "0.5s"}, **text),
    )
    assert all(isinstance(result, Verified) for result in results.values()), results
    package = tmp_path / results["pack"].path / "main"
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(b"".join(path.read_bytes() for path in [package / "init.mp4", *sorted(package.glob("*.m4s"))]))
    assert list(range(10, 20)) == seen(tmp_path / results["web"].path) == seen(whole)
    assert [] == seen(tmp_path / results["bare"].path)
    posters = [frames(tmp_path / results[name].path, size=(320, 180))[0] for name in ("poster", "before")]
    assert [True, False] == [lit(shown, 0.66, 1) for shown in posters]


def test_stills_at_intervals(tmp_path):
    """Each has the subtitles of its own time, with a trim too."""
    beside(tmp_path, "a.srt", SRT)
    source = local(dark(tmp_path / "in"), start=0.5)
    stills = {"every": "0.5s"}
    result, folder = burnt(tmp_path, source, "a.srt", container="png", video=None, stills=stills)
    assert isinstance(result, Verified), result
    shown = [frames(path, size=(320, 180))[0] for path in sorted(folder.glob("*.png"))]
    # The pictures are those of 0.5, 1, 1.5, 2 and 2.5 seconds.
    assert [False, True, True, False, False] == [lit(each, 0.66, 1) for each in shown]


def test_bars_and_crops(tmp_path):
    """Text stands on the picture, not on bars below it, and is not cut off by a crop."""
    beside(tmp_path, "a.srt", SRT)
    video = {**SHARP, "crop": {"bottom": 60}, "pad": {"aspect": "1:1"}}
    result, file = burnt(tmp_path, generated(BLACK), "a.srt", video=video)
    assert isinstance(result, Verified), result
    # A picture of 320x120 in the middle of 320x320.
    assert list(range(10, 20)) == seen(file, top=0.5, bottom=0.69)
    assert [] == seen(file, top=0.69)


def test_ten_bits_stay_ten_bits(tmp_path):
    """Text is drawn into the pixels that are asked for."""
    beside(tmp_path, "a.srt", SRT)
    result, file = burnt(tmp_path, generated(BLACK), "a.srt", video={**SHARP, "pixel_format": "yuv420p10le"})
    assert isinstance(result, Verified), result
    assert "yuv420p10le" == probe(str(file)).video[0].pixel_format
    assert list(range(10, 20)) == seen(file)


def test_a_check_knows_them(tmp_path):
    """The picture is compared with its source as it was to become, text included."""
    beside(tmp_path, "a.srt", SRT)
    source = local(dark(tmp_path / "in"), start=0.5)
    wanted = output(source, video=SHARP, audio=None, subtitles={"burn_in": "a.srt"})
    (result,) = encode(tmp_path, source, replace(wanted, checks=Checks(min_ssim=0.98))).values()
    assert isinstance(result, Verified), result


def test_fonts_that_came_along(tmp_path):
    """A Matroska file brings the font of its subtitles, and the machine needs none."""
    font = next(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"), None)
    if font is None:
        pytest.skip("there is no font here to attach")
    beside(tmp_path, "a.ass", ASS.replace("Arial", "DejaVu Sans").replace(",8,1", ",2,1"))
    attached = ("-attach", font, "-metadata:s:t", "mimetype=application/x-truetype-font")
    plain, path = dark(tmp_path / "in"), tmp_path / "attached.mkv"
    ffmpeg("-i", plain, "-i", tmp_path / "a.ass", "-map", 0, "-map", 1, "-c", "copy", *attached, path)
    source = local(path)
    wanted = output(source, video=SHARP, audio=None, subtitles={"burn_in": 0})
    (result,) = encode(tmp_path, source, wanted, environment=no_fonts(tmp_path / "f")).values()
    assert isinstance(result, Verified), result
    assert list(range(10, 20)) == seen(tmp_path / result.path)


def test_a_machine_without_fonts(tmp_path):
    """Nothing is burnt in without a word: the output is not made, the others are."""
    beside(tmp_path, "a.srt", SRT)
    source = generated(BLACK)
    bad = output(source, "bad", audio=None, subtitles={"burn_in": "a.srt"})
    results = encode(tmp_path, source, bad, output(source, "good", audio=None), environment=no_fonts(tmp_path / "f"))
    assert "no font on this machine has a letter of a.srt: install fonts" in results["bad"].error
    assert isinstance(results["good"], Verified)


def test_letters_that_no_font_has_are_told(tmp_path):
    """By name, and the rest is burnt in."""
    (tmp_path / "a.srt").write_text(SRT.format(f"{WIDE} \U0001f9ff\U00013000"), encoding="utf-8")
    local_provider = provider(tmp_path)
    source = generated(BLACK)
    job_id = local_provider.prepare(job(source, output(source, audio=None, subtitles={"burn_in": "a.srt"})))
    local_provider.start(job_id)
    done, messages = ended_with(local_provider, job_id)
    assert isinstance(done, Done)
    assert isinstance(done.outputs["web"], Verified)
    assert any(said.startswith("a.srt: no font on this machine has") and "\U00013000" in said for said in messages)


NOT_THERE = {
    "fra": "there is no subtitle track fra: the source has eng",
    "3": "there is no subtitle track 3: the source has eng",
}


@pytest.mark.parametrize("wish", NOT_THERE)
def test_a_track_that_is_not_there(tmp_path, wish):
    """Told before anything is encoded."""
    source = local(dark(tmp_path / "in", words=[("eng", WIDE)]))
    assert NotMade(NOT_THERE[wish]) == burnt(tmp_path, source, int(wish) if wish.isdecimal() else wish)[0]


def test_a_source_without_subtitles(clips, tmp_path):
    """Told before anything is encoded."""
    assert NotMade("the source has no subtitles") == burnt(tmp_path, local(clips.plain()), 0)[0]


BROKEN = {
    b"": "a.srt cannot be read",
    b"no cue\n": "a.srt cannot be read",
    SRT.format("\xe9").encode("latin-1"): "a.srt has a byte that is no UTF-8 (0xe9): save it as UTF-8",
    SRT.format("<i> </i>").encode(): "a.srt holds no subtitles",
    b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n": "a.srt cannot be read",
}


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_is_no_good(tmp_path, content):
    """Told before anything is encoded; a playlist is not followed."""
    (tmp_path / "a.srt").write_bytes(content)
    result, _ = burnt(tmp_path, generated(BLACK), "a.srt")
    assert isinstance(result, NotMade)
    assert BROKEN[content] in result.error


def test_sound_is_in_step(clips, tmp_path):
    """An output with text has the sound and the length that it has without."""
    beside(tmp_path, "a.srt", SRT)
    source = local(clips.plain(), start=0.5)
    result, file = made(tmp_path, source, video=H264, audio=AAC, subtitles={"burn_in": "a.srt"})
    assert isinstance(result, Verified), result
    assert 1.5 == pytest.approx(result.duration, abs=0.05)
    assert 2 == len(ffmpeg("-i", file, "-map", "0", "-c", "copy", "-f", "streamhash", "pipe:1").splitlines())


@pytest.mark.parametrize(("transfer", "expected"), [("smpte2084", 0.58), ("arib-std-b67", 0.75)])
def test_text_is_not_glaring_on_hdr(clips, tmp_path, transfer, expected):
    """White letters are as bright as the white of graphics where HDR is kept, and white where it is brought down."""
    large = ASS.format("III").replace("0:00:01.00", "0:00:00.00").replace(",30,&H0000ff,8", ",150,&Hffffff,5")
    (tmp_path / "a.ass").write_text(large, encoding="utf-8")
    source, text = local(clips.hdr(transfer)), {"subtitles": {"burn_in": "a.ass"}, "audio": None, "container": "mkv"}
    deep = {"codec": "hevc", "crf": 5, "preset": "ultrafast", "pixel_format": "yuv420p10le"}
    results = encode(
        tmp_path,
        source,
        output(source, "kept", video=deep, **text),
        output(source, "down", video={**SHARP, "tonemap": "hable"}, **text),
        output(source, "without", video=deep, audio=None, container="mkv"),
    )
    assert all(isinstance(result, Verified) for result in results.values()), results
    kept, without = (_brightness(tmp_path / results[name].path) for name in ("kept", "without"))
    drawn = [one for one, other in zip(kept, without, strict=True) if one > other + 0.05]
    assert expected == pytest.approx(median(drawn), abs=0.02)
    assert max(_brightness(tmp_path / results["down"].path)) > 0.95


def _brightness(file):
    """The brightness of each pixel of the first picture, as a share of the most."""
    raw = ffmpeg("-i", file, "-frames:v", "1", "-pix_fmt", "gray10le", "-f", "rawvideo", "pipe:1")
    return [value / 1023 for value in array("H", raw)]
