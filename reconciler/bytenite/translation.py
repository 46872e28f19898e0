"""One output of a ByteNite document in our words: what is read is taken from the leaves, all else stays there."""

from __future__ import annotations

import re

from pydantic import ValidationError

from reconciler.bytenite.leaves import Leaves
from reconciler.bytenite.vocabulary import COLOUR_NAMES, READ_CHANNELS, READ_RATES
from reconciler.core.codecs import CONTAINERS, DEFAULT_ENCODERS, ENCODERS
from reconciler.core.parameters import Audio, Crop, Pad, Video
from reconciler.core.rate_rules import rate_control
from reconciler.core.strict import Strict

Extra = str | int | float | bool

# Kinds of files that both of us make; stills, subtitles and files of sound alone stay in the document's own words.
_CONTAINERS = frozenset({name for name, facts in CONTAINERS.items() if facts.video} | {"m4a"})
# What ByteNite may mean by a codec of sound as we do; anything else stays in its own words.
_SOUNDS = ("aac", "opus")
_BOUNDS = ("min_bitrate", "max_bitrate", "buffer_size")
_EDGES = ("top", "bottom", "left", "right")
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?")
_NO_BITS = re.compile(r"0+(\.0+)?\s*[kKmM]?")
_HEIGHT = re.compile(r"(\d{1,5})p?")
# The encoders whose one speed is called cpu_used.
_BY_CPU_USED = frozenset({"libvpx-vp9", "libaom-av1"})


def translated(leaves: Leaves) -> dict[str, object]:
    """What a spec would say under an output; takes from `leaves` what it could read.

    Bounds that the encoder would take and ignore change no bits, so they are read and not said: many documents
    hold some (`min_bitrate` beside libx264), and a spec of ours may not.
    """
    said: dict[str, object] = {}
    container = leaves.get("output_type")
    if isinstance(container, str) and container in _CONTAINERS:
        said["container"] = leaves.take("output_type")
    video, audio = _video(leaves), _audio(leaves)
    said |= {"video": video} if video else {}
    said |= {"audio": audio} if audio else {}
    return said


def _valid(model: type[Strict], field: str, value: object) -> object:
    """The canonical value of a field of ours; None for what it cannot be."""
    try:
        return getattr(model.model_validate({field: value}), field)
    except ValidationError:
        return None


class _Reader:
    """Reads the fields of one section into those of one of our models."""

    def __init__(self, leaves: Leaves, model: type[Strict], *at: str) -> None:
        self._leaves = leaves
        self._model = model
        self._at = ("output_params", *at)
        self.said: dict[str, object] = {}

    def value(self, name: str) -> object:
        return self._leaves.get(*self._at, name)

    def drop(self, name: str) -> None:
        self._leaves.take(*self._at, name)

    def read(self, name: str, field: str, value: object) -> None:
        """Say `field` as `value` reads in our terms, if it does, and take the document's `name` for it."""
        known = None if value is None else _valid(self._model, field, value)
        if known is not None:
            self.said[field] = known
            self.drop(name)


