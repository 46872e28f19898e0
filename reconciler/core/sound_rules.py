"""Sound that an audio codec cannot make, and wishes that cannot be meant together."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.codecs import AUDIO, CONTAINERS, COPYABLE, AudioFacts
from reconciler.core.errors import Problem
from reconciler.core.lost import as_far_as_known
from reconciler.core.parameters import Audio, Parameters
from reconciler.core.sound_fields import ALL
from reconciler.core.units import bitrate_text
from reconciler.core.written import Written


def sound_problems(audio: Audio, written: Written) -> Iterator[Problem]:
    """What is wrong with a sound that has a codec, if perhaps a lost one."""
    for general in (_loudness, _copy_if, _one_or_several):
        yield from as_far_as_known(general(audio, written))
    if audio.codec == "copy":
        yield from as_far_as_known(_copied(audio, written))
        return
    codec = str(audio.codec)
    for rule in (_sample_rate, _channels, _lossless, _tiny, _huge, _no_such_bitrate):
        yield from as_far_as_known(rule(audio, codec, AUDIO[codec], written))


def track_problems(parameters: Parameters, written: Written) -> Iterator[Problem]:
    """What is wrong with the tracks of a sound in its container."""
    audio, container = parameters.audio, parameters.container
    if audio is None or container is None:
        return
    yield from as_far_as_known(_too_many(audio, container, written))
    yield from as_far_as_known(_not_to_be_copied(audio, container, written))


def _too_many(audio: Audio, container: str, written: Written) -> Iterator[Problem]:
    if audio.tracks is None or CONTAINERS[container].tracks is None:
        return
    if audio.tracks == ALL or "," in audio.tracks:
        several = ", ".join(name for name, facts in CONTAINERS.items() if facts.audio and facts.tracks is None)
        message = f"{container} holds one track of sound"
        hints = (*written.source_of("container"), f"Name one track; several go into {several}.")
        yield written.problem(message, "audio.tracks", *hints)


def _not_to_be_copied(audio: Audio, container: str, written: Written) -> Iterator[Problem]:
    if audio.copy_if is None or audio.codec in {"copy", "none"}:
        return
    able = COPYABLE.get(container)
    codec = audio.copy_if.codec or audio.codec
    if able is None:
        message = f"{container} is cut into segments, so its sound cannot be copied"
        yield written.problem(message, "audio.copy_if", *written.source_of("container"), "Leave copy_if out.")
    elif codec is not None and codec not in able:
        message = f"{container} cannot hold {codec}, so it would never be copied"
        yield written.problem(message, "audio.copy_if", *written.source_of("container"), "Leave copy_if out.")


def _loudness(audio: Audio, written: Written) -> Iterator[Problem]:
    if audio.loudness is not None and audio.loudness.target is None:
        hint = "Write  loudness: {target: -16}  (LUFS; television has -23)."
        yield written.problem("loudness has no target", "audio.loudness", hint)


def _copy_if(audio: Audio, written: Written) -> Iterator[Problem]:
    if audio.copy_if is None:
        return
    if audio.copy_if.codec is None and audio.copy_if.max_bitrate is None:
        yield written.problem("copy_if has no condition", "audio.copy_if", "Write  copy_if: {max_bitrate: 192k}")
    if audio.loudness is not None:
        field, other = written.later("audio.copy_if", "audio.loudness")
        message = "copied sound keeps its loudness: copy_if and loudness cannot both be set"
        yield written.problem(message, field, *written.source_of(other), "Leave one of them out.")


def _one_or_several(audio: Audio, written: Written) -> Iterator[Problem]:
    if audio.track is not None and audio.tracks is not None:
        field, other = written.later("audio.tracks", "audio.track")
        hint = "Leave one of them out: tracks may name a single track, too."
        yield written.problem('"track" and "tracks" cannot both be set', field, *written.source_of(other), hint)


def _copied(audio: Audio, written: Written) -> Iterator[Problem]:
    """What encoding would change cannot be asked of sound that is copied."""
    for field in ("bitrate", "channels", "sample_rate", "loudness", "copy_if"):
        if getattr(audio, field) is not None:
            hints = (*written.source_of("audio.codec"), "Leave it out, or write a codec.")
            yield written.problem(f'"{field}" says nothing for sound that is copied', f"audio.{field}", *hints)
    if audio.missing == "silence":
        hints = (*written.source_of("audio.codec"), "Write  missing: skip  or  error, or write a codec.")
        yield written.problem("silence cannot be copied", "audio.missing", *hints, value=True)


def _lossless(audio: Audio, codec: str, facts: AudioFacts, written: Written) -> Iterator[Problem]:
    if facts.lossless and audio.bitrate is not None:
        message = f"{codec} loses nothing, so it has no bitrate to choose"
        yield written.problem(message, "audio.bitrate", *written.source_of("audio.codec"), "Leave it out.")


def _no_such_bitrate(audio: Audio, codec: str, facts: AudioFacts, written: Written) -> Iterator[Problem]:
    """MP3 has a list of bitrates; at low sample rates another one, which `_most` ends."""
    bits = audio.bitrate
    if bits is None or not facts.bitrates or not facts.lowest <= bits <= _most(audio, codec, facts):
        return
    low = (vars(audio).get("sample_rate") or 48_000) < 32_000
    right = _LOW_BITRATES if low else facts.bitrates
    if bits not in right:
        near = min(right, key=lambda able: abs(able - bits))
        hint = f"Write  bitrate: {bitrate_text(near)}. {codec} has: {', '.join(map(bitrate_text, right))}."
        yield written.problem(f"{codec} has no {bitrate_text(bits)}", "audio.bitrate", hint, value=True)


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
    if bits is not None and bits > most and not facts.lossless:
        channels = vars(audio).get("channels") or max(facts.channels)
        sound = "1 channel" if channels == 1 else f"{channels} channels"
        message = f"{codec} cannot use {bitrate_text(bits)} for {sound}"
        yield written.problem(message, "audio.bitrate", f"The most is {bitrate_text(most)}.", value=True)


# Of MPEG-2 and MPEG-2.5, which have the sample rates below 32 kHz.
_LOW_BITRATES = tuple(1000 * each for each in (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160))


def _most(audio: Audio, codec: str, facts: AudioFacts) -> int:
    """The highest bitrate; AAC's grows with the sample rate. What is not known is taken to be the most."""
    channels = vars(audio).get("channels") or max(facts.channels)
    asked = vars(audio).get("sample_rate") or 48_000
    if codec == "mp3":
        return facts.highest if asked >= 32_000 else 160_000 if asked >= 16_000 else 64_000
    return facts.highest * channels * (min(asked, 48_000) if codec == "aac" else 48_000) // 48_000
