"""What a package cannot mean: segments, variants, and how the variants go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from reconciler.core import packages
from reconciler.core.codecs import CONTAINERS
from reconciler.core.errors import Problem
from reconciler.core.lost import as_far_as_known
from reconciler.core.names import name_error
from reconciler.core.nodes import Entry, MapNode, find, holds_lost
from reconciler.core.parameters import Parameters, Variant, Video
from reconciler.core.sound_fields import ALL
from reconciler.core.written import Written

_VARIANTS = "Write  variants: {1080p: {video: {height: 1080}}, 480p: {video: {height: 480}}}"


def package_problems(parameters: Parameters, written: Written) -> Iterator[Problem]:
    """What is wrong with the package as a whole, or with saying things of packages about a file."""
    if not packages.is_package(parameters):
        yield from _no_package(parameters, written)
        return
    said = written.entry("variants")
    if said is not None and isinstance(said.node, MapNode) and not said.node.items:
        yield written.problem("variants names none", "variants", _VARIANTS)
    if packages.segment_type(parameters) == "ts" and packages.has_dash(parameters):
        message = f"{parameters.container} has no segments of type ts"
        hints = (*written.source_of("container"), "Write  type: fmp4, or  container: hls")
        yield written.problem(message, "segment.type", *hints, value=True)
    variants = packages.variants_of(parameters) if parameters.variants else {}
    yield from _names(variants, written)
    whole = not any(holds_lost(entry.node) for entry in _entries(variants, written).values())
    if whole:
        yield from _alike("video", variants, written)
        yield from _alike("audio", variants, written)


def variants_to_judge(parameters: Parameters, written: Written) -> Iterator[tuple[Parameters, Written]]:
    """Every variant as an output of its own; those of which something is lost are left out, since that was told."""
    if not packages.is_package(parameters):
        return
    singles = packages.singles(parameters)
    for name, entry in _entries(packages.variants_of(parameters), written).items():
        node = entry.node
        if name not in singles or not isinstance(node, MapNode) or holds_lost(node):
            continue
        around = {key: each for key, each in written.node.items.items() if key in {"container", "segment"}}
        place = entry.key or written.place
        yield (
            singles[name],
            Written(MapNode({**around, **node.items}, node.place), f"{written.path}.variants.{name}", place),
        )


def variant_problems(parameters: Parameters, written: Written) -> Iterator[Problem]:
    """What of one variant cannot stand in its package; `parameters` are those of a package with just this one."""
    if not packages.is_package(parameters):
        return
    yield from as_far_as_known(_tracks(parameters, written))
    video = parameters.video
    if video is None or video.codec in {None, "none"}:
        return
    yield from as_far_as_known(_grid(video, packages.segment_seconds(parameters), written))
    if video.encoder == "libaom-av1":
        message = "libaom-av1 cannot begin every segment with a keyframe"
        yield written.problem(message, "video.encoder", "Leave it out: av1 has another encoder.", value=True)
    if packages.segment_type(parameters) == "ts" and video.codec != "h264":
        holds = video.codec in CONTAINERS["hls"].video
        message = f"players take no {video.codec} in segments of type ts"
        if holds:
            main, other = written.later("video.codec", "segment.type")
            hints = (*written.source_of(other), "Write  codec: h264, or  type: fmp4")
            yield written.problem(message, main, *hints, value=True)


def _no_package(parameters: Parameters, written: Written) -> Iterator[Problem]:
    if parameters.container is None:
        return
    for field in ("segment", "variants"):
        if getattr(parameters, field) is not None:
            message = f'"{field}" says nothing for {parameters.container}'
            hints = (*written.source_of("container"), f"It is for {', '.join(packages.KINDS)}: leave it out.")
            yield written.problem(message, field, *hints)


def _entries(variants: Mapping[str, Variant], written: Written) -> dict[str, Entry]:
    found = {name: find(written.node, ("variants", name)) for name in variants}
    return {name: entry for name, entry in found.items() if entry is not None}


def _names(variants: Mapping[str, Variant], written: Written) -> Iterator[Problem]:
    """Names become folders beside that of shared sound."""
    seen: dict[str, str] = {}
    for name, entry in _entries(variants, written).items():
        first = seen.setdefault(name.casefold(), name)
        error = name_error(name)
        if name.casefold() == packages.SOUND or name.casefold().startswith(f"{packages.SOUND}-"):
            error = f'"{packages.SOUND}" is where the sound goes'
        elif first != name:
            error = f'"{first}" differs only by case'
        if error is not None:
            message = f'"{name}" cannot name a variant: {error}'
            hint = "A name is letters, digits and _ . -, such as 720p."
            yield Problem(message, entry.key or written.place, f"{written.path}.variants.{name}", (hint,))


def _alike(section: str, variants: Mapping[str, Variant], written: Written) -> Iterator[Problem]:
    """All variants have a picture, or none has; and so for sound: players change between them at any time."""
    having = [name for name, variant in variants.items() if _has(section, variant)]
    lacking = [name for name in variants if name not in having]
    if having and lacking:
        noun = "picture" if section == "video" else "sound"
        message = f'variant "{lacking[0]}" has no {noun}, and "{having[0]}" has'
        hint = "Players change between variants at any time: give all of them one, or none."
        yield written.problem(message, f"variants.{lacking[0]}", hint)


def _has(section: str, variant: Variant) -> bool:
    said = variant.video if section == "video" else variant.audio
    return said is not None and said.codec != "none"


def _tracks(parameters: Parameters, written: Written) -> Iterator[Problem]:
    """Several tracks of sound are streams apart, which only a package in fragmented MP4 with a picture has."""
    audio, video = parameters.audio, parameters.video
    if audio is None or audio.tracks is None or (audio.tracks != ALL and "," not in audio.tracks):
        return
    if packages.segment_type(parameters) == "ts":
        hints = (*written.source_of("segment.type"), "Name one track, or write  type: fmp4")
        yield written.problem("segments of type ts hold one track of sound", "audio.tracks", *hints)
    elif video is None or video.codec in {None, "none"}:
        message = "a package without a picture holds one track of sound"
        yield written.problem(message, "audio.tracks", "Name one track, or make a package of each.")


def _grid(video: Video, seconds: float, written: Written) -> Iterator[Problem]:
    interval = video.keyframe_interval
    if interval is not None and (Fraction(str(seconds)) / Fraction(str(interval))).denominator != 1:
        message = f"segments of {seconds} s are no whole number of keyframe intervals of {interval} s"
        main, other = written.later("video.keyframe_interval", "segment.duration")
        hints = (*written.source_of(other), "Leave keyframe_interval out for one keyframe a segment, or change either.")
        yield written.problem(message, main, *hints, value=True)
