"""Sound that an audio codec cannot make."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.codecs import AUDIO, AudioFacts
from reconciler.core.errors import Problem
from reconciler.core.lost import as_far_as_known
from reconciler.core.parameters import Audio
from reconciler.core.units import bitrate_text
from reconciler.core.written import Written


def sound_problems(audio: Audio, written: Written) -> Iterator[Problem]:
    """What is wrong with a sound that has a codec."""
    codec = str(audio.codec)
    for rule in (_sample_rate, _channels, _tiny, _huge):
        yield from as_far_as_known(rule(audio, codec, AUDIO[codec], written))


def _sample_rate(audio: Audio, codec: str, facts: AudioFacts, written: Written) -> Iterator[Problem]:
    rate = audio.sample_rate
    if rate is not None and rate not in facts.sample_rates:
        near = min(facts.sample_rates, key=lambda able: abs(able - rate))
        hint = f"Write  sample_rate: {near}. {codec} has: {', '.join(map(str, facts.sample_rates))}."
        message = f"{codec} cannot have {rate} samples a second"
        yield written.problem(message, "audio.sample_rate", hint, value=True)


def _channels(audio: Audio, codec: str, facts: AudioFacts, written: Written) -> Iterator[Problem]:
    if audio.channels is not None and audio.channels not in facts.channels:
        hint = f"{codec} has: {', '.join(map(str, sorted(facts.channels)))}."
        yield written.problem(f"{codec} cannot have {audio.channels} channels", "audio.channels", hint, value=True)


def _tiny(audio: Audio, _: str, facts: AudioFacts, written: Written) -> Iterator[Problem]:
    bits = audio.bitrate
    if bits is not None and bits < facts.lowest:
        hint = f"Did you mean {bits}k?"
        yield written.problem(f'"bitrate" is {bits:,} bits a second', "audio.bitrate", hint, value=True)


def _huge(audio: Audio, codec: str, facts: AudioFacts, written: Written) -> Iterator[Problem]:
    bits, most = audio.bitrate, _most(audio, codec, facts)
    if bits is not None and bits > most:
        channels = vars(audio).get("channels") or max(facts.channels)
        sound = "1 channel" if channels == 1 else f"{channels} channels"
        message = f"{codec} cannot use {bitrate_text(bits)} for {sound}"
        yield written.problem(message, "audio.bitrate", f"The most is {bitrate_text(most)}.", value=True)


def _most(audio: Audio, codec: str, facts: AudioFacts) -> int:
    """The highest bitrate; AAC's grows with the sample rate. What is not known is taken to be the most."""
    channels = vars(audio).get("channels") or max(facts.channels)
    rate = min(vars(audio).get("sample_rate") or 48_000, 48_000) if codec == "aac" else 48_000
    return facts.highest * channels * rate // 48_000
