"""Which types of providers there are: our own two, and what other packages offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from reconciler.bytenite import kind as bytenite
from reconciler.core.errors import ReconcilerError
from reconciler.core.provider_types import Knowledge, ProviderType
from reconciler.ffmpeg import kind as ffmpeg

GROUP = "reconciler.providers"


class Types(Mapping[str, ProviderType]):
    """The types by name. Other packages are only looked for when somebody names a type that is not ours."""

    def __init__(self) -> None:
        self._own: dict[str, ProviderType] = {"bytenite": bytenite.KIND, "ffmpeg": ffmpeg.KIND}
        self._others: dict[str, ProviderType] | None = None

    def __getitem__(self, name: str) -> ProviderType:
        """Raises KeyError for a type that nobody offers."""
        return self._own[name] if name in self._own else self._offered()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._own, *self._offered()}))

    def __len__(self) -> int:
        return len({*self._own, *self._offered()})

    def _offered(self) -> dict[str, ProviderType]:
        """What packages offer. Raises ReconcilerError for one that cannot be imported."""
        if self._others is None:
            self._others = {}
            for entry in entry_points(group=GROUP):
                if entry.name not in self._own:
                    try:
                        self._others[entry.name] = entry.load()
                    except Exception as error:
                        package = entry.dist.name if entry.dist is not None else entry.value
                        text = f"the provider type {entry.name} of {package} cannot be loaded: {error}"
                        raise ReconcilerError(f"{text}\n  Mend or remove that package.") from error
        return self._others


def knowledge() -> Knowledge:
    """What resolving needs to know of providers."""
    return Knowledge(Types(), bytenite.read_document)
