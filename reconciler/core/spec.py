"""The models of a spec file, and which of their fields change an output's bits.

They say what may stand in a file, for validation and for editors (`schema`). Files are checked piece by piece
(`namespace`, `resolve`), since a piece may hold `${...}` or take over a preset.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, StringConstraints, WithJsonSchema, model_validator

from reconciler.core.checks import ChecksSpec
from reconciler.core.cost import Money, read_money
from reconciler.core.delivery import DeliverSpec, DeliverValue, OnExpiry, OnRemove, Watch
from reconciler.core.parameters import (
    Audio,
    Crop,
    FrameRateLimit,
    Pad,
    Parameters,
    Seconds,
    Segment,
    Truth,
    Variant,
    Video,
)
from reconciler.core.provider_types import ProviderOptions, Secret
from reconciler.core.quality_fields import Quality
from reconciler.core.sound_fields import CopyIf, Loudness
from reconciler.core.still_fields import Stills
from reconciler.core.strict import Strict
from reconciler.core.subtitle_fields import Subtitles
from reconciler.core.watermark_fields import Watermark

Scalar = str | int | float | bool
Labels = dict[str, Scalar | None]
Attempts = Annotated[int, Field(ge=1, le=20, strict=True)]
Text = Annotated[str, StringConstraints(min_length=1, strict=True)]


class Policy(Strict):
    """How outputs are treated; none of it changes their bits."""

    enabled: Truth | None = None
    protect: Truth | None = None
    attempts: Attempts | None = None
    labels: Labels | None = None
    deliver: DeliverValue | None = None
    checks: ChecksSpec | None = None
    on_expiry: OnExpiry | None = None
    on_remove: OnRemove | None = None


class PlacedPolicy(Policy):
    """A policy that also names who runs the jobs."""

    provider: Text | None = None


class TrimSpec(Strict):
    """The part of a source that is encoded."""

    start: Seconds | None = None
    end: Seconds | None = None
    duration: Seconds | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> TrimSpec:
        if self.end is not None and self.duration is not None:
            raise ValueError("a trim has an end or a duration, not both; leave one of them out")
        if self.duration == 0 or (self.end is not None and self.end <= (self.start or 0)):
            raise ValueError("a trim that ends before it starts; start must be less than end")
        return self


class SourceSpec(Strict):
    """A source with more to say than where it is."""

    url: Text | None = None
    path: Text | None = None
    encode: Text | None = None
    id: Annotated[str, StringConstraints(pattern=r"^[^\s:]{1,200}$")] | None = None
    trim: TrimSpec | None = None
    sha256: Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    ignore_query: list[Text] | None = None
    watch: Watch | None = None
    username: Text | None = None
    password: Secret | None = None


class ForEachFile(Strict):
    """A fan-out over the rows of a CSV, JSON or YAML file."""

    file: Text
    key: Text | None = None


class ForEachGlob(Strict):
    """A fan-out over files; the key is a file's name without its ending."""

    glob: Text


class PresetSpec(Parameters):
    """A named, reusable set of output parameters."""

    extends: Text | list[Text] | None = None


class OutputSpec(Policy, PresetSpec):
    """One rendition: parameters of its own, on top of presets."""


class EncodeSpec(PlacedPolicy):
    """One source turned into one or more outputs: those of `outputs`, or of a ByteNite document."""

    source: Text | SourceSpec
    for_each: list[Scalar] | ForEachFile | ForEachGlob | dict[str, dict[str, Any] | None] | None = None
    outputs: list[Text] | dict[str, Text | OutputSpec] | None = None
    template: Text | None = None
    params: dict[str, Any] | None = None


class LimitsSpec(Strict):
    """The most that a plan may do; of all files, and of the command line, the strictest value counts."""

    max_cost: (
        Annotated[
            Money,
            PlainValidator(read_money),
            WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*[A-Z]{3}$", "examples": ["50 USD"]}),
        ]
        | None
    ) = None
    max_jobs: Annotated[int, Field(ge=0, strict=True)] | None = None
    max_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    max_rerun_percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    min_existing: Annotated[int, Field(ge=0, strict=True)] | None = None
    max_failures: Annotated[int, Field(ge=1, strict=True)] | None = None


class Spec(Strict):
    """A spec file. All files of a project are one namespace."""

    version: Literal[1] | None = None
    project: Text | None = None
    providers: dict[str, ProviderOptions] | None = None
    defaults: PlacedPolicy | None = None
    limits: LimitsSpec | None = None
    presets: dict[str, PresetSpec] | None = None
    variables: dict[str, Scalar] | None = None
    encodes: dict[str, EncodeSpec] | None = None


