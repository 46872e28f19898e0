"""Whether an output that somebody else made can be whole, by its header and little else."""

from __future__ import annotations

import io

import pytest

from builders_ffmpeg import local, output
from reconciler.ffmpeg.examine import examine

AAC = {"codec": "aac"}


def seen(path, **parameters):
    """What a look at a file says, held against what was asked for."""
    with open(path, "rb") as file:  # noqa: PTH123 - what a caller hands over
        return examine(file, path.stat().st_size, output(local(path), **parameters))


def video(**said):
    """A picture as it was asked for."""
    return {"codec": "h264", "crf": 23, **said}


class Counting(io.BytesIO):
    """A file that counts what is read of it, and may break."""

    def __init__(self, content, breaks_after=None):
        super().__init__(content)
        self.taken, self.breaks_after = 0, breaks_after

    def read(self, size=-1):
        data = super().read(size)
        self.taken += len(data)
        if self.breaks_after is not None and self.taken > self.breaks_after:
            raise OSError("the link broke")
        return data


class TestWhole:
    """What is as asked."""

    def test_it_is_described(self, clips):
        """Length, size, rate, codecs, sound."""
        found = seen(clips.plain(), video=video(height=120))
        assert () == found.wrong
        assert "0:02.0 160x120 25 fps h264, aac stereo 48k" == found.summary
        assert found.duration == pytest.approx(2.0, abs=0.1)

    @pytest.mark.parametrize("name", ["plain.mov", "plain.mkv"])
    def test_other_containers(self, clips, name):
        """Also where the index comes last."""
        assert () == seen(clips.plain(name), container=name[-3:]).wrong

    def test_little_is_read(self, clips):
        """Of a file whose index stands first, the beginning."""
        path = clips.long()
        content = path.read_bytes()
        file = Counting(content)
        assert () == examine(file, len(content), output(local(path))).wrong
        assert file.taken < len(content) / 4

    def test_a_smaller_source(self, clips):
        """Is not enlarged, and that is no fault."""
        assert () == seen(clips.plain(), video=video(height=720)).wrong

    def test_a_slower_source(self, clips):
        """Nor is its frame rate raised."""
        assert () == seen(clips.plain(), video=video(fps="30")).wrong

    def test_no_sound(self, clips):
        """The source may have none: a note."""
        found = seen(clips.silent())
        assert () == found.wrong
        assert "no sound" in found.notes[-1]

    @pytest.mark.parametrize("source", [None, io.BytesIO(b"no media at all")])
    def test_without_its_source(self, clips, source):
        """What nobody could compare is told, whether the source is out of reach or says nothing; else nothing is."""
        path, content = clips.plain(), clips.plain().read_bytes()
        wanted = output(local(path))
        alone = examine(io.BytesIO(content), len(content), wanted, source)
        assert ((), True) == (alone.wrong, "was not compared" in " ".join(alone.notes))
        both = examine(io.BytesIO(content), len(content), wanted, io.BytesIO(content))
        assert ((), ()) == (both.wrong, both.notes)


class TestWrong:
    """What is not as asked."""

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"video": video(codec="hevc")}, "its codec is h264 instead of hevc"),
            ({"video": video(height=60)}, "its height is 120 instead of 60"),
            ({"video": video(width=80)}, "its width is 160 instead of 80"),
            ({"video": video(height=720, avoid_upscaling=False)}, "its size is 160x120, less than was asked for"),
            ({"video": video(pad={"aspect": "16:9"})}, "its size is 160x120 instead of the shape 16:9"),
            ({"video": video(fps="12")}, "its frame rate is 25 instead of 12"),
            ({"video": video(pixel_format="yuv444p")}, "its pixel format is yuv420p instead of yuv444p"),
            ({"audio": {"codec": "opus"}, "container": "mp4"}, "its audio codec is aac instead of opus"),
            ({"audio": {**AAC, "channels": 1}}, "it has 2 audio channels instead of 1"),
            ({"audio": {**AAC, "sample_rate": "44.1k"}}, "its sample rate is 48000 instead of 44100"),
            ({"audio": {"codec": "none"}}, "it holds 1 video and 1 audio tracks instead of 1 and 0"),
            ({"container": "mkv"}, "it is mov,mp4,m4a,3gp,3g2,mj2 instead of mkv"),
        ],
    )
    def test_it_is_named(self, clips, asked, words):
        """What was got, and what was asked for."""
        assert (words,) == seen(clips.plain(), **asked).wrong

    def test_sound_that_must_be_there(self, clips):
        """Silence was asked for where there is none."""
        found = seen(clips.silent(), audio={**AAC, "missing": "silence"})
        assert ("it holds 1 video and 0 audio tracks instead of 1 and 1",) == found.wrong

    @pytest.mark.parametrize("container", ["mp4", "mkv"])
    def test_a_file_that_is_cut_off(self, clips, container):
        """Though its header is whole."""
        found = seen(clips.cut(container), container=container)
        assert [one for one in found.wrong if "cut off" in one]

    def test_an_index_that_never_came(self, clips):
        """Cannot be opened."""
        assert "cannot be opened" in seen(clips.cut_before_index()).wrong[0]

    @pytest.mark.parametrize("content", [b"", b"<html>not a film</html>", b"\0" * 10_000])
    def test_what_is_no_media(self, tmp_path, content):
        """Is not opened."""
        (tmp_path / "x.mp4").write_bytes(content)
        assert "cannot be opened as media" in seen(tmp_path / "x.mp4").wrong[0]

    def test_a_playlist_is_not_followed(self, clips):
        """It is not among the formats that are opened."""
        assert "cannot be opened as media" in seen(clips.playlist()).wrong[0]


