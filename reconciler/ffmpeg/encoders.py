"""The picture's encoder: which one, and what a Video means in its own options.

Every encoder has its own words for the same wish; sources are `ffmpeg -h encoder=NAME` of ffmpeg 9.0 and, for
what the help does not say, encodes that were made and looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.codecs import DEFAULT_ENCODERS, DEFAULT_PIXEL_FORMAT
from reconciler.core.parameters import Video
from reconciler.ffmpeg.facts import VideoTrack
from reconciler.ffmpeg.geometry import output_rate
from reconciler.ffmpeg.light import Light, svt_light, x265_light
from reconciler.ffmpeg.tonemap import kept_light

_SVT_TUNES = {"vq": "0", "psnr": "1", "ssim": "2", "iq": "3", "ms_ssim": "4", "vmaf": "5"}
# A faster first pass crashes now and then on pictures lower than 144, and sees too little of them when it does not.
_SVT_FIRST = 8
_VP9_CONTENT = {"screen", "film"}

# Those that keep a ceiling in a buffer, next to the quality or the average.
_BUFFERED = {"libx264", "libx265", "libsvtav1"}


def encoder_of(video: Video) -> str:
    """The encoder that is asked for, or the usual one of the codec."""
    return video.encoder or DEFAULT_ENCODERS[str(video.codec)]


def pixel_format_of(video: Video) -> str:
    """The pixel format of the output; 8-bit 4:2:0, which plays everywhere, if none is asked for."""
    return video.pixel_format or DEFAULT_PIXEL_FORMAT


@dataclass(frozen=True, slots=True)
class Pass:
    """The first or the second pass of an encode in two, and the beginning of the files that hold what the first saw."""

    number: int
    log: str


def options(
    video: Video,
    container: str,
    track: VideoTrack | None,
    threads: int | None,
    *,
    from_first: bool = False,
    of_two: Pass | None = None,
) -> list[str]:
    """The options of one output's picture, from the encoder to its tag.

    `from_first`: keyframes are counted from the first frame, whenever that comes, and not from zero. `of_two` says
    which pass it is of an encode in two.
    """
    encoder = encoder_of(video)
    words = ["-c:v", encoder, *_speed(video, encoder, of_two), *_style(video, encoder), *_rate_control(video, encoder)]
    words += _keyframes(video, encoder, track, from_first=from_first)
    words += ["-threads:v", str(threads)] if threads else []
    if of_two is not None and encoder != "libx265":
        words += ["-pass", str(of_two.number), "-passlogfile", of_two.log]
    words += _private(video, encoder, threads, kept_light(video, track), of_two)
    words += ["-tag:v", "hvc1"] if encoder == "libx265" and container in {"mp4", "mov"} else []
    return [*words, "-pix_fmt", pixel_format_of(video)]


def _speed(video: Video, encoder: str, of_two: Pass | None) -> list[str]:
    match encoder:
        case "libsvtav1" if of_two is not None and of_two.number == 1:
            return ["-preset", str(min(int(video.preset or _SVT_FIRST), _SVT_FIRST))]
        case "libvpx-vp9":
            speed = ["-cpu-used", video.preset] if video.preset else []
            return ["-deadline", "good", *speed, "-row-mt", "1"]
        case "libaom-av1":
            return [*(["-cpu-used", video.preset] if video.preset else []), "-row-mt", "1"]
        case _:
            return ["-preset", video.preset] if video.preset else []


def _style(video: Video, encoder: str) -> list[str]:
    """Tune, profile and level, where they are options of ffmpeg's; see `_private` for the others."""
    options: list[str] = []
    if video.tune and encoder == "libvpx-vp9":
        options += ["-tune-content" if video.tune in _VP9_CONTENT else "-tune", video.tune]
    elif video.tune and encoder != "libsvtav1":
        options += ["-tune", video.tune]
    if video.profile:
        options += ["-profile:v", video.profile]
    if video.level and encoder in {"libx264", "libvpx-vp9"}:
        options += ["-level:v", video.level]
    return options


def _rate_control(video: Video, encoder: str) -> list[str]:
    """Constant quality (with or without a ceiling), one-pass VBR, or CBR.

    No nal-hrd for CBR: it pads with filler that mp4 forbids and that serves transport streams only.
    """
    if video.bitrate is None:
        return _quality(video, encoder)
    if video.mode == "cbr":
        rate = str(video.bitrate)
        buffer = str(video.buffer_size or video.bitrate)
        return ["-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", buffer]
    floor = ["-minrate", str(video.min_bitrate)] if video.min_bitrate else []
    return ["-b:v", str(video.bitrate), *floor, *_ceiling(video)]


