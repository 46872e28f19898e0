"""The provider type `bytenite`, offline: what may be said of it in a spec, and what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from reconciler.bytenite.refusals import parameter_refusals, source_refusals
from reconciler.bytenite.stores import read_place
from reconciler.bytenite.template import TemplateError, read_template
from reconciler.core.encode import Native, Source
from reconciler.core.parameters import Parameters, Seconds
from reconciler.core.provider_types import EnvironmentText, NativeOutput, NativeProblem, PaidOptions, Refusal, Secret
from reconciler.core.sources import SIGNED, scheme_of
from reconciler.core.strict import Strict

TEMPORARY = "temporary"


def _destination(value: str) -> str:
    if value != TEMPORARY and read_place(value) is None:
        raise ValueError(f'"{value}" is no destination; write temporary, or s3://bucket/folder, gs://..., storj://...')
    return value


class StoreOptions(Strict):
    """How ByteNite opens a store: the id of a secret that it keeps, and the region of the bucket."""

    secret_id: Annotated[str, Field(min_length=1, max_length=200, strict=True)]
    region: Annotated[str, Field(max_length=60, strict=True)] = ""


class ByteniteOptions(PaidOptions):
    """What stands under `providers: NAME:` with `type: bytenite`.

    `retention` is how long files stay in the temporary bucket after a job's end, in seconds. `document` is whether
    the encoding document is sent as it is or under `app`; `auto`: as the generation has it.
    """

    type: Literal["bytenite"]
    api_url: EnvironmentText = "https://api.bytenite.com/v1"
    api_key: Secret = "${env.BYTENITE_API_KEY}"
    generation: Literal["auto", "legacy", "current"] = "auto"
    auth: Literal["raw", "bearer"] = "raw"
    segment: Literal["customer", "computing"] = "customer"
    template_id: Annotated[str, Field(min_length=1, max_length=200, strict=True)] = "video-transcoding@v0.2"
    retention: Annotated[Seconds, Field(gt=0, le=365 * 86400)] = 48 * 3600
    destination: Annotated[str, Field(strict=True), AfterValidator(_destination)] = TEMPORARY
    stores: Mapping[Literal["s3", "gs", "storj"], StoreOptions] = Field(default_factory=dict)
    requests_per_second: Annotated[float, Field(gt=0, le=1000, strict=True)] = 5.0
    document: Literal["auto", "flat", "app"] = "auto"

    @property
    def kept_seconds(self) -> float | None:
        """See ProviderOptions."""
        return float(self.retention) if self.destination == TEMPORARY else None


class ByteniteType:
    """Implements core.provider_types.ProviderType."""

    options = ByteniteOptions
    paid = True
    holds = True
    builder = "reconciler.bytenite.provider:built"

    def refusals(
        self, options: BaseModel, source: Source, parameters: Parameters, native: Native | None
    ) -> Sequence[Refusal]:
        """See core.provider_types.ProviderType. A native output is sent as it stands, so only its source is judged."""
        assert isinstance(options, ByteniteOptions), "the options of this type"
        found = [*source_refusals(source), *([] if native is not None else parameter_refusals(parameters))]
        return [Refusal(one.field, one.message, one.hint) for one in found] + [*_stores(options, source), *_pin(source)]


KIND = ByteniteType()


def read_document(document: object) -> tuple[Sequence[NativeOutput], Sequence[NativeProblem]]:
    """The outputs of a ByteNite encoding document, in our terms; or everything that is wrong with it."""
    try:
        read = read_template(document)
    except TemplateError as error:
        return (), [NativeProblem(one.path, one.message, one.hint) for one in error.problems]
    return [
        NativeOutput(one.name, one.parameters, Native(read.document, one.original, one.extras)) for one in read.outputs
    ], ()


def _stores(options: ByteniteOptions, source: Source) -> Iterator[Refusal]:
    """Stores that are used, for which no secret is named, and that we sign no links to."""
    scheme = scheme_of(source)
    signed = scheme in SIGNED and scheme not in options.stores
    used = [("source", source.location)] if scheme and not signed else []
    used += [("destination", options.destination)] if options.destination != TEMPORARY else []
    for field, location in used:
        place = read_place(location)
        if place is None:
            hint = "Write s3://bucket/path, gs://bucket/path or storj://bucket/path."
            yield Refusal(field, f'ByteNite cannot open "{source.identity}"', hint)
        elif place.scheme not in options.stores:
            hint = f"Write under the provider:  stores: {{{place.scheme}: {{secret_id: ID, region: REGION}}}}"
            yield Refusal(field, f"no secret is named with which ByteNite opens {place.scheme}://", hint)


def _pin(source: Source) -> Iterator[Refusal]:
    """A digest that nobody would check, since ByteNite reads the source itself."""
    if source.sha256 is not None and source.kind in {"http", "store"}:
        hint = "Leave sha256 out, or give the source as a local file, which is checked before it is uploaded."
        yield Refusal("source.sha256", "ByteNite fetches the source itself and does not compare its digest", hint)