class TestBesideItsSource:
    """Where the header of the source can be read, it says how long an output is, and whether it sounds."""

    def beside(self, made, source, *, trim=(0, None), **parameters):
        """What a look at a file says, with its source at hand."""
        wanted = output(local(source, start=trim[0], end=trim[1]), **parameters)
        with open(made, "rb") as file, open(source, "rb") as origin:  # noqa: PTH123 - what a caller hands over
            return examine(file, made.stat().st_size, wanted, origin)

    @pytest.mark.parametrize("name", ["plain.mov", "plain.mkv"])
    def test_what_is_as_long_and_sounds(self, clips, name):
        """Nothing is wrong, in whatever container the source is."""
        found = self.beside(clips.plain(), clips.plain(name))
        assert ((), ()) == (found.wrong, found.notes)

    def test_a_wrong_length(self, clips):
        """Told as measured against the source's."""
        found = self.beside(clips.plain("one.mp4", seconds=1), clips.plain())
        (sentence,) = found.wrong
        assert "its length is 1.0" in sentence
        assert "instead of the 2.0" in sentence

    @pytest.mark.parametrize(("trim", "wrong"), [((0.5, 1.5), False), ((1, None), False), ((0, 2), True)])
    def test_a_trim_is_counted(self, clips, trim, wrong):
        """What is asked for is the part of the source."""
        found = self.beside(clips.plain("one.mp4", seconds=1), clips.plain(), trim=trim)
        assert wrong == bool(found.wrong), found.wrong

    def test_sound_that_is_missing(self, clips):
        """The source sounds, so its output must, whatever is to happen to silent sources."""
        found = self.beside(clips.silent(), clips.plain(), audio={**AAC, "missing": "skip"})
        assert ("it holds 1 video and 0 audio tracks instead of 1 and 1, since its source has sound",) == found.wrong

    def test_sound_that_was_never_there(self, clips):
        """A silent source gives a silent output, and a note; or silence, where that was asked for."""
        found = self.beside(clips.silent(), clips.silent(), audio=AAC)
        assert ((), ("it has no sound: the source has none",)) == (found.wrong, found.notes)
        assert self.beside(clips.silent(), clips.silent(), audio={**AAC, "missing": "silence"}).wrong

    def test_a_source_that_cannot_be_read(self, clips, tmp_path):
        """Is told, and says nothing of the output."""
        (tmp_path / "x.mp4").write_bytes(b"<html>expired</html>")
        found = self.beside(clips.plain(), tmp_path / "x.mp4")
        assert () == found.wrong
        assert "its source could not be looked at" in found.notes[0]


@pytest.mark.parametrize("breaks_after", [0, 4_000, 10_000])
def test_a_link_that_breaks_is_no_fault_of_the_file(clips, breaks_after):
    """Reading fails: OSError, and nothing is said of the file."""
    content = clips.plain("plain.mkv").read_bytes()
    with pytest.raises(OSError, match="the link broke"):
        examine(Counting(content, breaks_after), len(content), output(local("plain.mkv"), container="mkv"))