def _number(value: object) -> object:
    """A number, also where it was written as text."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value


def _audio(leaves: Leaves) -> dict[str, object]:
    reader = _Reader(leaves, Audio, "audio")
    codec = reader.value("audio_codec")
    if isinstance(codec, str) and codec.lower() in _SOUNDS:
        reader.read("audio_codec", "codec", codec.lower())
    reader.read("audio_bitrate", "bitrate", reader.value("audio_bitrate"))
    channels = reader.value("audio_channel")
    reader.read("audio_channel", "channels", READ_CHANNELS.get(str(channels), _number(channels)))
    rate = reader.value("audio_sample_rate")
    reader.read("audio_sample_rate", "sample_rate", rate)
    return reader.said


def _video(leaves: Leaves) -> dict[str, object]:
    said = {**_codec(leaves), **_rates(leaves), **_size(leaves), **_turned(leaves), **_frame_rate(leaves)}
    crop, pad = _crop(leaves), _pad(leaves)
    said |= {"crop": crop} if crop else {}
    said |= {"pad": pad} if pad else {}
    return heeded(said)


def heeded(video: dict[str, object]) -> dict[str, object]:
    """`video` without the bounds that its encoder would take and ignore."""
    asked = Video.model_validate(video)
    control = rate_control(asked)
    if control is None or asked.codec is None:
        return video
    facts = ENCODERS[asked.encoder or DEFAULT_ENCODERS[asked.codec]]
    idle = {bound for bound in _BOUNDS if bound not in facts.acts[control]}
    pair = {"max_bitrate", "buffer_size"}
    if facts.buffered and control != "cbr" and not pair <= video.keys() - idle:
        idle |= pair  # neither says anything without the other
    return {field: value for field, value in video.items() if field not in idle}


def _codec(leaves: Leaves) -> dict[str, object]:
    """The encoder is what the document calls a codec; its settings are read only if it is one of ours."""
    encoder = leaves.get("output_params", "video", "codec")
    if not isinstance(encoder, str) or encoder not in ENCODERS:
        return {}
    leaves.take("output_params", "video", "codec")
    codec = ENCODERS[encoder].codec
    settings = _Reader(leaves, Video, "video", "codec_params")
    speed = "cpu_used" if encoder in _BY_CPU_USED else "preset"
    settings.read(speed, "preset", settings.value(speed))
    for field in ("tune", "profile", "level"):
        settings.read(field, field, settings.value(field))
    other = {"encoder": encoder} if DEFAULT_ENCODERS[codec] != encoder else {}
    return {"codec": codec, **other, **settings.said}


def _rates(leaves: Leaves) -> dict[str, object]:
    reader = _Reader(leaves, Video, "video", "bitrate")
    mode = reader.value("rate_control_mode")
    fields = next((fields for known, fields in READ_RATES.items() if known == mode), None)
    if fields is None:
        return {}
    reader.drop("rate_control_mode")
    for name, field in fields.items():
        value = reader.value(name)
        if field == "crf":
            reader.read(name, field, _number(value))
        elif value is not None and _NO_BITS.fullmatch(str(value)):
            reader.drop(name)
        else:
            reader.read(name, field, value)
    return {**reader.said, **({"mode": "cbr"} if mode == "constant_bitrate" else {})}


def _size(leaves: Leaves) -> dict[str, object]:
    reader = _Reader(leaves, Video, "aspect", "resolution")
    height = reader.value("height")
    if height == "custom":
        reader.read("height", "height", _number(reader.value("custom_height")))
        if reader.value("height") is None:
            reader.drop("custom_height")
    elif height is not None:
        digits = _HEIGHT.fullmatch(str(height))
        reader.read("height", "height", int(digits[1]) if digits else None)
    if height != "custom" and reader.value("custom_height") == 0:
        reader.drop("custom_height")
    upscaling = reader.value("avoid_upscaling")
    if upscaling is True or (upscaling is False and height is None):
        reader.drop("avoid_upscaling")  # our neutral value; and without a height nothing is scaled
    else:
        reader.read("avoid_upscaling", "avoid_upscaling", upscaling)
    return reader.said


def _turned(leaves: Leaves) -> dict[str, object]:
    reader = _Reader(leaves, Video, "aspect", "orientation")
    reader.read("rotation", "rotate", _number(reader.value("rotation")))
    reader.read("flip", "flip", reader.value("flip"))
    return reader.said


def _frame_rate(leaves: Leaves) -> dict[str, object]:
    reader = _Reader(leaves, Video, "video", "frame_rate")
    fps = reader.value("fps")
    reader.read("fps", "fps", fps if isinstance(fps, str | int | float) else None)
    if reader.value("up_mode") == "avoid":
        reader.drop("up_mode")  # the one value that was ever seen
    return reader.said


def _crop(leaves: Leaves) -> dict[str, object]:
    reader = _Reader(leaves, Crop, "aspect", "cropping")
    for edge in _EDGES:
        pixels = _number(reader.value(edge))
        if pixels == 0 and not isinstance(pixels, bool):
            reader.drop(edge)
        else:
            reader.read(edge, edge, pixels)
    return reader.said


def _pad(leaves: Leaves) -> dict[str, object]:
    reader = _Reader(leaves, Pad, "aspect", "padding")
    shape = reader.value("final_aspect_ratio")
    if shape is None:
        reader.drop("fill_color")  # without bars there is nothing to fill
        return {}
    reader.read("final_aspect_ratio", "aspect", shape)
    colour = reader.value("fill_color")
    if isinstance(colour, str):
        reader.read("fill_color", "color", COLOUR_NAMES.get(colour.lower(), colour))
    return reader.said
