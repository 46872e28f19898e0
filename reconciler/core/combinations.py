"""What the given parameters cannot mean together: refused before anything is planned.

A value that would change nothing counts as a mistake, too: no field is silently ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from reconciler.core.codecs import CONTAINERS, DEFAULT_ENCODERS, ContainerFacts
from reconciler.core.errors import Problem
from reconciler.core.parameters import Audio, Parameters, Video
from reconciler.core.picture_rules import picture_problems
from reconciler.core.sound_rules import sound_problems
from reconciler.core.written import Written

_EXAMPLES = {"video": "{codec: h264, crf: 23}", "audio": "{codec: aac, bitrate: 128k}"}


def problems(parameters: Parameters, written: Written) -> list[Problem]:
    """Everything that `parameters` cannot mean; `written` says where each of it stands."""
    found = [*_container(parameters, written)]
    if _has_codec(parameters.video) and parameters.video is not None:
        found += picture_problems(parameters.video, written)
    if _has_codec(parameters.audio) and parameters.audio is not None:
        found += sound_problems(parameters.audio, written)
    return found


def canonical(parameters: Parameters) -> Parameters:
    """The one way to say it: sound alone has no picture, and the usual encoder of a codec goes without saying."""
    video = parameters.video
    if video is None:
        return parameters
    if parameters.container == "m4a":
        return parameters.model_copy(update={"video": None})
    if video.encoder is not None and video.encoder == DEFAULT_ENCODERS.get(str(video.codec)):
        return parameters.model_copy(update={"video": video.model_copy(update={"encoder": None})})
    return parameters


def _has_codec(section: Video | Audio | None) -> bool:
    return section is not None and section.codec not in {None, "none"}


def _container(parameters: Parameters, written: Written) -> Iterator[Problem]:
    if parameters.container is None:
        hint = f"Write  container: {_container_for(parameters)}  (or {', '.join(CONTAINERS)})."
        yield written.problem("no container is set", "container", hint)
        yield from _section("video", parameters.video, None, parameters, written)
        yield from _section("audio", parameters.audio, None, parameters, written)
        return
    facts = CONTAINERS[parameters.container]
    yield from _section("video", parameters.video, facts, parameters, written)
    yield from _section("audio", parameters.audio, facts, parameters, written)
    said = parameters.audio is not None and (parameters.video is not None or not facts.video)
    if said and not _says(parameters.video) and not _says(parameters.audio):
        yield written.problem("neither picture nor sound", "audio", "Give video or audio a codec.")
    if parameters.faststart is not None and not facts.faststart:
        message = f'"faststart" says nothing for {parameters.container}'
        yield written.problem(
            message, "faststart", *written.source_of("container"), "It is for mp4, mov and m4a: leave it out."
        )


def _says(section: Video | Audio | None) -> bool:
    """Whether a section asks for a stream, or for something that is wrong by itself."""
    return section is not None and section.codec != "none"


def _container_for(parameters: Parameters) -> str:
    if parameters.video is not None and parameters.video.codec == "vp9":
        return "webm"
    silent = parameters.video is None or parameters.video.codec == "none"
    return "m4a" if silent and parameters.audio is not None and parameters.audio.codec == "aac" else "mp4"


def _section(
    name: str, section: Video | Audio | None, facts: ContainerFacts | None, parameters: Parameters, written: Written
) -> Iterator[Problem]:
    """One of the sections video and audio: said, with a codec that the container holds, or with none."""
    able = None if facts is None else (facts.video if name == "video" else facts.audio)
    if section is None:
        if able:
            hint = f"Write  {name}: {_EXAMPLES[name]}  or, for none,  {name}: {{codec: none}}"
            yield written.problem(f"nothing is said about {name}", name, hint)
        return
    if section.codec is None:
        others = (*DEFAULT_ENCODERS, "none") if name == "video" else ("aac", "opus", "none")
        yield written.problem(f"{name} has no codec", name, f"Write  codec: {others[0]}  (or {', '.join(others[1:])}).")
    elif section.codec == "none":
        yield from _beside_none(name, section, written)
    elif able is not None and section.codec not in able:
        yield _not_in(name, str(section.codec), able, str(parameters.container), written)


def _not_in(name: str, codec: str, able: tuple[str, ...], container: str, written: Written) -> Problem:
    holding = [
        other for other, facts in CONTAINERS.items() if codec in (facts.video if name == "video" else facts.audio)
    ]
    main, other = written.later(f"{name}.codec", "container")
    if not able:
        hints = [f"Leave {name} out, or write  container: {holding[0]}"]
    else:
        hints = [f"{container} holds {' and '.join(able)}; {codec} goes into {', '.join(holding)}."]
    return written.problem(f"{container} cannot hold {codec}", main, *written.source_of(other), *hints, value=True)


def _beside_none(name: str, section: BaseModel, written: Written) -> Iterator[Problem]:
    given = [field for field in type(section).model_fields if field != "codec" and getattr(section, field) is not None]
    if given:
        fields = ", ".join(f'"{field}"' for field in given)
        verb = "says" if len(given) == 1 else "say"
        hint = f"Leave {'it' if len(given) == 1 else 'them'} out, or write a codec."
        yield written.problem(f'{fields} {verb} nothing beside "codec: none"', f"{name}.{given[0]}", hint)
