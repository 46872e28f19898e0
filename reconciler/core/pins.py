"""Values that were found once, when an output was made, and hold from then on: the crf for a quality, black bars.

They stand in the record of an output, by the names of their fields, so that it is made the same way again however
the encoder or the search may have changed since. Only another picture, or another source, is searched anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.core.manifest import Canonical, Manifest, difference
from reconciler.core.packages import singles
from reconciler.core.parameters import Crop, Parameters, Variant, Video

if TYPE_CHECKING:
    from reconciler.core.state import Record

Pins = Mapping[str, Canonical]

_EDGES = ("top", "bottom", "left", "right")


def kept(record: Record | None, manifest: Manifest) -> Pins:
    """What a record has pinned, as far as it holds for an output that is to be so now."""
    if record is None or not record.pins:
        return {}
    changed = [each.field for each in difference(record.manifest, manifest)]
    return {} if any(_is_of_picture(field) for field in changed) else record.pins


def resolved(parameters: Parameters, pins: Pins) -> Parameters:
    """The same parameters with the values that are pinned in the places of the wishes they came from."""
    if parameters.variants:
        variants: dict[str, Variant | None] = {}
        for name, variant in parameters.variants.items():
            video = None if variant is None else _resolved(variant.video, pins, prefix(name))
            variants[name] = None if variant is None else variant.model_copy(update={"video": video})
        return parameters.model_copy(update={"variants": variants})
    return parameters.model_copy(update={"video": _resolved(parameters.video, pins, prefix(""))})


def unresolved(parameters: Parameters, pins: Pins) -> dict[str, Video]:
    """The pictures whose quality nobody has searched for yet, by the beginning of their fields' names."""
    found = {prefix(name): single.video for name, single in singles(parameters).items()}
    return {
        name: video
        for name, video in found.items()
        if video is not None and video.quality is not None and f"{name}crf" not in pins
    }


def uncropped(parameters: Parameters, pins: Pins) -> list[str]:
    """The pictures whose black bars nobody has looked for yet, by the beginning of their fields' names."""
    found = {prefix(name): single.video for name, single in singles(parameters).items()}
    return [
        name for name, video in found.items() if video is not None and video.autocrop and f"{name}crop.top" not in pins
    ]


def crop_pins(begin: str, crop: Crop) -> Pins:
    """The fields that pin a crop, all edges of it."""
    return {f"{begin}crop.{edge}": getattr(crop, edge) or 0 for edge in _EDGES}


def prefix(variant: str) -> str:
    """How the names of a picture's fields begin: of a variant, or of the output itself."""
    return f"variants.{variant}.video." if variant else "video."


def _resolved(video: Video | None, pins: Pins, begin: str) -> Video | None:
    crf = pins.get(f"{begin}crf")
    if video is not None and video.autocrop and f"{begin}crop.top" in pins:
        edges = {edge: int(pins.get(f"{begin}crop.{edge}", 0)) for edge in _EDGES}
        video = video.model_copy(update={"autocrop": None, "crop": Crop(**edges) if any(edges.values()) else None})
    if video is None or video.quality is None or crf is None:
        return video
    return video.model_copy(update={"quality": None, "crf": crf})


def _is_of_picture(field: str) -> bool:
    return field.startswith(("source", "video.", "subtitles.")) or ".video." in field
