"""Every container, codec and rate control that a spec may put together, as the rules of specs themselves say."""

from __future__ import annotations

import itertools

from reconciler.core import combinations
from reconciler.core.codecs import AUDIO, CONTAINERS, ENCODERS
from reconciler.core.nodes import from_plain
from reconciler.core.packages import KINDS
from reconciler.core.parameters import Parameters
from reconciler.core.written import Written

FASTEST = {"libx264": "ultrafast", "libx265": "ultrafast", "libvpx-vp9": "5", "libsvtav1": "11", "libaom-av1": "6"}
# All of `RateControl`, and an average in two passes.
RATES = {
    "crf": {"crf": 40},
    "capped": {"crf": 40, "max_bitrate": 200_000},
    "vbr": {"bitrate": 100_000},
    "twice": {"bitrate": 100_000, "passes": 2},
    "cbr": {"bitrate": 100_000, "mode": "cbr"},
}
SEGMENTS = ("fmp4", "ts")


def allowed(**parameters):
    """Whether a spec may ask for these parameters."""
    return not combinations.problems(
        Parameters.model_validate(parameters), Written(from_plain(parameters), "one", None)
    )


def picture(encoder, control):
    """A picture of an encoder at its fastest, with a buffer where it wants one."""
    buffer = {"buffer_size": 400_000} if control == "capped" and ENCODERS[encoder].buffered else {}
    preset = {"preset": FASTEST[encoder]}
    return {"codec": ENCODERS[encoder].codec, "encoder": encoder, **preset, **RATES[control], **buffer}


def sound(codec):
    """Stereo of a codec."""
    return {"codec": codec, "channels": 2, **({} if AUDIO[codec].lossless else {"bitrate": 64_000})}


def controls(encoder, **parameters):
    """The rate controls in which a picture of an encoder may stand in an output with these other parameters."""
    return [control for control in RATES if allowed(video=picture(encoder, control), **parameters)]


def files():
    """Every container of one file with a picture: the encoder, and its rate controls."""
    for container, encoder in itertools.product(CONTAINERS, ENCODERS):
        if container not in KINDS and (found := controls(encoder, container=container, audio={"codec": "none"})):
            yield container, encoder, found


def sounds():
    """Every container of one file with sound: the codecs, and whether it may do without a picture."""
    for container, codec in itertools.product(CONTAINERS, AUDIO):
        alone = {"container": container, "audio": sound(codec), "video": {"codec": "none"}}
        if container not in KINDS and allowed(**alone):
            yield container, codec


def packages():
    """Every kind of package and segment: the encoder, the codec of its sound, and its rate controls."""
    for container, segment, encoder, codec in itertools.product(KINDS, SEGMENTS, ENCODERS, AUDIO):
        around = {"container": container, "segment": {"type": segment}, "audio": sound(codec)}
        if found := controls(encoder, **around):
            yield container, segment, encoder, codec, found
