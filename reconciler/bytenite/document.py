"""The encoding document, ours to ByteNite: one entry of `data.outputs` from an output's parameters.

What the document has no word for is refused (`refusals`) instead of being left out: a job that is paid makes what
was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.bytenite.refusals import parameter_refusals, refusals, source_refusals
from reconciler.bytenite.vocabulary import (
    CHANNELS,
    COLOURS,
    HEIGHTS,
    RATES,
    ROTATIONS,
    SETTINGS,
    frame_rate_text,
    rate_mode,
    sample_rate_text,
)
from reconciler.core.codecs import DEFAULT_ENCODERS
from reconciler.core.parameters import Audio, Crop, Pad, Parameters, Video
from reconciler.core.provider_types import Refusal
from reconciler.core.units import bitrate_text

__all__ = [
    "Refusal", "encoding_document", "output_object", "parameter_refusals", "refusals", "source_refusals",
]  # fmt: skip

OUTPUT_TEMPLATE = "{{.name}}"


def output_object(name: str, parameters: Parameters) -> dict[str, object]:
    """One entry of `data.outputs`, in ByteNite's spellings; only for parameters without `refusals`."""
    sections: dict[str, object] = {}
    if parameters.video is not None:
        sections["aspect"] = _aspect(parameters.video)
    if parameters.audio is not None:
        sections["audio"] = _audio(parameters.audio)
    if parameters.video is not None:
        sections["video"] = _video(parameters.video)
    return {"name": name, "output_type": parameters.container or "", "output_params": sections}


def encoding_document(
    outputs: Sequence[Mapping[str, object]], template: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The whole document for these outputs, which are named after themselves.

    With `template` (a document of a user's, bare or under `app`) everything but its outputs is as it was.
    """
    if template is not None:
        return _with_outputs(template, outputs)
    data = {"output_template": OUTPUT_TEMPLATE, "output_code_template": "", "outputs": [dict(one) for one in outputs]}
    return {"data": data, "preset": "unpackaged"}


def _with_outputs(document: Mapping[str, object], outputs: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """A document with other outputs; what else it holds is untouched."""
    inner = document.get("app")
    if "data" not in document and isinstance(inner, Mapping):
        return {**document, "app": _with_outputs(inner, outputs)}
    data = document.get("data")
    kept = dict(data) if isinstance(data, Mapping) else {}
    return {**document, "data": {**kept, "outputs": [dict(one) for one in outputs]}}


def _aspect(video: Video) -> dict[str, object]:
    crop, pad = video.crop or Crop(), video.pad or Pad()
    return {
        "cropping": {edge: getattr(crop, edge) or 0 for edge in ("bottom", "left", "right", "top")},
        "orientation": {"flip": video.flip or "", "rotation": ROTATIONS[video.rotate or 0]},
        "padding": {"fill_color": _colour(pad), "final_aspect_ratio": pad.aspect or ""},
        "resolution": _resolution(video),
    }


def _colour(pad: Pad) -> str:
    colour = pad.color or "black"
    return COLOURS.get(colour, colour)


def _resolution(video: Video) -> dict[str, object]:
    """Without a height the source's is kept: a guess, after the other empty texts that mean "as it is"."""
    height = video.height
    sized: dict[str, object] = {"height": HEIGHTS.get(height, "custom") if height is not None else ""}
    if height is not None and height not in HEIGHTS:
        sized["custom_height"] = height
    return {"aspect_ratio": "", "avoid_upscaling": video.avoid_upscaling is not False, **sized}


def _audio(audio: Audio) -> dict[str, object]:
    said = {
        "audio_bitrate": None if audio.bitrate is None else bitrate_text(audio.bitrate),
        "audio_channel": None if audio.channels is None else CHANNELS.get(audio.channels, str(audio.channels)),
        "audio_codec": None if audio.codec is None else audio.codec.upper(),
        "audio_sample_rate": None if audio.sample_rate is None else sample_rate_text(audio.sample_rate),
    }
    return {name: value for name, value in said.items() if value is not None}


def _video(video: Video) -> dict[str, object]:
    encoder = video.encoder or DEFAULT_ENCODERS.get(str(video.codec), str(video.codec))
    return {
        "bitrate": _bitrate(video),
        "codec": encoder,
        "codec_params": _settings(video, encoder),
        # The source's own rate is "", and "avoid" is the one up_mode that was seen.
        "frame_rate": {"fps": _fps(video), "up_mode": "avoid"},
    }


def _fps(video: Video) -> str:
    return frame_rate_text(video.fps) if isinstance(video.fps, str) else ""


def _bitrate(video: Video) -> dict[str, object]:
    mode = rate_mode(video)
    said: dict[str, object] = {}
    for name, field in RATES[mode].items():
        value = getattr(video, field)
        if value is not None:
            said[name] = value if field == "crf" else bitrate_text(value)
    return {**said, "rate_control_mode": mode}


def _settings(video: Video, encoder: str) -> dict[str, object]:
    if encoder == "libvpx-vp9":
        return {} if video.preset is None else {"cpu_used": int(video.preset)}
    return {name: getattr(video, field) or "" for name, field in SETTINGS.get(encoder, {}).items()}
