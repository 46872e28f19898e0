"""Packages: outputs that are a folder of segments and playlists, with one address and any number of variants.

In a spec a variant says what it has different from the output's own `video` and `audio`; once resolved, each says
all of itself. A package without `variants` has one, which is the output's own picture and sound.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.extends import SECTIONS, merge
from reconciler.core.names import normal
from reconciler.core.nodes import Entry, MapNode, ScalarNode
from reconciler.core.parameters import Parameters, Variant

KINDS = ("hls", "dash", "cmaf")

# What the one variant of a package without `variants` is called, and its folder.
ALONE = "main"

# Sound that several variants share has a folder of its own, so no variant may be called so.
SOUND = "audio"

# The list of the pictures in a folder of stills.
STILLS_LIST = "stills.vtt"

# What opens a package of HLS, and one of DASH.
MASTER = "master.m3u8"
MANIFEST = "manifest.mpd"

# The files that open a folder of any kind.
OPENERS = (MASTER, MANIFEST, STILLS_LIST)

_SECONDS = 6


def is_package(parameters: Parameters) -> bool:
    """Whether an output is a folder of segments and playlists, not one file."""
    return parameters.container in KINDS


def is_series(parameters: Parameters) -> bool:
    """Whether an output is a folder of stills."""
    return parameters.stills is not None and parameters.stills.every is not None


def is_folder(parameters: Parameters) -> bool:
    """Whether an output is a folder: a package, or stills at intervals."""
    return is_package(parameters) or is_series(parameters)


def entry(parameters: Parameters) -> str:
    """The file that opens a folder; empty for what is a file itself."""
    if is_series(parameters):
        return STILLS_LIST
    if not is_package(parameters):
        return ""
    return MASTER if has_hls(parameters) else MANIFEST


def has_hls(parameters: Parameters) -> bool:
    """Whether a package has playlists of HLS."""
    return parameters.container in {"hls", "cmaf"}


def has_dash(parameters: Parameters) -> bool:
    """Whether a package has a manifest of DASH."""
    return parameters.container in {"dash", "cmaf"}


def variants_of(parameters: Parameters) -> Mapping[str, Variant]:
    """The variants of a package by name, each of them complete."""
    if parameters.variants:
        return {name: variant for name, variant in parameters.variants.items() if variant is not None}
    return {ALONE: Variant(video=parameters.video, audio=parameters.audio)}


def singles(parameters: Parameters) -> Mapping[str, Parameters]:
    """What is encoded for an output, by name: the variants of a package, or the output itself under no name."""
    if not parameters.variants:
        return {"": parameters}
    return {
        name: parameters.model_copy(update={"variants": None, "video": variant.video, "audio": variant.audio})
        for name, variant in variants_of(parameters).items()
    }


def segment_type(parameters: Parameters) -> str:
    """`fmp4` or `ts`."""
    segment = parameters.segment
    return "fmp4" if segment is None or segment.type is None else segment.type


def segment_seconds(parameters: Parameters) -> int | float:
    """How long a segment is, but for the last."""
    segment = parameters.segment
    return _SECONDS if segment is None or segment.duration is None else segment.duration


def expanded(node: MapNode) -> MapNode:
    """What a spec says of a package, with variants that say all of themselves; anything else as it is."""
    container, variants = node.get("container"), node.get("variants")
    if not isinstance(container, ScalarNode) or container.value not in KINDS:
        return node
    if not isinstance(variants, MapNode) or not variants.items:
        return node
    own = MapNode({key: node.items[key] for key in SECTIONS if key in node.items}, node.place)
    full = {
        normal(name): Entry(entry.key, merge(own, entry.node)) if isinstance(entry.node, MapNode) else entry
        for name, entry in variants.items.items()
    }
    rest = {key: entry for key, entry in node.items.items() if key not in {*SECTIONS, "variants"}}
    only = full[ALONE].node if full.keys() == {ALONE} else None
    if isinstance(only, MapNode) and only.items.keys() <= set(SECTIONS):
        return MapNode({**rest, **only.items}, node.place)
    return MapNode({**rest, "variants": Entry(node.items["variants"].key, MapNode(full, variants.place))}, node.place)