PARAMETER_MODELS = (
    *(Parameters, Video, Audio, Crop, Pad, FrameRateLimit, Segment, Variant),
    *(Loudness, CopyIf, Stills, Quality, Subtitles, Watermark),
)
SPEC_MODELS = (
    *(ProviderOptions, ChecksSpec, DeliverSpec),
    *(Policy, PlacedPolicy, TrimSpec, SourceSpec, ForEachFile, ForEachGlob, PresetSpec, OutputSpec),
    *(EncodeSpec, LimitsSpec, Spec),
)

# Fields whose value is in the manifest: changing one encodes again. A field stands where it is declared.
CHANGES_BITS: Mapping[str, frozenset[str]] = {
    "Parameters": frozenset({"container", "video", "audio", "faststart", "segment", "variants", "stills", "subtitles"}),
    "Video": frozenset(
        {
            *("codec", "encoder", "preset", "tune", "profile", "level", "pixel_format", "keyframe_interval"),
            *("crf", "quality", "bitrate", "min_bitrate", "max_bitrate", "buffer_size", "mode", "passes"),
            *("width", "height", "avoid_upscaling", "crop", "pad", "rotate", "flip", "fps"),
            *("autocrop", "deinterlace", "tonemap", "watermark"),
        }
    ),
    "Audio": frozenset(
        {"codec", "bitrate", "channels", "sample_rate", "track", "tracks", "missing", "loudness", "copy_if"}
    ),
    "Loudness": frozenset({"target", "true_peak", "range"}),
    "CopyIf": frozenset({"codec", "max_bitrate"}),
    "Quality": frozenset({"vmaf"}),
    "Subtitles": frozenset({"track", "burn_in"}),
    "Stills": frozenset({"at", "every", "grid", "width", "height", "watermark"}),
    "Watermark": frozenset({"image", "position", "margin", "width", "opacity", "start", "end"}),
    "Crop": frozenset({"top", "bottom", "left", "right"}),
    "Pad": frozenset({"aspect", "color"}),
    "FrameRateLimit": frozenset({"max"}),
    "Segment": frozenset({"type", "duration"}),
    "Variant": frozenset({"video", "audio"}),
    "TrimSpec": frozenset({"start", "end", "duration"}),
    "SourceSpec": frozenset({"url", "path", "encode", "id", "trim", "ignore_query"}),
    "EncodeSpec": frozenset({"source"}),
}

# Fields that are not in the manifest, and why.
NO_BITS: Mapping[str, Mapping[str, str]] = {
    "ProviderOptions": {
        "type": "who encodes is recorded; a file that is there is not made again by somebody else",
        "parallelism": "how many jobs run at once",
    },
    "Policy": {
        "enabled": "whether anything is done at all",
        "protect": "what must not be done",
        "attempts": "how often it is tried",
        "labels": "words for people; a change is recorded",
        "deliver": "where a finished file is copied to",
        "checks": "what a finished file must meet; failing one changes no bit of it",
        "on_expiry": "what is done when a file was deleted",
        "on_remove": "what is done when an output is declared no longer",
    },
    "ChecksSpec": dict.fromkeys(ChecksSpec.model_fields, "as Policy.checks"),
    "DeliverSpec": dict.fromkeys(DeliverSpec.model_fields, "as Policy.deliver"),
    "PlacedPolicy": {"provider": "as ProviderOptions.type"},
    "SourceSpec": {
        "sha256": "a pin: other content is caught when it is read, and is no change of the spec",
        "watch": "how closely the content is looked at",
        "username": "who asks does not change what is answered",
        "password": "as username",
    },
    "ForEachFile": {
        "file": "names the members; what they fill in is hashed where it lands",
        "key": "as file",
    },
    "ForEachGlob": {"glob": "as ForEachFile.file"},
    "PresetSpec": {"extends": "resolved before hashing"},
    "EncodeSpec": {
        "for_each": "as ForEachFile.file",
        "outputs": "names; what the outputs say is hashed as Parameters",
        "template": "as outputs; what has no name of ours is hashed by its path",
        "params": "as template",
    },
    "LimitsSpec": {
        "max_cost": "forbids plans; makes nothing",
        "max_jobs": "as max_cost",
        "max_minutes": "as max_cost",
        "max_rerun_percent": "as max_cost",
        "min_existing": "as max_cost",
        "max_failures": "when an apply stops",
    },
    "Spec": {
        "version": "says how to read the file",
        "project": "the lineage of the state; part of a job's id",
        "providers": "as ProviderOptions",
        "defaults": "carry only policy",
        "limits": "as LimitsSpec.max_cost",
        "presets": "resolved before hashing",
        "variables": "resolved before hashing",
        "encodes": "names; addresses are not hashed",
    },
}
