"""What ByteNite's encoding document cannot say: refused at `validate`, before anything is sent or paid."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.bytenite.vocabulary import CHANNELS, FLIPS, HEIGHTS, RATES, SETTINGS, rate_mode
from reconciler.core.codecs import DEFAULT_ENCODERS
from reconciler.core.encode import Source
from reconciler.core.manifest import NEUTRAL, parameter_fields
from reconciler.core.parameters import Audio, FrameRateLimit, Parameters, Video
from reconciler.core.provider_types import Refusal

LOCALLY = "Leave it out, or encode this output with a provider of type ffmpeg."


def refusals(parameters: Parameters, source: Source) -> list[Refusal]:
    """Everything of an output of ours that the document cannot say."""
    return [*parameter_refusals(parameters), *source_refusals(source)]


def source_refusals(source: Source) -> list[Refusal]:
    """What of a source ByteNite cannot keep: this goes for outputs of template documents, too."""
    found = []
    if source.kind == "lavfi":
        hint = "Write a URL or a file, or encode it with a provider of type ffmpeg."
        found.append(Refusal("source", "ByteNite has no generated test pictures (lavfi:)", hint))
    trim = {"source.trim.start": source.trim.start or None, "source.trim.end": source.trim.end}
    for field, value in trim.items():
        if value is not None:
            hint = "Trim it with an encode of its own (provider of type ffmpeg), or leave trim out."
            found.append(Refusal(field, "ByteNite always encodes the whole source", hint))
    return found


def parameter_refusals(parameters: Parameters) -> list[Refusal]:
    """What of an output's parameters the document cannot say."""
    found = [*_container(parameters), *_package(parameters)]
    if parameters.video is not None:
        found += [*_video(parameters.video), *_picture(parameters.video)]
    if parameters.audio is not None:
        found += _audio(parameters.audio)
    return found


def _container(parameters: Parameters) -> Iterator[Refusal]:
    if parameters.container not in {None, "mp4", "hls"}:
        message = f"ByteNite makes no {parameters.container}"
        hint = "Write  container: mp4  or  hls, or encode it with a provider of type ffmpeg."
        yield Refusal("container", message, hint)
    if parameters.faststart is False:
        yield Refusal("faststart", "ByteNite cannot be told where an mp4's index stands", LOCALLY)


def _package(parameters: Parameters) -> Iterator[Refusal]:
    """The document's outputs are one rendition each, and it has no word for how they are cut into segments."""
    if parameters.variants:
        hint = "Make each variant an output of its own, or encode this one with a provider of type ffmpeg."
        yield Refusal("variants", "ByteNite packages one rendition at a time, without variants", hint)
    for field, value in parameter_fields(parameters).items():
        if field.startswith(("segment.", "stills.", "subtitles.", "video.watermark.")):
            message = f'ByteNite\'s document has no word for "{field}"'
            yield Refusal(field, f"{message} ({value})", LOCALLY)


def _video(video: Video) -> Iterator[Refusal]:
    encoder = DEFAULT_ENCODERS.get(str(video.codec))
    if video.codec == "none":
        message = "ByteNite makes no output without a picture"
        yield Refusal("video.codec", message, "Encode it with a provider of type ffmpeg.")
        return
    if encoder is not None and encoder not in SETTINGS:
        message = f"ByteNite was never seen to encode {video.codec}"
        yield Refusal("video.codec", message, "Write  codec: h264, hevc or vp9, or use a provider of type ffmpeg.")
    if video.encoder not in {None, encoder}:
        yield Refusal("video.encoder", f"ByteNite chooses the encoder, and it is not {video.encoder}", LOCALLY)
    yield from _settings(video, encoder)
    yield from _rates(video)
    if video.quality is not None:
        message = "ByteNite cannot be asked for a VMAF"
        yield Refusal("video.quality.vmaf", message, "Write  crf: 23, or encode it with a provider of type ffmpeg.")
    for field in ("pixel_format", "keyframe_interval", "deinterlace", "tonemap", "passes", "autocrop"):
        value = getattr(video, field)
        if value is not None and value != NEUTRAL.get(f"video.{field}"):
            yield Refusal(f"video.{field}", f'ByteNite\'s document has no word for "{field}"', LOCALLY)


