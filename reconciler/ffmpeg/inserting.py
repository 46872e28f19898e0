"""Makes ready what becomes part of pictures: images and subtitles are copied, looked at, and turned into what ffmpeg
draws. What was planned is what is used: a copy has the digest of the plan, whatever happens to the file meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import av

from reconciler.core import side_files
from reconciler.core.encode import Output
from reconciler.core.errors import RejectedError
from reconciler.core.subtitle_fields import is_file
from reconciler.ffmpeg import burn_in
from reconciler.ffmpeg.brightness import dimmed
from reconciler.ffmpeg.complaints import Complaints
from reconciler.ffmpeg.facts import MediaFacts, video_track
from reconciler.ffmpeg.formats import IMAGES, PROTOCOL_WHITELIST, input_arguments, text_arguments
from reconciler.ffmpeg.inserts import Inserts
from reconciler.ffmpeg.loudness import Report
from reconciler.ffmpeg.media import open_media
from reconciler.ffmpeg.process import Ended
from reconciler.ffmpeg.subtitles import number

Run = Callable[[Sequence[str], Path, Complaints], Ended]

_FONTS = "font", "opentype", "truetype"
_LARGEST_IMAGE = 8192 * 8192  # pixels
_MANY = 20  # letters that are named
_NO_FONT = "install fonts, such as the Debian packages fonts-dejavu-core and fonts-noto-cjk"
# Texts with these first bytes are read by ffmpeg as UTF-16.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Inserting:
    """The work of one job in a `folder` of its own; `path` is its source, `run` is told the file it works for."""

    project: Path
    folder: Path
    path: str
    facts: MediaFacts
    run: Run
    say: Callable[[str], None]
    _images: dict[str, str] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _dimmed: dict[str, str] = field(default_factory=dict)
    _wrong: dict[str, str] = field(default_factory=dict)

    def gathered(self, outputs: Iterable[Output]) -> tuple[Inserts, dict[str, str]]:
        """All that these outputs need, and why some of them cannot have it, by their names. Raises OSError."""
        refused: dict[str, str] = {}
        for output in outputs:
            try:
                self._of(output)
            except RejectedError as error:
                refused[output.name] = str(error)
        fonts = self.folder / "fonts"
        ready = str(fonts) if fonts.is_dir() else None
        return Inserts(self._images, self._texts, self._dimmed, ready), refused

    def _of(self, output: Output) -> None:
        wish = burn_in.asked(output.parameters)
        for name, path in side_files.named(output.parameters):
            if path != wish and path not in self._images:
                self._images[path] = self._image(path, output.manifest.get(name))
        if wish is None or wish in self._texts or not burn_in.is_text(wish, self.facts):
            return
        if wish not in self._wrong:
            try:
                self._texts[wish] = self._text(wish, output.manifest.get("subtitles.burn_in"))
            except RejectedError as error:
                self._wrong[wish] = str(error)
        if wish in self._wrong:
            raise RejectedError(self._wrong[wish])

    def _image(self, path: str, planned: object) -> str:
        file = self.folder / f"image-{len(self._images)}{PurePosixPath(path).suffix.lower()}"
        file.write_bytes(self._content(path, planned))
        options = {"protocol_whitelist": PROTOCOL_WHITELIST, "format_whitelist": IMAGES}
        try:
            with av.open(f"file:{file}", "r", options=options) as container:
                frame = next(container.decode(video=0))
        except (av.FFmpegError, StopIteration, IndexError, ValueError):
            raise RejectedError(f"{path} is no png, jpg or webp image that can be read") from None
        if frame.width * frame.height > _LARGEST_IMAGE:
            raise RejectedError(f"{path} has {frame.width}x{frame.height} pixels: make it smaller")
        return str(file)

    def _text(self, wish: str, planned: object) -> str:
        """Subtitles as ASS, of which something can be seen."""
        file = self.folder / f"text-{len(self._texts)}.ass"
        if is_file(wish):
            copy = self.folder / f"side-{len(self._texts)}{PurePosixPath(wish).suffix.lower()}"
            copy.write_bytes(_decodable(wish, self._content(wish, planned)))
            command, name = burn_in.reading(text_arguments(str(copy)), 0, str(file)), wish
        else:
            track = number(wish, self.facts) or 0
            self._take_fonts()
            command, name = burn_in.reading(input_arguments(self.path), track, str(file)), f"subtitle track {wish}"
        ended = self.run(command, file, Complaints())
        if not ended.succeeded:
            raise RejectedError(f"{name} cannot be read: {ended.reason()}")
        self._look_at_letters(name, file)
        self._dim(wish, file)
        return str(file)

    def _dim(self, wish: str, file: Path) -> None:
        """The same text once more, for pictures that stay HDR."""
        track = video_track(self.facts)
        if track is not None and track.hdr is not None:
            copy = file.with_name(f"dimmed-{file.name}")
            copy.write_text(dimmed(file.read_text(encoding="utf-8", errors="replace"), track.hdr), encoding="utf-8")
            self._dimmed[wish] = str(copy)

    def _look_at_letters(self, name: str, file: Path) -> None:
        """Nothing may be burnt in without a word about it. Raises RejectedError."""
        text = file.read_text(encoding="utf-8", errors="replace")
        used = burn_in.letters(text)
        if not used:
            raise RejectedError(f"{name} holds no subtitles")
        sheet, fonts, report = self.folder / "letters.ass", self.folder / "fonts", Report()
        sheet.write_text(burn_in.sheet(text), encoding="utf-8")
        command = burn_in.looking_for_fonts(str(sheet), str(fonts) if fonts.is_dir() else None, str(file))
        ended = self.run(command, file, report)
        if not ended.succeeded:
            raise RejectedError(f"this ffmpeg cannot draw subtitles: {ended.reason()}")
        lost = burn_in.not_drawn(report.lines, used)
        if lost == used:
            raise RejectedError(f"no font on this machine has a letter of {name}: {_NO_FONT}")
        if lost:
            more = f" and {len(lost) - _MANY} more" if len(lost) > _MANY else ""
            self.say(f"{name}: no font on this machine has {' '.join(lost[:_MANY])}{more}, which come out as boxes")

    def _take_fonts(self) -> None:
        """The fonts that a Matroska file brings along for its subtitles."""
        folder = self.folder / "fonts"
        if folder.is_dir() or "attachment" not in self.facts.others:
            return
        with open_media(self.path) as container:
            fonts = [each for each in container.streams.attachments if _is_font(each.mimetype, each.name)]
            for place, each in enumerate(fonts):
                folder.mkdir(exist_ok=True)
                (folder / f"font-{place}").write_bytes(each.data or b"")

    def _content(self, path: str, planned: object) -> bytes:
        """A file of the project, if it is still the one that was planned with. Raises RejectedError."""
        file = self.project / path
        try:
            if file.stat().st_size > side_files.LARGEST:
                raise RejectedError(f"{path} is too large: the most is {side_files.LARGEST / 1e6:g} MB")
            content = file.read_bytes()
        except OSError as error:
            raise RejectedError(f"{path} cannot be read: {error.strerror}") from None
        if planned is not None and planned != f"sha256:{hashlib.sha256(content).hexdigest()}":
            raise RejectedError(f"{path} is not the file that was planned with: it has changed meanwhile. Plan again.")
        return content


def _decodable(name: str, content: bytes) -> bytes:
    """The same content; cues that are no UTF-8 would be left out of it. Raises RejectedError."""
    try:
        if not content.startswith(_UTF_16):
            content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RejectedError(
            f"{name} has a byte that is no UTF-8 (0x{content[error.start]:02x}): save it as UTF-8"
        ) from None
    return content


def _is_font(kind: str | None, name: str | None) -> bool:
    said = (kind or "").lower()
    return any(word in said for word in _FONTS) or (name or "").lower().endswith((".ttf", ".otf", ".ttc"))
