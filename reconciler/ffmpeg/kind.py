"""The provider type ffmpeg, as far as specs and plans know it. Imports nothing that encodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from reconciler.core.encode import Native, Source, Trim
from reconciler.core.packages import singles
from reconciler.core.parameters import Parameters
from reconciler.core.provider_types import ProviderOptions, Refusal
from reconciler.core.sources import SIGNED, scheme_of


class FfmpegOptions(ProviderOptions):
    """Encodes on this machine and costs nothing. `threads` is what each encoder is given (None: ffmpeg decides)."""

    type: Literal["ffmpeg"] = "ffmpeg"
    threads: Annotated[int, Field(ge=1, le=256, strict=True)] | None = None


class FfmpegType:
    """Implements core.provider_types.ProviderType."""

    options = FfmpegOptions
    paid = False
    holds = False
    builder = "reconciler.ffmpeg.provider:built"

    def refusals(
        self,
        options: BaseModel,  # noqa: ARG002 - nothing depends on them
        source: Source,
        parameters: Parameters,
        native: Native | None,
    ) -> Sequence[Refusal]:
        """See core.provider_types.ProviderType."""
        found: list[Refusal] = []
        if source.kind == "store" and scheme_of(source) not in SIGNED:
            message = f"{scheme_of(source)}:// sources cannot be fetched to this machine"
            found.append(
                Refusal("source", message, 'Sign an https URL:  source: {id: NAME, url: "${env.RECONCILER_NAME_URL}"}')
            )
        if source.trim != Trim() and any(_copies_sound(each) for each in singles(parameters).values()):
            message = "sound that is copied cannot be trimmed"
            found.append(Refusal("audio.codec", message, "Write a codec, or leave trim out."))
        for field in native.extras if native is not None else ():
            name = field.removeprefix("bytenite.")
            found.append(Refusal(field, f"{name} means nothing to ffmpeg", "Take it out, or run this on bytenite."))
        return found


def _copies_sound(parameters: Parameters) -> bool:
    return parameters.audio is not None and parameters.audio.codec == "copy"


KIND = FfmpegType()
