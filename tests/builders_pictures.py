"""Single pictures out of files, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

from builders_media import ffmpeg
from reconciler.ffmpeg.probe import probe


@dataclass(frozen=True)
class Frame:
    """One picture as red, green and blue."""

    width: int
    height: int
    data: bytes

    def at(self, across, down):
        """The colour at shares of the width and the height."""
        place = 3 * (int(across * (self.width - 1)) + self.width * int(down * (self.height - 1)))
        return tuple(self.data[place : place + 3])

    def rows(self, top, bottom):
        """The bytes between two shares of the height."""
        return self.data[3 * self.width * int(top * self.height) : 3 * self.width * int(bottom * self.height)]


def frames(file, *, size=None):
    """Every picture of a file."""
    width, height = size or _size(file)
    raw = ffmpeg("-i", f"file:{file}", "-map", "0:V:0", "-fps_mode", "passthrough", *_RGB)
    step = 3 * width * height
    return [Frame(width, height, raw[at : at + step]) for at in range(0, len(raw), step)]


def image(folder, name="logo.png", *, colour="red", size="64x32", alpha=None):
    """An image in one colour; `alpha` is an expression of how much it hides, from 0 to 255."""
    folder.mkdir(parents=True, exist_ok=True)
    form = ["format=rgba", f"geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='{alpha}'"] if alpha else ["format=rgb24"]
    graph = ",".join([f"color={colour}:size={size}", *form])
    ffmpeg("-f", "lavfi", "-i", graph, "-frames:v", "1", "-update", "1", f"file:{folder / name}")
    return folder / name


def near(colour, expected, *, by=6):
    """Whether two colours are as good as the same."""
    return all(abs(one - other) <= by for one, other in zip(colour, expected, strict=True))


def _size(file):
    picture = probe(str(file)).video[0]
    return picture.upright[:2]


_RGB = ("-vf", "scale=in_range=auto:flags=neighbor", "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1")
