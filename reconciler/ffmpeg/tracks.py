"""Which tracks of a source an output's sound is made from, and which of them are copied. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.codecs import COPYABLE
from reconciler.core.encode import Trim
from reconciler.core.languages import language
from reconciler.core.parameters import Audio, Parameters
from reconciler.core.sound_fields import ALL
from reconciler.ffmpeg.facts import AudioTrack, MediaFacts

# Longer holes in a source's sound are filled with silence, so that picture and sound stay together.
_HOLE = 0.1


@dataclass(frozen=True, slots=True)
class Chosen:
    """One track of the source by its number; `facts` is None while the source is not known."""

    number: int
    facts: AudioTrack | None

    @property
    def language(self) -> str | None:
        """The code of its language; None where nothing is said."""
        code = language(self.facts.language) if self.facts is not None else "und"
        return None if code == "und" else code


def chosen(audio: Audio, facts: MediaFacts | None) -> list[Chosen]:
    """The tracks that are asked for and there, in order; of a source that is not known, those that can be numbered."""
    asked = [str(audio.track or 0)] if audio.tracks is None else audio.tracks.split(",")
    if facts is None:
        return [
            Chosen(number, None) for number in dict.fromkeys(int(each) if each.isdecimal() else 0 for each in asked)
        ]
    numbers = range(len(facts.audio)) if asked == [ALL] else [_number(each, facts) for each in asked]
    found = dict.fromkeys(number for number in numbers if number is not None and number < len(facts.audio))
    return [Chosen(number, facts.audio[number]) for number in found]


def not_there(audio: Audio, facts: MediaFacts) -> str | None:
    """A sentence if a track that is asked for is not in a source that has sound."""
    tracks = "1 audio track" if len(facts.audio) == 1 else f"{len(facts.audio)} audio tracks"
    for each in [str(audio.track or 0)] if audio.tracks is None else audio.tracks.split(","):
        number = 0 if each == ALL else _number(each, facts)
        if number is None:
            known = ", ".join(language(track.language) for track in facts.audio)
            return f"there is no audio track in {each}: the source has {known}"
        if number >= len(facts.audio):
            return f"there is no audio track {number}: the source has {tracks}"
    return None


def holes(track: AudioTrack) -> bool:
    """Whether a source's sound has holes that must be filled."""
    return track.gap - track.frame > _HOLE


def is_copied(wanted: Parameters, track: AudioTrack | None, trim: Trim) -> bool:
    """Whether a track is taken over as it is: asked for, or good enough. Copying cannot cut or fill anything."""
    audio = wanted.audio
    if audio is None or audio.codec == "copy":
        return audio is not None
    rule = audio.copy_if
    if rule is None or track is None or trim != Trim() or holes(track):
        return False
    codec = rule.codec or audio.codec
    wishes = [(audio.channels, track.channels), (audio.sample_rate, track.sample_rate)]
    return (
        track.codec == codec
        and track.codec in COPYABLE.get(wanted.container or "", ())
        and (rule.max_bitrate is None or (track.bitrate is not None and track.bitrate <= rule.max_bitrate))
        and all(wish in {None, had} for wish, had in wishes)
    )


def _number(asked: str, facts: MediaFacts) -> int | None:
    """A number, or that of the first track in a language; None if there is no such track."""
    if asked.isdecimal():
        return int(asked)
    languages = [language(track.language) for track in facts.audio]
    return languages.index(asked) if asked in languages else None