def _quality(video: Video, encoder: str) -> list[str]:
    quality = ["-crf", str(video.crf)] if video.crf is not None else []
    if encoder in _BUFFERED:
        return quality + _ceiling(video)
    # libvpx and libaom: the ceiling is the target rate of "constrained quality"; 0 means none.
    return [*quality, "-b:v", str(video.max_bitrate or 0)]


def _ceiling(video: Video) -> list[str]:
    ceiling = ["-maxrate", str(video.max_bitrate)] if video.max_bitrate else []
    return ceiling + (["-bufsize", str(video.buffer_size)] if video.buffer_size else [])


def _keyframes(video: Video, encoder: str, track: VideoTrack | None, *, from_first: bool) -> list[str]:
    """Keyframes at the first frame and on a grid of `keyframe_interval` seconds, and nowhere else.

    The expression forces the first frame at or after each grid point; unlike the usual
    `gte(t,n_forced*N)` it does not catch up with a burst of keyframes after a gap. `-g` and `-keyint_min` keep
    the encoder from adding its own. libaom-av1 doubles every forced keyframe, so there the grid is frames.
    """
    seconds = video.keyframe_interval
    if seconds is None:
        return []
    frames = _frames(video, track, seconds)
    if encoder == "libaom-av1":
        return ["-g", str(math.ceil(frames)), "-keyint_min", str(math.ceil(frames))] if frames else []
    # A grid that is no whole number of frames has steps of both lengths.
    grid = ["-g", str(math.ceil(frames)), "-keyint_min", str(max(1, math.floor(frames)))] if frames else []
    if encoder == "libx264":
        grid += ["-sc_threshold", "0"]
    if encoder in {"libx264", "libx265"}:
        grid += ["-forced-idr", "1"]
    zero, first = ("-ld(0)", "if(isnan(prev_forced_t),st(0,t)*0+1,") if from_first else ("", "isnan(prev_forced_t)+")
    now, before = (f"floor(({time}{zero}+0.000001)/{seconds})" for time in ("t", "prev_forced_t"))
    return [*grid, "-force_key_frames", f"expr:{first}gt({now},{before}){')' if from_first else ''}"]


def _frames(video: Video, track: VideoTrack | None, seconds: float) -> Fraction | None:
    """How many frames there are between two grid points, at the most; None while the frame rate is not known."""
    rate = output_rate(video, track)
    if rate is None and track is not None:
        rate = Fraction(track.peak_rate) if track.variable and track.peak_rate else track.frame_rate
    return rate * Fraction(str(seconds)) if rate is not None else None


def _private(video: Video, encoder: str, threads: int | None, light: Light | None, of_two: Pass | None) -> list[str]:
    """What only the encoder's own parameter list can say."""
    match encoder:
        case "libx265":
            passes = _x265_pass(of_two) if of_two is not None else []
            return ["-x265-params", ":".join([*_x265(video, threads, light), *passes])]
        case "libsvtav1":
            parameters = _svt(video, threads, light)
            return ["-svtav1-params", ":".join(parameters)] if parameters else []
        case _:
            return []


def _x265(video: Video, threads: int | None, light: Light | None) -> list[str]:
    parameters = ["log-level=error"]  # it prints its banner past ffmpeg's log level
    if video.keyframe_interval is not None:
        parameters += ["scenecut=0", "open-gop=0"]
    if video.level:
        parameters.append(f"level-idc={video.level}")
    if threads:
        parameters.append(f"pools={threads}")  # -threads sets its frame threads only
    return parameters + (x265_light(light) if light is not None else [])


def _x265_pass(of_two: Pass) -> list[str]:
    """It keeps a log of its own, whose name stands in a list with separators."""
    path = "".join(f"\\{letter}" if letter in "\\':" else letter for letter in of_two.log)
    return [f"pass={of_two.number}", f"stats={path}.log"]


def _svt(video: Video, threads: int | None, light: Light | None) -> list[str]:
    parameters: list[str] = []
    if video.mode == "cbr":
        parameters.append("pred-struct=1")  # its CBR works in low-delay order only
    if video.keyframe_interval is not None:
        parameters.append("scd=0")
    if video.tune:
        parameters.append(f"tune={_SVT_TUNES.get(video.tune, video.tune)}")
    if video.level:
        parameters.append(f"level={video.level.replace('.', '')}")
    if threads:
        parameters.append(f"lp={threads}")
    return parameters + (svt_light(light) if light is not None else [])
