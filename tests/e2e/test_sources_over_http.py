"""Clips over real HTTP: what is fetched, resumed, refused and kept, and what odd and broken masters end as."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from builders_http import Page, serving
from builders_project import Project, tiny
from reconciler.ffmpeg.probe import probe

SPEC = f"""\
version: 1
project: remote
presets:
  web: {tiny(33)}
encodes:
  clip:
    source: SOURCE
    outputs: OUTPUTS
"""
PRIVATE = "--allow-private-sources"


@pytest.fixture
def project(tmp_path):
    """A project without specs yet."""
    return Project(tmp_path)


def declare(project, url, outputs="[web]"):
    """Write the spec for one source."""
    project.write("specs/encodes.yaml", SPEC.replace("SOURCE", f'"{url}"').replace("OUTPUTS", outputs))


def facts(project, name="clip/web.mp4"):
    """What a probe finds in an output."""
    return probe(str(project.folder / "outputs" / name))


def test_a_clip_is_fetched_and_becomes_what_was_asked(project, clips):
    """Codec, size, duration and sound of the outputs are those that the spec asks for."""
    clip = clips.plain(seconds=3)
    with serving({"/plain.mp4": clip}) as site:
        declare(
            project,
            site.url("/plain.mp4"),
            "{web: web, vp9: {container: webm, video: {codec: vp9, height: 80, crf: 40, preset: 5}, "
            "audio: {codec: opus, bitrate: 48k, channels: mono}}}",
        )
        project.apply(PRIVATE).ok()
    web, vp9 = facts(project), facts(project, "clip/vp9.webm")
    (picture,), (small,) = web.video, vp9.video

    assert ("h264", 128, 96) == (picture.codec, picture.width, picture.height)
    assert ("vp9", 106, 80) == (small.codec, small.width, small.height)
    assert (["aac"], ["opus"]) == ([track.codec for track in web.audio], [track.codec for track in vp9.audio])
    assert ([2], [1]) == ([track.channels for track in web.audio], [track.channels for track in vp9.audio])
    assert all(abs(each.end - 3.0) < 0.05 for each in (picture, small))


def test_a_connection_cut_at_sixty_percent_is_resumed(project, clips):
    """After a cut only the rest is asked for: the bytes served are those of one whole file."""
    clip = clips.noisy("noisy.mp4")
    size = clip.stat().st_size
    with serving({"/cut.mp4": Page(clip, cut_after=int(size * 0.6))}) as site:
        declare(project, site.url("/cut.mp4"))
        project.apply(PRIVATE).ok()
        first, second = site.of("/cut.mp4")[:2]

        assert "Range" in second.headers
        assert 206 == second.status
        assert size <= site.served("/cut.mp4") < size * 1.1
        assert first.served < size
    assert "complete" == project.records()["clip/web"]["status"]


def test_a_source_is_fetched_once_for_several_applies(project, clips):
    """A second apply asks whether the source changed, and reads the kept file."""
    clip = clips.plain()
    with serving({"/plain.mp4": clip}) as site:
        declare(project, site.url("/plain.mp4"))
        project.apply(PRIVATE).ok()
        served = site.served("/plain.mp4")
        declare(project, site.url("/plain.mp4"), "{web: {extends: web, video: {crf: 35}}}")
        project.apply(PRIVATE).ok()

        assert site.served("/plain.mp4") - served <= 1


def test_a_plan_contacts_nobody(project, clips):
    """Plan opens no connection; plan --refresh asks for one byte."""
    with serving({"/plain.mp4": clips.plain()}) as site:
        declare(project, site.url("/plain.mp4"))
        assert "plan is offline" in project.run("plan").ok().out
        assert [] == site.requests
        project.run("plan", "--refresh", PRIVATE).ok()
        assert 1 == len(site.requests)


def test_a_re_signed_url_is_no_change_and_no_secret(project, clips):
    """A new signature is the same source; neither signature is in any file or on any screen."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={now}&X-Amz-Expires=3600&X-Amz-Signature={{}}"
    with serving({"/plain.mp4": clips.plain()}) as site:
        declare(project, site.url("/plain.mp4", query.format("5ec4e70001")))
        first = project.apply(PRIVATE).ok()
        declare(project, site.url("/plain.mp4", query.format("5ec4e70002")))
        second = project.run("plan", "--detailed-exitcode")
    told = first.out + first.err + second.out + second.err
    kept = "".join(path.read_text() for path in (project.folder / "state").rglob("*") if path.is_file())

    assert (0, True) == (second.code, second.out.startswith("No changes."))
    assert "5ec4e7000" not in told + kept


