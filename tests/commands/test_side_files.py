"""Images and subtitles beside the specs, through the commands: a life of an output that shows them."""

from __future__ import annotations

from hashlib import sha256

from builders_commands import Desk
from builders_pictures import frames, image, near
from builders_subtitles import SRT, WIDE

SPEC = """\
version: 1
project: marked
encodes:
  clip:
    source: "lavfi:color=gray:size=160x90:rate=10:duration=1"
    outputs:
      web:
        container: mp4
        audio: {codec: none}
        video: {codec: h264, crf: 5, preset: ultrafast, watermark: {image: logos/logo.png, position: center}}
        subtitles: {burn_in: talk.srt}
"""


def made(folder):
    """A project whose output bears a red image, encoded."""
    desk = Desk(folder)
    image(folder / "logos")
    desk.write("talk.srt", SRT.format(WIDE))
    desk.write("specs/a.yaml", SPEC)
    desk.run("apply", "--auto-approve").ok()
    return desk


def digest(path):
    """The beginning of a file's digest, as screens have it."""
    return sha256(path.read_bytes()).hexdigest()[:12]


def colour(folder):
    """The middle of the output."""
    return frames(folder / "outputs/clip/web.mp4")[0].at(0.5, 0.5)


def test_another_image_is_another_output(tmp_path):
    """The plan says so with both digests, and apply makes it; coming back to the old one is a change again."""
    desk, logo = made(tmp_path), tmp_path / "logos/logo.png"
    assert near(colour(tmp_path), (254, 0, 0))
    assert "No changes." in desk.run("plan").out
    before, red = digest(logo), logo.read_bytes()
    image(tmp_path / "logos", colour="blue")
    out = " ".join(desk.run("plan").ok().out.split())
    assert f"video.watermark.image: sha256 {before} -> sha256 {digest(logo)}" in out
    desk.run("apply", "--auto-approve").ok()
    assert near(colour(tmp_path), (0, 0, 254))
    logo.write_bytes(red)
    assert "1 to encode (0 new, 1 rerun)" in desk.run("plan").ok().out


def test_another_name_is_no_change(tmp_path):
    """Files may be moved as one likes."""
    desk = made(tmp_path)
    (tmp_path / "talk.srt").rename(tmp_path / "english.srt")
    desk.write("specs/a.yaml", SPEC.replace("talk.srt", "english.srt"))
    assert "No changes." in desk.run("plan").out


def test_a_file_that_is_gone_is_an_error(tmp_path):
    """Nobody can say whether anything has changed; the line is named."""
    desk = made(tmp_path)
    (tmp_path / "talk.srt").unlink()
    for command in ("validate", "plan"):
        result = desk.run(command)
        assert 1 == result.code
        assert "talk.srt is not there" in result.err
        assert "specs/a.yaml:11" in result.err


def test_it_is_explained(tmp_path):
    """Where each of it was written, and what goes without saying."""
    out = made(tmp_path).run("explain", "clip/web").ok().out
    assert f"sha256 {digest(tmp_path / 'logos/logo.png')}" in out
    assert "specs/a.yaml:11" in out
    assert "video.watermark.margin=2%" in out
    desk = Desk(tmp_path)
    desk.write("specs/a.yaml", SPEC.replace(", watermark: {image: logos/logo.png, position: center}", ""))
    assert "watermark" not in desk.run("explain", "clip/web").ok().out.partition("Not set")[2]


def test_the_command_is_shown(tmp_path):
    """It runs where the project is, without anything that apply prepares."""
    desk = made(tmp_path)
    image(tmp_path / "logos", colour="blue")
    shown = desk.run("plan", "--show-commands").ok().out
    assert "file:logos/logo.png" in shown
    assert "subtitles=filename=talk.srt" in shown


def test_bytenite_refuses_both(tmp_path):
    """Before anything is sent, by name."""
    desk = made(tmp_path)
    provider = "providers: {far: {type: bytenite, api_key: '${env.BYTENITE_API_KEY}'}}\ndefaults: {provider: far}\n"
    desk.write("specs/a.yaml", SPEC.replace("lavfi:color=gray:size=160x90:rate=10:duration=1", "https://a.b/c.mp4"))
    desk.write("specs/b.yaml", provider)
    said = " ".join(desk.run("validate").err.split())
    assert 'ByteNite\'s document has no word for "video.watermark.image" (logos/logo.png)' in said
    assert 'ByteNite\'s document has no word for "subtitles.burn_in" (talk.srt)' in said
