"""What the given parameters cannot mean together: refused before anything is planned.

A value that would change nothing counts as a mistake, too: no field is silently ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from reconciler.core.codecs import AUDIO, CONTAINERS, COPYABLE, DEFAULT_ENCODERS, ContainerFacts
from reconciler.core.errors import Problem
from reconciler.core.lost import as_far_as_known
from reconciler.core.package_rules import package_problems, variant_problems, variants_to_judge
from reconciler.core.packages import variants_of
from reconciler.core.parameters import Audio, Parameters, Video
from reconciler.core.picture_rules import picture_problems
from reconciler.core.sound_rules import sound_problems, track_problems
from reconciler.core.still_fields import KINDS as STILLS
from reconciler.core.still_rules import still_problems
from reconciler.core.subtitle_fields import KINDS as SUBTITLES
from reconciler.core.subtitle_rules import subtitle_problems
from reconciler.core.written import Written

_EXAMPLES = {"video": "{codec: h264, crf: 23}", "audio": "{codec: aac, bitrate: 128k}"}


def problems(parameters: Parameters, written: Written) -> list[Problem]:
    """Everything that `parameters` cannot mean; `written` says where each of it stands."""
    whole = (_unset, _faststart, package_problems, still_problems, subtitle_problems)
    found = [problem for rule in whole for problem in as_far_as_known(rule(parameters, written))]
    if written.entry("variants") is None:
        return found + _streams_problems(parameters, written)
    each = (_streams_problems(*variant) for variant in as_far_as_known(variants_to_judge(parameters, written)))
    # What all variants take over from the output itself is wrong once.
    told = {(problem.place, problem.message): problem for problems in each for problem in problems}
    return found + list(told.values())


def _streams_problems(parameters: Parameters, written: Written) -> list[Problem]:
    """What is wrong with the picture and the sound of an output, or of a variant."""
    rules = (_video, _audio, _neither, _picture, _sound, variant_problems)
    return [problem for rule in rules for problem in as_far_as_known(rule(parameters, written))]


def canonical(parameters: Parameters) -> Parameters:
    """The one way to say it: sound alone has no picture, and the usual encoder of a codec goes without saying."""
    if parameters.variants:
        variants = {
            name: variant.model_copy(update={"video": _usual(variant.video)})
            for name, variant in variants_of(parameters).items()
        }
        return parameters.model_copy(update={"variants": variants})
    facts = _facts(parameters)
    video = None if facts is not None and not facts.video else _usual(parameters.video)
    audio = None if facts is not None and not facts.audio else parameters.audio
    if video is parameters.video and audio is parameters.audio:
        return parameters
    return parameters.model_copy(update={"video": video, "audio": audio})


def _usual(video: Video | None) -> Video | None:
    if video is not None and video.encoder is not None and video.encoder == DEFAULT_ENCODERS.get(str(video.codec)):
        return video.model_copy(update={"encoder": None})
    return video


def _picture(parameters: Parameters, written: Written) -> Iterator[Problem]:
    video = parameters.video
    if video is not None and (_is_lost(video, "codec") or video.codec not in {None, "none"}):
        yield from picture_problems(video, written)


def _sound(parameters: Parameters, written: Written) -> Iterator[Problem]:
    audio = parameters.audio
    if audio is not None and audio.codec not in {None, "none"}:
        yield from sound_problems(audio, written)
        yield from track_problems(parameters, written)


def _unset(parameters: Parameters, written: Written) -> Iterator[Problem]:
    if parameters.container is None:
        container = next(as_far_as_known(_container_for(parameters)), "mp4")
        hint = f"Write  container: {container}  (or {', '.join(CONTAINERS)})."
        yield written.problem("no container is set", "container", hint)


def _video(parameters: Parameters, written: Written) -> Iterator[Problem]:
    yield from _section("video", parameters.video, parameters, written)


def _audio(parameters: Parameters, written: Written) -> Iterator[Problem]:
    yield from _section("audio", parameters.audio, parameters, written)


def _neither(parameters: Parameters, written: Written) -> Iterator[Problem]:
    facts = _facts(parameters)
    if facts is None or parameters.container in {*STILLS, *SUBTITLES}:
        return
    said = parameters.audio is not None and (parameters.video is not None or not facts.video)
    if said and not _says(parameters.video) and not _says(parameters.audio):
        yield written.problem("neither picture nor sound", "audio", "Give video or audio a codec.")


def _faststart(parameters: Parameters, written: Written) -> Iterator[Problem]:
    facts = _facts(parameters)
    if facts is not None and parameters.faststart is not None and not facts.faststart:
        message = f'"faststart" says nothing for {parameters.container}'
        hints = (*written.source_of("container"), "It is for mp4, mov and m4a: leave it out.")
        yield written.problem(message, "faststart", *hints)


def _facts(parameters: Parameters) -> ContainerFacts | None:
    return None if parameters.container is None else CONTAINERS[parameters.container]


def _is_lost(section: BaseModel, field: str) -> bool:
    return field not in vars(section)


def _says(section: Video | Audio | None) -> bool:
    """Whether a section asks for a stream, or for something that is wrong by itself."""
    return section is not None and section.codec != "none"


def _container_for(parameters: Parameters) -> Iterator[str]:
    if parameters.video is not None and parameters.video.codec == "vp9":
        yield "webm"
        return
    silent = parameters.video is None or parameters.video.codec == "none"
    yield "m4a" if silent and parameters.audio is not None and parameters.audio.codec == "aac" else "mp4"


def _section(name: str, section: Video | Audio | None, parameters: Parameters, written: Written) -> Iterator[Problem]:
    """One of the sections video and audio: said, with a codec that the container holds, or with none."""
    if section is None:
        if _able(name, parameters):
            hint = f"Write  {name}: {_EXAMPLES[name]}  or, for none,  {name}: {{codec: none}}"
            yield written.problem(f"nothing is said about {name}", name, hint)
    elif section.codec is None:
        others = (*DEFAULT_ENCODERS, "none") if name == "video" else (*AUDIO, "copy", "none")
        yield written.problem(f"{name} has no codec", name, f"Write  codec: {others[0]}  (or {', '.join(others[1:])}).")
    elif section.codec == "none":
        yield from _beside_none(name, section, written)
    else:
        able = _able(name, parameters)
        if able is not None and section.codec not in able:
            yield _not_in(name, str(section.codec), able, str(parameters.container), written)


def _able(name: str, parameters: Parameters) -> tuple[str, ...] | None:
    """The codecs that the container holds; None if none is set."""
    facts = _facts(parameters)
    if facts is None or name == "video":
        return None if facts is None else facts.video
    return (*facts.audio, "copy") if parameters.container in COPYABLE else facts.audio


def _not_in(name: str, codec: str, able: tuple[str, ...], container: str, written: Written) -> Problem:
    holding = [
        other for other, facts in CONTAINERS.items() if codec in (facts.video if name == "video" else facts.audio)
    ]
    main, other = written.later(f"{name}.codec", "container")
    if not able:
        hints = [f"Leave {name} out, or write  container: {holding[0]}"]
    else:
        holds = " and ".join(each for each in able if each != "copy")
        goes = f"{codec} goes into {', '.join(holding)}" if codec != "copy" else "its sound must be encoded"
        hints = [f"{container} holds {holds}; {goes}."]
    return written.problem(f"{container} cannot hold {codec}", main, *written.source_of(other), *hints, value=True)


def _beside_none(name: str, section: BaseModel, written: Written) -> Iterator[Problem]:
    given = [field for field, value in section if field != "codec" and value is not None]
    if given:
        fields = ", ".join(f'"{field}"' for field in given)
        verb = "says" if len(given) == 1 else "say"
        hint = f"Leave {'it' if len(given) == 1 else 'them'} out, or write a codec."
        yield written.problem(f'{fields} {verb} nothing beside "codec: none"', f"{name}.{given[0]}", hint)
