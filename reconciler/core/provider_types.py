"""What a type of provider says of itself, before any provider is built.

A package offers a type under the entry point `reconciler.providers`; the name of the entry point is what stands
behind `type:` in a spec. Everything here is offline: `validate` and `plan` build no provider.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, Field, PlainValidator, WithJsonSchema

from reconciler.core.cost import Money, read_money
from reconciler.core.encode import Native, Source
from reconciler.core.errors import CredentialsError
from reconciler.core.parameters import Parameters
from reconciler.core.ports import Examine, ExaminePackage, Fetch, Inspect, Provider
from reconciler.core.strict import Strict

ENVIRONMENT = re.compile(r"\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}")


class FromEnvironment:
    """Marks a field of provider options that may be exactly `${env.NAME}`, read when a provider is built."""


def _secret(value: str) -> str:
    if ENVIRONMENT.fullmatch(value) is None:
        raise ValueError("a secret does not stand in a spec; write ${env.NAME} and keep it in the environment")
    return value


EnvironmentText = Annotated[str, Field(min_length=1, strict=True), FromEnvironment()]
Secret = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_secret),
    FromEnvironment(),
    WithJsonSchema({"type": "string", "pattern": r"^\$\{env\.[A-Za-z_][A-Za-z0-9_]*\}$"}),
]


class ProviderOptions(Strict):
    """What stands under `providers: NAME:`, whatever its type; `parallelism` is how many jobs run at once."""

    type: Annotated[str, Field(min_length=1, strict=True)]
    parallelism: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = None

    @property
    def kept_seconds(self) -> float | None:
        """How long files stay with the provider after their job ends; None: for ever, or it holds none."""
        return None


class PriceSpec(Strict):
    """The user's own rate card, for plans; what was really paid comes from the provider."""

    per_output_minute: Annotated[
        Money,
        PlainValidator(read_money),
        WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*[A-Z]{3}$", "examples": ["0.05 USD"]}),
    ]


class PaidOptions(ProviderOptions):
    """What may be said of a provider whose jobs cost money."""

    price: PriceSpec | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a provider cannot do, found offline: the manifest field, what is wrong and what would be right."""

    field: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a provider is built from. `project` is the project folder, `examine` looks at what a provider holds.

    `examine_package` does so where that is a folder, `inspect` makes the checks of a spec on it. `sign` turns a source
    in an object store into the same source behind a link that opens it for a day; it raises RejectedError and
    CredentialsError. `allow_private` is the user's word that private and loopback addresses may be opened.
    """

    project: str
    fetch: Fetch
    examine: Examine
    examine_package: ExaminePackage
    inspect: Inspect
    sign: Callable[[Source], Source]
    environment: Mapping[str, str]
    cpus: int
    allow_private: bool = False


class ProviderType(Protocol):
    """A type of provider: what may be said about it, what it cannot do, and how one is built."""

    @property
    def options(self) -> type[ProviderOptions]:
        """The model of what stands under `providers: NAME:`."""

    @property
    def paid(self) -> bool:
        """Whether its jobs cost money."""

    @property
    def holds(self) -> bool:
        """Whether finished files stay with it, to be opened by link."""

    @property
    def builder(self) -> str:
        """`module:function` of `(name, options, workshop) -> Provider`; imported only when a provider is needed."""

    def refusals(
        self, options: BaseModel, source: Source, parameters: Parameters, native: Native | None
    ) -> Sequence[Refusal]:
        """What of an output such a provider cannot do; empty if it can do all of it."""


Build = Callable[[str, Any, Workshop], Provider]


@dataclass(frozen=True, slots=True, eq=False)
class NativeOutput:
    """One output of a provider's own document: its name, what it asks for in our terms, and the original."""

    name: str
    parameters: Mapping[str, object]
    native: Native


@dataclass(frozen=True, slots=True)
class NativeProblem:
    """What is wrong with a provider's own document, and where: the keys and indexes that lead there."""

    path: tuple[str | int, ...]
    message: str
    hint: str


ReadDocument = Callable[[object], tuple[Sequence[NativeOutput], Sequence[NativeProblem]]]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What resolving needs to know of providers: the types by name, and the reader of ByteNite's documents."""

    types: Mapping[str, ProviderType]
    read_document: ReadDocument


def environment_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields of provider options that may be read from the environment."""
    fields = model.model_fields.items()
    return frozenset(
        name for name, field in fields if any(isinstance(each, FromEnvironment) for each in field.metadata)
    )


def from_environment(text: str, environment: Mapping[str, str], whose: str) -> str:
    """What a text stands for: itself, or the variable that it names. Raises CredentialsError if that is not set."""
    match = ENVIRONMENT.fullmatch(text)
    if match is None:
        return text
    value = environment.get(match[1], "").strip()
    if not value:
        raise CredentialsError(
            f"{whose}: the environment variable {match[1]} is not set\n  To set it:  export {match[1]}=..."
        )
    return value
