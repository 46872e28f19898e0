"""An image over a picture: in its place, in its colours, as much as is asked for, while it is asked for."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from builders_ffmpeg import H264, PROGRAM, asked, encode, generated, local, made, output
from builders_media import ffmpeg
from builders_pictures import frames, image, near
from reconciler.core.checks import Checks
from reconciler.core.ports import NotMade, Verified
from reconciler.ffmpeg import work_files
from reconciler.ffmpeg.arguments import Target, arguments
from reconciler.ffmpeg.probe import probe

GREY = "color=gray:size=320x180:rate=10:duration=1"
SHARP = {"codec": "h264", "crf": 5, "preset": "ultrafast"}
RED, GROUND = (254, 0, 0), (128, 128, 128)


def marked(project, source, *, video=SHARP, **mark):
    """The result and the file of an output with a red image over it."""
    image(project / "logos", colour="red")
    return made(project, source, video={**video, "watermark": {"image": "logos/logo.png", **mark}}, audio=None)


PLACES = {
    "top_left": (0.04, 0.06),
    "top_right": (0.96, 0.06),
    "bottom_left": (0.04, 0.94),
    "bottom_right": (0.96, 0.94),
    "center": (0.5, 0.5),
}


@pytest.mark.parametrize("position", PLACES)
def test_it_stands_where_it_is_to_stand(tmp_path, position):
    """In its corner, and nowhere else."""
    result, file = marked(tmp_path, generated(GREY), position=position)
    assert isinstance(result, Verified), result
    shown = frames(file)[0]
    assert {position} == {name for name, place in PLACES.items() if near(shown.at(*place), RED)}


@pytest.mark.parametrize("height", [180, 90])
def test_it_is_as_large_as_a_share_of_the_output(tmp_path, height):
    """A quarter of the width, a tenth away from the edges, whatever the size of the output."""
    result, file = marked(tmp_path, generated(GREY), video={**SHARP, "height": height}, width="25%", margin="10%")
    assert isinstance(result, Verified), result
    shown = frames(file)[0]
    wide = [place for place in range(100) if near(shown.at(place / 99, 0.3), RED)]
    assert (65, 89) == (wide[0], wide[-1])
    assert near(shown.at(0.8, 0.22), RED)
    assert near(shown.at(0.8, 0.1), GROUND)
    assert near(shown.at(0.8, 0.44), GROUND)


def test_half_of_it_is_half_of_both(tmp_path):
    """The mean of the image and the picture below."""
    result, file = marked(tmp_path, generated(GREY), position="center", opacity="50%")
    assert isinstance(result, Verified), result
    assert near(frames(file)[0].at(0.5, 0.5), (191, 64, 64))


def test_what_is_clear_stays_clear(tmp_path):
    """The alpha of the image is kept, with an opacity on top of it."""
    image(tmp_path, "half.png", alpha="if(lt(X,32),0,128)")
    mark = {"image": "half.png", "position": "center", "width": "50%", "opacity": 0.5}
    result, file = made(tmp_path, generated(GREY), video={**SHARP, "watermark": mark}, audio=None)
    assert isinstance(result, Verified), result
    shown = frames(file)[0]
    assert near(shown.at(0.35, 0.5), GROUND)
    assert near(shown.at(0.65, 0.5), (159, 96, 96))


def test_it_comes_and_goes(tmp_path):
    """Seen from its start until its end, to the frame, on the clock of the output."""
    source = generated("color=gray:size=320x180:rate=10:duration=2")
    result, file = marked(tmp_path, source, position="center", start=0.5, end="1s")
    assert isinstance(result, Verified), result
    seen = [number for number, shown in enumerate(frames(file)) if near(shown.at(0.5, 0.5), RED)]
    assert [5, 6, 7, 8, 9] == seen


def test_a_trim_begins_its_clock(clips, tmp_path):
    """Half a second into the part that is encoded."""
    result, file = marked(tmp_path, local(clips.plain(), start=0.6, end=1.6), position="center", width="50%", start=0.2)
    assert isinstance(result, Verified), result
    seen = [near(shown.at(0.5, 0.5), RED) for shown in frames(file)]
    assert [False] * 5 + [True] * 20 == seen


@pytest.mark.parametrize("source", ["anamorphic", "portrait", "interlaced", "variable_rate", "full_range", "tagged"])
def test_odd_sources_bear_it(clips, tmp_path, source):
    """Upright, square, in its corner and in its colour, in every frame of the source."""
    video = {**SHARP, "deinterlace": "auto"}
    result, file = marked(tmp_path, local(getattr(clips, source)()), video=video, width="20%", margin=0)
    assert isinstance(result, Verified), result
    shown = frames(file)
    assert probe(str(getattr(clips, source)())).video[0].packets == len(shown)
    assert all(near(each.at(0.9, 0.03), RED, by=12) for each in shown)
    assert not near(shown[0].at(0.7, 0.03), RED, by=12)


def test_bars_are_part_of_the_picture(tmp_path):
    """A corner is that of the padded picture."""
    pad = {"aspect": "1:1", "color": "blue"}
    result, file = marked(tmp_path, generated(GREY), video={**SHARP, "pad": pad}, margin=0)
    assert isinstance(result, Verified), result
    shown = frames(file)[0]
    assert (320, 320) == (shown.width, shown.height)
    assert near(shown.at(0.95, 0.02), RED)
    assert near(shown.at(0.5, 0.02), (0, 0, 255))


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le"])
def test_pixel_formats_are_kept(tmp_path, pixels):
    """The image takes the form of the picture, never the other way round."""
    result, file = marked(tmp_path, generated(GREY), video={**SHARP, "pixel_format": pixels}, position="center")
    assert isinstance(result, Verified), result
    assert pixels == probe(str(file)).video[0].pixel_format
    assert near(frames(file)[0].at(0.5, 0.5), RED)


def luma(file, across, down):
    """The brightness of a pixel of a ten-bit picture, as a share of the most."""
    track = probe(str(file)).video[0]
    raw = ffmpeg("-i", file, "-frames:v", "1", "-pix_fmt", "gray10le", "-f", "rawvideo", "pipe:1")
    place = 2 * (int(across * track.width) + track.width * int(down * track.height))
    return int.from_bytes(raw[place : place + 2], "little") / 1023


@pytest.mark.parametrize(("transfer", "expected"), [("smpte2084", 0.58), ("arib-std-b67", 0.75)])
def test_white_is_not_glaring_on_hdr(clips, tmp_path, transfer, expected):
    """White is as bright as the white of graphics: 203 cd/m2, 58 % of the signal in PQ and 75 % in HLG."""
    image(tmp_path, colour="white")
    hevc = {"codec": "hevc", "crf": 10, "preset": "ultrafast", "pixel_format": "yuv420p10le"}
    mark = {"image": "logo.png", "position": "center", "width": "50%"}
    source = local(clips.hdr(transfer))
    result, file = made(tmp_path, source, container="mkv", video={**hevc, "watermark": mark}, audio=None)
    assert isinstance(result, Verified), result
    assert expected == pytest.approx(luma(file, 0.5, 0.5), abs=0.01)
    track = probe(str(file)).video[0]
    assert (9, 9, "yuv420p10le") == (track.primaries, track.matrix, track.pixel_format)


def test_a_ladder_shares_one_image(clips, tmp_path):
    """Two rungs with the image, one without, and a poster with it: one process, every one of them as asked."""
    image(tmp_path)
    source, mark = local(clips.plain()), {"image": "logo.png", "position": "center", "width": "30%"}
    results = encode(
        tmp_path,
        source,
        output(source, "big", video={**SHARP, "watermark": mark}),
        output(source, "small", video={**SHARP, "height": 60, "watermark": {**mark, "opacity": 0.99}}),
        output(source, "bare", video=SHARP),
        output(source, "poster", container="png", video=None, audio=None, stills={"at": "1s", "watermark": mark}),
    )
    assert all(isinstance(result, Verified) for result in results.values()), results
    red = {}
    for name, result in results.items():
        size = (160, 120) if name == "poster" else None
        red[name] = near(frames(tmp_path / result.path, size=size)[-1].at(0.5, 0.5), RED, by=12)
    assert {"big": True, "small": True, "bare": False, "poster": True} == red


def test_the_picture_beside_it_keeps_its_ten_bits(tmp_path):
    """An image of 8 bits is laid over one picture; the other one has all its bits, also where a trim begins."""
    master = tmp_path / "master.mkv"
    picture = "testsrc2=size=160x120:rate=10:duration=1,format=yuv420p10le"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx265", "-x265-params", "log-level=none", master)
    source = local(master, start=0.1)
    deep = {"codec": "hevc", "crf": 10, "preset": "ultrafast", "pixel_format": "yuv420p10le"}
    bare = output(source, "bare", container="mkv", video=deep, audio=None)
    beside = output(source, "beside", video={**SHARP, "watermark": {"image": "logo.png"}}, audio=None)
    kept = []
    for folder, outputs in ((tmp_path / "alone", [bare]), (tmp_path / "both", [bare, beside])):
        folder.mkdir()
        image(folder)
        results = encode(folder, source, *outputs)
        assert all(isinstance(result, Verified) for result in results.values()), results
        kept.append(ffmpeg("-i", folder / results["bare"].path, "-f", "framemd5", "pipe:1"))
    assert kept[0] == kept[1]


def test_packages_bear_it(clips, tmp_path):
    """Every variant has it."""
    image(tmp_path)
    mark = {"image": "logo.png", "position": "center", "width": "30%"}
    variants = {name: {"video": {**SHARP, "height": size, "watermark": mark}} for name, size in (("a", 120), ("b", 60))}
    result, folder = made(tmp_path, local(clips.plain()), container="hls", video=None, audio=None, variants=variants)
    assert isinstance(result, Verified), result
    for name in variants:
        whole = (folder / name / "init.mp4").read_bytes() + (folder / name / "segment-00000.m4s").read_bytes()
        (tmp_path / f"{name}.mp4").write_bytes(whole)
        assert near(frames(tmp_path / f"{name}.mp4")[0].at(0.5, 0.5), RED, by=12)


def test_two_passes_see_it(clips, tmp_path):
    """The pass that looks and the pass that encodes have the same pictures."""
    video = {"codec": "h264", "bitrate": "300k", "passes": 2, "preset": "ultrafast"}
    result, file = marked(tmp_path, local(clips.plain()), video=video, position="center", width="30%")
    assert isinstance(result, Verified), result
    assert near(frames(file)[25].at(0.5, 0.5), RED, by=25)


def test_a_check_knows_it(clips, tmp_path):
    """The picture is compared with its source as it was to become, image included."""
    image(tmp_path)
    source = local(clips.plain())
    video = {**SHARP, "watermark": {"image": "logo.png", "position": "center", "width": "80%"}}
    wanted = replace(output(source, video=video), checks=Checks(min_vmaf=85))
    (result,) = encode(tmp_path, source, wanted).values()
    assert isinstance(result, Verified), result


@pytest.mark.parametrize(("name", "colour"), [("logo.jpg", "red"), ("logo.webp", "red")])
def test_other_kinds_of_images(tmp_path, name, colour):
    """JPEG and WebP."""
    image(tmp_path, name, colour=colour)
    mark = {"image": name, "position": "center", "width": "30%"}
    result, file = made(tmp_path, generated(GREY), video={**SHARP, "watermark": mark}, audio=None)
    assert isinstance(result, Verified), result
    assert near(frames(file)[0].at(0.5, 0.5), RED, by=12)


def test_what_is_no_image_is_told(tmp_path):
    """Of the one output that needs it; the others are made."""
    (tmp_path / "logo.png").write_text("#EXTM3U\n")
    source = generated(GREY)
    bad = output(source, "bad", video={**H264, "watermark": {"image": "logo.png"}}, audio=None)
    results = encode(tmp_path, source, bad, output(source, "good", audio=None))
    assert NotMade("logo.png is no png, jpg or webp image that can be read") == results["bad"]
    assert isinstance(results["good"], Verified)


def test_a_file_that_changed_after_the_plan_is_told(tmp_path):
    """What was planned is made, or nothing."""
    image(tmp_path)
    source = generated(GREY)
    wanted = output(source, video={**H264, "watermark": {"image": "logo.png"}}, audio=None)
    planned = replace(wanted, manifest={"video.watermark.image": f"sha256:{'0' * 64}"})
    (result,) = encode(tmp_path, source, planned).values()
    assert NotMade("logo.png is not the file that was planned with: it has changed meanwhile. Plan again.") == result
    assert [] == [path.name for path in (tmp_path / "outputs").rglob("*") if path.name.startswith(".")]


def test_a_huge_image_is_told(tmp_path):
    """Nobody means a logo with more pixels than any picture has."""
    huge = ("-f", "lavfi", "-i", "color=black:size=16384x4100:rate=1,format=monob", "-frames:v", "1", "-update", "1")
    ffmpeg(*huge, tmp_path / "logo.png")
    result, _ = made(tmp_path, generated(GREY), video={**H264, "watermark": {"image": "logo.png"}}, audio=None)
    assert NotMade("logo.png has 16384x4100 pixels: make it smaller") == result


def test_what_a_killed_job_left_is_swept(tmp_path):
    """Copies of images and subtitles are work files like any other."""
    wanted = output(generated(GREY))
    folder = tmp_path / work_files.inserts_of(wanted, "12345678-aaaa")
    folder.mkdir(parents=True)
    (folder / "image-0.png").write_bytes(b"x")
    assert ["outputs/clip/..inserts.12345678.part"] == work_files.sweep(tmp_path, [])
    assert not folder.exists()


def test_a_command_for_a_source_that_nobody_knows(clips, tmp_path):
    """Shares of a size that is not known are expressions, which come to the same."""
    image(tmp_path)
    mark = {"image": str(tmp_path / "logo.png"), "position": "top_right", "width": "30%", "margin": "10%"}
    wanted = asked(video={**SHARP, "watermark": mark}, audio=None)
    source = local(clips.plain())
    for name, facts in (("known.mp4", probe(source.location)), ("unknown.mp4", None)):
        targets = [Target(wanted, str(tmp_path / name)), Target(asked(video=SHARP), str(tmp_path / f"bare-{name}"))]
        subprocess.run([PROGRAM, *arguments(source, source.location, targets, facts=facts)], check=True)
    known, unknown = (frames(tmp_path / f"{name}known.mp4")[0] for name in ("", "un"))
    for shown in (known, unknown):
        # The left edge of the picture itself is red.
        red = [place for place in range(20, 100) if near(shown.at(place / 100, 0.2), RED, by=30)]
        assert [60, 90] == pytest.approx([red[0], red[-1]], abs=1.1)