def test_verbose_shows_what_servers_are_asked_without_secrets(project, clips):
    """With -v every request is on stderr, and no query string is."""
    with serving({"/plain.mp4": clips.plain()}) as site:
        declare(project, site.url("/plain.mp4", "token=5ec4e70003"))
        result = project.program("apply", "--auto-approve", PRIVATE, "-v").ok()

    assert "GET /plain.mp4?..." in result.err
    assert "5ec4e70003" not in result.err + result.out + (project.folder / "state/encodes.json").read_text()


@pytest.mark.parametrize("switch", [[], [PRIVATE], [PRIVATE, "-v"]])
def test_a_url_of_the_environment_is_never_told(project, switch):
    """However its fetch ends, a private master is named by its id; its path and query stand nowhere."""
    source = '{id: masters/board, url: "${env.RECONCILER_BOARD_URL}"}'
    project.write("specs/encodes.yaml", SPEC.replace("SOURCE", source).replace("OUTPUTS", "[web]"))
    with serving({"/other.mp4": b"x"}) as site:
        url = site.url("/5ec4e7-path/clip.mp4", "sig=5ec4e7-query")
        result = project.program("apply", "--auto-approve", *switch, env={"RECONCILER_BOARD_URL": url})
    kept = "".join(path.read_text() for path in (project.folder / "state").rglob("*") if path.is_file())

    assert 3 == result.code
    assert "masters/board" in result.out + result.err
    assert "5ec4e7" not in result.out + result.err + kept


def test_private_addresses_are_refused_by_name(project, clips):
    """Without the switch a loopback source fails its output, and the message says which switch."""
    with serving({"/plain.mp4": clips.plain()}) as site:
        declare(project, site.url("/plain.mp4"))
        result = project.apply()

        assert (3, []) == (result.code, site.requests)
        assert PRIVATE in result.out + result.err


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_a_source_truncated_at_its_origin_is_never_complete(project, clips, container):
    """Ffmpeg exits 0 on half a file; the output is suspect or failed all the same."""
    with serving({f"/cut.{container}": clips.cut(container)}) as site:
        declare(project, site.url(f"/cut.{container}"))
        result = project.apply(PRIVATE)

    record = project.records()["clip/web"]
    assert 3 == result.code
    assert record["status"] in {"suspect", "failed"}
    assert record["error"]
    assert {} == {name: file for name, file in project.files().items() if not name.startswith("clip/.")}


def test_a_body_that_never_comes_whole_is_never_encoded(project, clips):
    """A server that announces more than it sends is tried, and then the output fails."""
    clip = clips.plain()
    with serving({"/short.mp4": Page(clip, origin_has=2000)}) as site:
        declare(project, site.url("/short.mp4"))
        result = project.apply(PRIVATE)

    assert (3, "failed") == (result.code, project.records()["clip/web"]["status"])
    assert {} == project.files()


def test_a_corrupt_source_is_never_complete(project, clips):
    """A master with hundreds of flipped bytes does not pass for a sound one."""
    with serving({"/corrupt.mkv": clips.corrupt()}) as site:
        declare(project, site.url("/corrupt.mkv"))
        result = project.apply(PRIVATE)

    assert 3 == result.code
    assert project.records()["clip/web"]["status"] in {"suspect", "failed"}


ODD = {
    "subtitles that outlast the picture": lambda clips: clips.long_subtitles(),
    "sound longer than the picture": lambda clips: clips.long_sound(),
    "a picture that starts late": lambda clips: clips.late_picture(),
    "a live WebM without duration": lambda clips: clips.live_webm(),
    "a variable frame rate": lambda clips: clips.variable_rate(),
    "eight mono tracks": lambda clips: clips.eight_mono(),
    "5.1 sound": lambda clips: clips.surround(),
    "no sound": lambda clips: clips.silent(),
    "a few flipped bytes in a transport stream": lambda clips: clips.scratched(),
    "a portrait clip of a phone": lambda clips: clips.portrait(),
}


@pytest.mark.parametrize("fact", ODD)
def test_odd_but_sound_masters_complete_with_notes(project, clips, fact):
    """What is merely odd completes, and what is odd about it is noted where it matters to the output."""
    clip = ODD[fact](clips)
    with serving({f"/{clip.name}": clip}) as site:
        declare(project, site.url(f"/{clip.name}"), "{web: {extends: web, audio: {channels: 2}}}")
        project.apply(PRIVATE).ok()
    record = project.records()["clip/web"]

    assert "complete" == record["status"]
    assert record.get("notes"), f"{fact} is noted"
    assert 0 == project.run("plan", "--detailed-exitcode").code


def test_hdr_is_never_brought_down_in_silence(project, clips):
    """HDR into an 8-bit preset fails with what to do about it."""
    clip = clips.hdr()
    with serving({"/hdr.mkv": clip}) as site:
        declare(project, site.url("/hdr.mkv"))
        result = project.apply(PRIVATE)

    assert 3 == result.code
    assert "HDR" in project.records()["clip/web"]["error"]
