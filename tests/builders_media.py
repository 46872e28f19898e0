"""Small clips made with the real ffmpeg, whole and broken, plain and odd; each is made once per folder."""

from __future__ import annotations

import fcntl
import hashlib
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.ffmpeg import binary

PICTURE = "testsrc2=size=160x120:rate=25"
TONE = "sine=frequency=440:sample_rate=48000"


def ffmpeg(*arguments):
    """Run the wheel's ffmpeg; its complaint is the error."""
    command = [binary.find({}), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    made = subprocess.run(command, capture_output=True, check=False)
    assert made.returncode == 0, made.stderr.decode()
    return made.stdout


class Clips:
    """Clips in a folder. Every method gives the path of one, and makes it if it is not there.

    Each lies in a folder of its recipe, so that two of one name are two. Several processes may use one folder.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def plain(self, name="plain.mp4", *, seconds=2, size="160x120", rate=25):
        """A steady picture with stereo sound; the container follows from the name."""
        return self._made(
            name,
            *_generated(f"testsrc2=size={size}:rate={rate}:duration={seconds}", f"{TONE}:duration={seconds}"),
            *_h264(),
            *("-c:a", "aac", "-ac", "2"),
            *(["-movflags", "+faststart"] if name.endswith(("mp4", "mov")) else []),
        )

    def long(self, *, seconds=100):
        """Many seconds of 640x360, four of them over and over: made in no time."""
        four = self.plain("four.mp4", seconds=4, size="640x360")
        again = ("-stream_loop", seconds // 4 - 1, "-i", four, "-c", "copy", "-movflags", "+faststart")
        return self._made("long.mp4", *again)

    def noisy(self, name="noisy.mkv", *, seconds=6):
        """A picture with many bits, so that a flipped byte hits something."""
        return self._made(
            name,
            *_generated(f"{PICTURE}:duration={seconds},noise=alls=20:allf=t", f"{TONE}:duration={seconds}"),
            *(*_h264(), "-g", "25", "-c:a", "aac", "-ac", "2", "-b:a", "128k"),
            *(["-movflags", "+faststart"] if name.endswith("mp4") else []),
        )

    def cut(self, container, share=0.6):
        """The beginning of a longer clip, as a broken upload leaves it."""
        whole = self.noisy(f"noisy.{container}")
        return self._bytes(f"cut-{share}.{container}", whole.read_bytes()[: int(whole.stat().st_size * share)])

    def cut_before_index(self):
        """An MP4 whose index was to come last and never came."""
        whole = self._made("index-last.mp4", "-i", self.noisy(), "-c", "copy")
        return self._bytes("no-index.mp4", whole.read_bytes()[: int(whole.stat().st_size * 0.6)])

    def corrupt(self, container="mkv"):
        """A clip with so many flipped bytes that it is ruined, though its header and its end are whole."""
        return self._flipped(f"corrupt.{container}", self.noisy(f"noisy.{container}"), 250)

    def holed(self):
        """An MKV in which whole stretches are overwritten."""
        data = bytearray(self.noisy("noisy-long.mkv", seconds=12).read_bytes())
        dice = random.Random(3)
        for _ in range(4):
            at = dice.randrange(len(data) // 4, len(data) * 3 // 4)
            data[at : at + 4000] = dice.randbytes(4000)
        return self._bytes("holed.mkv", bytes(data))

    def scratched(self):
        """A transport stream with a few flipped bytes, as a weak reception leaves it."""
        return self._flipped("scratched.ts", self.noisy("noisy.ts"), 3)

    def long_subtitles(self):
        """Subtitles that outlast the picture by far."""
        text = self._bytes(
            "long.srt", b"1\n00:00:00,500 --> 00:00:01,500\nhello\n\n2\n00:00:09,000 --> 00:00:12,000\nbye\n"
        )
        return self._made("long-subtitles.mkv", "-i", self.plain(), "-i", text, "-map", 0, "-map", 1, "-c", "copy")

    def subtitled(self):
        """Subtitles in English and Dutch beside a picture of six seconds."""
        cues = "1\n00:00:00,500 --> 00:00:01,500\n{0} één\n\n2\n00:00:03,000 --> 00:00:05,000\n{0} two\n"
        english, dutch = (self._bytes(f"{name}.srt", cues.format(name).encode()) for name in ("eng", "nld"))
        tags = ("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=dut")
        maps = ("-map", 0, "-map", 1, "-map", 2)
        plain = self.plain("plain6.mp4", seconds=6)
        return self._made("subtitled.mkv", "-i", plain, "-i", english, "-i", dutch, *maps, "-c", "copy", *tags)

    def long_sound(self, container="mkv"):
        """Sound that goes on for a second and a half after the picture."""
        return self._made(
            f"long-sound.{container}",
            *_generated(f"{PICTURE}:duration=2", f"{TONE}:duration=3.5"),
            *(*_h264(), "-c:a", "aac"),
        )

    def late_picture(self, container="mkv"):
        """A picture that begins 0.8 s after the sound."""
        return self._made(
            f"late-picture.{container}",
            *("-i", self.plain(), "-itsoffset", "0.8", "-i", self.plain()),
            *("-map", "1:v", "-map", "0:a", "-c", "copy"),
        )

    def late_clock(self):
        """A clip whose clock begins at five seconds."""
        return self._made("late-clock.mkv", "-itsoffset", "5", "-i", self.plain(), "-c", "copy", "-copyts")

    def live_webm(self):
        """A WebM as a browser records it: no duration, clusters of unknown size."""
        picture = _generated(f"{PICTURE}:duration=2", f"{TONE}:duration=2")
        vp9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")
        words = (*picture, *vp9, "-f", "webm", "-live", "1")
        return self._kept("live.webm", words, lambda path: path.write_bytes(ffmpeg(*words, "pipe:1")))

    def variable_rate(self):
        """Frames at uneven times."""
        return self._made(
            "variable.mkv",
            *_generated(f"{PICTURE}:duration=3,select='not(mod(n\\,5))+gt(random(1)\\,0.5)'", f"{TONE}:duration=3"),
            *("-fps_mode", "vfr", *_h264(), "-c:a", "aac"),
        )

    def paused(self):
        """A picture that stands still for two seconds, as a screen recording does."""
        return self._made(
            "paused.mkv",
            *("-f", "lavfi", "-i", f"{PICTURE}:duration=4,select='not(between(t\\,0.9\\,2.9))'"),
            *("-fps_mode", "vfr", *_h264()),
        )

    def eight_mono(self):
        """Eight tracks of mono sound, as cameras write them."""
        tones = [word for n in range(8) for word in ("-f", "lavfi", "-i", f"sine=frequency={300 + 100 * n}:duration=2")]
        maps = [word for n in range(8) for word in ("-map", f"{n + 1}:a")]
        return self._made(
            "eight-mono.mov",
            *("-f", "lavfi", "-i", f"{PICTURE}:duration=2", *tones, "-map", "0:v", *maps),
            *(*_h264(), "-c:a", "pcm_s16le"),
        )

    def languages(self):
        """A picture with sound in English, Dutch and an unnamed language: 400, 600 and 800 Hz."""
        tones = [word for n in (2, 3, 4) for word in ("-f", "lavfi", "-i", f"sine=frequency={200 * n}:duration=2")]
        return self._made(
            "languages.mkv",
            *("-f", "lavfi", "-i", f"{PICTURE}:duration=2", *tones, "-map", 0, "-map", 1, "-map", 2, "-map", 3),
            *(*_h264(), "-c:a", "ac3", "-b:a", "96k"),
            *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=dut"),
        )

    def loud(self, name, gain, *, seconds=8, peaks=""):
        """Sound whose level rises and falls, so many dB from a quiet one; `peaks` is a filter that adds some."""
        tone = f"aevalsrc=0.05*sin(2*PI*500*t)*(1.2+sin(2*PI*t/4)):s=48000:d={seconds},volume={gain}dB{peaks}"
        return self._made(f"{name}.flac", "-f", "lavfi", "-i", tone, "-c:a", "flac")

    def surround(self, container="mp4", codec="aac", layout="5.1"):
        """Six channels."""
        channels = "|".join(["sin(880*PI*t)/4"] * 6)
        return self._made(
            f"surround-{codec}.{container}",
            *("-f", "lavfi", "-i", f"{PICTURE}:duration=2"),
            *("-f", "lavfi", "-i", f"aevalsrc={channels}:c={layout}:s=48000:d=2", *_h264(), "-c:a", codec),
        )

    def silent(self):
        """A picture without sound."""
        return self._made("silent.mp4", "-f", "lavfi", "-i", f"{PICTURE}:duration=2", *_h264())

    def sound_only(self):
        """Sound without a picture."""
        return self._made("sound-only.m4a", "-f", "lavfi", "-i", f"{TONE}:duration=2", "-c:a", "aac")

    def portrait(self, degrees=90):
        """A clip as a phone held upright writes it: a lying picture and a rotation."""
        return self._made(f"portrait-{degrees}.mp4", "-display_rotation", degrees, "-i", self.plain(), "-c", "copy")

    def anamorphic(self):
        """Pixels that are wider than high: 160x120 shown as 4:3 times 4:3."""
        return self._made(
            "anamorphic.mp4",
            "-f",
            "lavfi",
            "-i",
            f"{PICTURE}:duration=1,setsar=4/3",
            *_h264(),
            "-movflags",
            "+faststart",
        )

    def covered(self):
        """A clip with a cover picture attached, before the real picture."""
        cover = self._made("cover.png", "-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1")
        return self._made(
            "covered.mp4",
            *("-i", cover, "-i", self.plain(), "-map", 0, "-map", 1, "-c", "copy", "-disposition:v:0", "attached_pic"),
        )

    def timecode(self):
        """A clip with a timecode track."""
        return self._made("timecode.mov", "-i", self.plain(), "-c", "copy", "-timecode", "01:00:00:00")

    def hdr(self, transfer="smpte2084"):
        """A ten-bit picture that says it is HDR."""
        tags = f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc"
        return self._made(
            f"hdr-{transfer}.mkv",
            *("-f", "lavfi", "-i", f"{PICTURE}:duration=1,format=yuv420p10le,{tags}"),
            *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"),
        )

    def mastered(self):
        """HDR10 that says on which display it was made and how bright it gets."""
        tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
        display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
        return self._made(
            "mastered.mkv",
            *("-f", "lavfi", "-i", f"{PICTURE}:duration=1,format=yuv420p10le,{tags}", "-c:v", "libx265"),
            *("-preset", "ultrafast", "-x265-params", f"log-level=none:master-display={display}:max-cll=1000,400"),
        )

    def interlaced(self):
        """Fields of 50 Hz, the upper one first, as television has them."""
        return self._made(
            "interlaced.mkv",
            *_generated(
                "testsrc2=size=160x120:rate=50:duration=2,interlace=scan=tff:lowpass=off", f"{TONE}:duration=2"
            ),
            *("-c:v", "libx264", "-flags", "+ilme+ildct", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
        )

    def tagged(self):
        """A picture that says what its colours mean (bt709)."""
        tags = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=limited"
        return self._made("tagged.mp4", "-f", "lavfi", "-i", f"{PICTURE}:duration=1,{tags}", *_h264())

    def full_range(self):
        """Motion JPEG, whose brightness uses all values."""
        return self._made(
            "full-range.avi", "-f", "lavfi", "-i", f"{PICTURE}:duration=1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"
        )

    def with_holes_in_sound(self):
        """Sound that is missing for a second in the middle."""
        return self._made(
            "sound-hole.mkv",
            *("-i", self.plain("plain4.mkv", seconds=4)),
            *("-filter_complex", "[0:a]aselect='not(between(t,1.5,2.5))'[a]", "-map", "0:v", "-map", "[a]"),
            *("-c:v", "copy", "-c:a", "flac"),
        )

    def playlist(self):
        """A playlist that calls itself a clip and points to one."""
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{self.plain()}\n#EXT-X-ENDLIST\n"
        return self._bytes("playlist.mp4", text.encode())

    def _flipped(self, name, whole, count):
        data = bytearray(whole.read_bytes())
        dice = random.Random(7)
        for _ in range(count):
            data[dice.randrange(len(data) // 5, len(data) * 4 // 5)] ^= 0xFF
        return self._bytes(name, bytes(data))

    def _made(self, name, *arguments):
        return self._kept(name, arguments, lambda path: ffmpeg(*arguments, f"file:{path}"))

    def _bytes(self, name, content):
        return self._kept(name, content, lambda path: path.write_bytes(content))

    def _kept(self, name, recipe, make):
        """The clip of a recipe; nobody else makes it meanwhile, and a half one has never its name."""
        folder = self.folder / hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]
        path, half = folder / name, folder / f"half-{name}"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder / "lock"):
                if not path.exists():
                    make(half)
                    half.rename(path)
        return path


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _generated(picture, sound):
    return ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]


def _h264():
    return ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
