"""Images and subtitles that become part of pictures: where they lie while a job runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.core import side_files
from reconciler.core.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Inserts:
    """Local files by what the spec calls them: `images` by path, `texts`, which are ASS, by what is burnt in.

    What is in neither lies where the spec says, which goes for commands that are only shown. `dimmed` are the texts for
    pictures that stay HDR. `fonts` is a folder of fonts that came with the source.
    """

    images: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    dimmed: Mapping[str, str] = field(default_factory=dict)
    fonts: str | None = None

    def image(self, path: str) -> str:
        """Where an image lies."""
        return self.images.get(path, path)

    def text(self, wish: str, *, hdr: bool) -> str | None:
        """Where a text lies that is ready to be drawn on a picture; None if none is."""
        return self.dimmed.get(wish) if hdr else self.texts.get(wish)


AS_WRITTEN = Inserts()


def needed(wanted: Parameters) -> bool:
    """Whether an output has images or subtitles in its pictures."""
    burnt_in = wanted.subtitles is not None and wanted.subtitles.burn_in is not None
    return burnt_in or next(side_files.named(wanted), None) is not None
