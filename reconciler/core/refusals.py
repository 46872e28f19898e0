"""What a provider cannot do, told at `validate` and not by a job that was paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.core.encode import Origin, ProviderSettings, Source
from reconciler.core.errors import Problem
from reconciler.core.provider_types import ProviderType, Refusal
from reconciler.core.renditions import Rendition
from reconciler.core.sources import scheme_of


class Refusals:
    """Asks the types of providers, once for all outputs that look the same to one."""

    def __init__(
        self, types: Mapping[str, ProviderType], providers: Mapping[str, ProviderSettings], problems: list[Problem]
    ) -> None:
        self._types = types
        self._providers = providers
        self._problems = problems
        self._known: dict[tuple[object, ...], Sequence[Refusal]] = {}

    def tell(
        self, provider: str, source: Source, rendition: Rendition, origins: Mapping[str, Origin], encode: str
    ) -> None:
        """A problem for each reason why the provider cannot make this output of an encode (a path)."""
        settings = self._providers.get(provider)
        offered = self._types.get(settings.type) if settings is not None else None
        if settings is None or offered is None:
            return
        source = self._as_read(source)
        scheme = scheme_of(source)
        key = (id(rendition), provider, source.kind, scheme, source.trim, bool(source.password or source.username))
        found = self._known.get(key)
        if found is None:
            found = offered.refusals(settings.options, source, rendition.parameters, rendition.native)
            self._known[key] = found
        self._problems.extend(_problem(each, provider, rendition, origins, encode) for each in found)

    def _as_read(self, source: Source) -> Source:
        """A source that is another output's file as that will be read: behind a link, or on this machine."""
        if source.upstream is None:
            return source
        settings = self._providers.get(source.upstream.provider)
        return replace(source, kind="http" if settings is not None and settings.holds else "file")


def _problem(
    refusal: Refusal, provider: str, rendition: Rendition, origins: Mapping[str, Origin], encode: str
) -> Problem:
    message, hints = f"{provider}: {refusal.message}", (refusal.hint,) if refusal.hint else ()
    if refusal.field == "source" or refusal.field.startswith("source."):
        origin = origins.get(refusal.field)
        where = origin.place if origin is not None and origin.place is not None else rendition.written.place
        return Problem(message, where, f"{encode}.{refusal.field}", hints)
    return rendition.written.problem(message, refusal.field, *hints, value=True)