def _settings(video: Video, encoder: str | None) -> Iterator[Refusal]:
    known = SETTINGS.get(encoder or "", {})
    for field in ("preset", "tune", "profile", "level"):
        value = getattr(video, field)
        if value is not None and field not in known.values():
            yield Refusal(f"video.{field}", f'ByteNite\'s {encoder or "encoder"} has no "{field}"', LOCALLY)
        elif value is not None and "cpu_used" in known and not value.isdecimal():
            hint = "Write a whole number, the encoder's -cpu-used."
            yield Refusal(f"video.{field}", f'"{value}" is no speed of {encoder}', hint)


def _rates(video: Video) -> Iterator[Refusal]:
    """The bounds that a rate control mode was never seen with; a quality is a whole number."""
    if video.crf is not None and video.crf != int(video.crf):
        hint = f"Write  crf: {int(video.crf)}  or  crf: {int(video.crf) + 1}"
        yield Refusal("video.crf", f"ByteNite takes whole numbers only, not crf: {video.crf}", hint)
    mode = rate_mode(video)
    beside = {"constant_quality": "crf", "constant_bitrate": "mode: cbr", "variable_bitrate": "bitrate"}[mode]
    for field in ("bitrate", "min_bitrate", "max_bitrate", "buffer_size"):
        if getattr(video, field) is not None and field not in RATES[mode].values():
            message = f'ByteNite\'s document has no "{field}" beside "{beside}"'
            hint = "Leave it out, or write an average:  bitrate: 4M, max_bitrate: 6M, buffer_size: 8M"
            yield Refusal(f"video.{field}", message, hint)


def _picture(video: Video) -> Iterator[Refusal]:
    if video.codec == "none":
        return
    if video.width is not None:
        named = ", ".join(map(str, HEIGHTS))
        yield Refusal("video.width", "ByteNite scales to a height only", f"Write  height: {named} or any other.")
    if video.flip is not None and video.flip not in FLIPS:
        turned = ((video.rotate or 0) + 180) % 360
        hint = f"Write  rotate: {turned}  instead: it is the same picture."
        yield Refusal("video.flip", f'ByteNite has no "flip: {video.flip}"', hint)
    if isinstance(video.fps, FrameRateLimit):
        hint = f"Write  fps: {video.fps.max}, or encode it with a provider of type ffmpeg."
        yield Refusal("video.fps.max", "ByteNite has no ceiling for frame rates", hint)


def _audio(audio: Audio) -> Iterator[Refusal]:
    if audio.codec == "none":
        yield Refusal("audio.codec", "ByteNite's document has no way to leave the sound out", _AAC)
    elif audio.codec not in {None, "aac"}:
        yield Refusal("audio.codec", f"ByteNite was never seen to encode {audio.codec}", _AAC)
    if audio.channels is not None and audio.channels not in CHANNELS:
        counts = ", ".join(map(str, CHANNELS))
        message = f"ByteNite's document has no word for {audio.channels} channels"
        yield Refusal("audio.channels", message, f"Write  channels: one of {counts}.")
    if audio.track:
        yield Refusal("audio.track", "ByteNite always takes the first audio track", LOCALLY)
    for field in parameter_fields(Parameters.model_construct(audio=audio)):
        if field.startswith(_NOT_SAID):
            message = f'ByteNite\'s document has no word for "{field.removeprefix("audio.")}"'
            yield Refusal(field, message, LOCALLY)
    if audio.missing not in {None, "skip"}:
        yield Refusal("audio.missing", "ByteNite cannot be told what to do without sound", LOCALLY)


_NOT_SAID = ("audio.loudness.", "audio.copy_if.", "audio.tracks")
_AAC = "Write  codec: aac, or encode it with a provider of type ffmpeg."
