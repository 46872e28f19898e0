"""The way of a picture from the source to an output, with all that is laid over it and drawn into it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.core.encode import Source
from reconciler.core.parameters import Video
from reconciler.core.watermark_fields import Watermark
from reconciler.ffmpeg import burn_in, geometry, tonemap, trimming, watermark
from reconciler.ffmpeg.facts import MediaFacts, video_track, wanted_span
from reconciler.ffmpeg.graph import Feed, Layer
from reconciler.ffmpeg.inserts import Inserts
from reconciler.ffmpeg.trimming import lead_in


@dataclass(frozen=True, slots=True)
class Original:
    """A source that is read as the input of this `number`, from a local file at `path`."""

    source: Source
    path: str
    facts: MediaFacts | None
    inserts: Inserts
    number: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture becomes: its shape, the image over it, which comes as the stream `image`, its subtitles."""

    video: Video
    mark: Watermark | None
    image: str | None
    burnt_in: str | None

    def feed(self, original: Original, taken: Sequence[str] = (), last: Sequence[str] = ()) -> Feed:
        """`taken` takes single pictures out of the source; what is `last` comes after all else."""
        facts, trim, track = original.facts, original.source.trim, video_track(original.facts)
        hdr = track is not None and track.hdr is not None and not tonemap.is_brought_down(self.video, track)
        drawn = burn_in.drawn(self.burnt_in, trim, original.path, facts, original.inserts, hdr=hdr)
        lead = lead_in(trim, facts)
        cut = trimming.filters("video", trim, lead)
        filters, shape = [*cut, *taken, *geometry.frames(self.video, track)], geometry.shape(self.video, track, drawn)
        layers: list[Layer] = []
        letters = burn_in.layer(self.burnt_in, facts, track, original.number, lead)
        if letters is None:
            filters += shape
        else:
            layers.append(replace(letters, after=(*self._ended(original), *shape)))
        if self.mark is not None and self.image is not None:
            layers.append(watermark.layer(self.mark, self.image, self.video, track))
        if layers:
            layers[-1] = replace(layers[-1], after=(*layers[-1].after, *last))
            last = ()
        return Feed("video", f"{original.number}:V:0", (*filters, *last), layers=tuple(layers))

    def _ended(self, original: Original) -> list[str]:
        """The end of the picture once more: subtitles that come later would make the last picture stay on."""
        facts, trim, track = original.facts, original.source.trim, video_track(original.facts)
        if facts is None or track is None:
            return []
        end = wanted_span(facts, track, trim)[1]
        if trim.end is None or track.end - facts.start < trim.end:
            rate = geometry.output_rate(self.video, track)
            end -= min(track.frame, float(1 / rate) if rate else track.frame) / 2
        return [f"trim=end={end:.6f}"]
