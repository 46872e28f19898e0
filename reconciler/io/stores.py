"""Object stores: objects that appear whole or not at all. Credentials come from the environment alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from reconciler.core.errors import CredentialsError, ProviderError, RejectedError, UnavailableError

Kind = Literal["s3", "gs", "az"]
Made = TypeVar("Made")

_MB = 1 << 20
# A store takes parts from 5 MB on, and no more than 10,000 of them.
PART = 8 * _MB
_MOST_PARTS = 9_000
# Of a file whose length is not known; so it may have 140 GB.
_BLIND_PART = 16 * _MB
_AT_ONCE = 3

_LOOK = 0.05
# How long an upload may take to end after a cancel before it is left to itself: it will never be completed.
_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class _Cloud:
    """One kind of store: the class that speaks to it, the environment that it reads, and what proves who we are.

    Each of `proofs` is a set of variables that are enough together.
    """

    store: str
    prefixes: tuple[str, ...]
    proofs: tuple[tuple[str, ...], ...]
    advice: str


_CLOUDS: Mapping[Kind, _Cloud] = {
    "s3": _Cloud(
        "S3Store",
        ("AWS_",),
        (
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
        ),
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN.",
    ),
    "gs": _Cloud(
        "GCSStore",
        ("GOOGLE_",),
        (
            ("GOOGLE_APPLICATION_CREDENTIALS",),
            ("GOOGLE_SERVICE_ACCOUNT",),
            ("GOOGLE_SERVICE_ACCOUNT_PATH",),
            ("GOOGLE_SERVICE_ACCOUNT_KEY",),
            ("GOOGLE_BEARER_TOKEN",),
        ),
        "Set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account.",
    ),
    "az": _Cloud(
        "AzureStore",
        ("AZURE_",),
        (
            ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),
            ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_SAS_TOKEN"),
            ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_SAS_KEY"),
            ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_TOKEN"),
            ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"),
            ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID"),
        ),
        "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY (or AZURE_STORAGE_SAS_TOKEN).",
    ),
}


@dataclass(frozen=True, slots=True)
class Object:
    """An object as its store sees it: its size in bytes, and the name of its version."""

    size: int
    etag: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of an object is meant: what a store compares before it replaces the object.

    `etag` is compared by S3 and Azure, quotes and all, `number` by Google Cloud Storage.
    """

    etag: str | None
    number: str | None = None


class NoConditionsError(RejectedError):
    """The store does not know writes that depend on what is there already."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How a store is asked again where it fails: so often, for so many seconds, after pauses from `pause` on.

    One request may take `whole` seconds, and be silent for `silence` of them.
    """

    retries: int = 10
    seconds: float = 180.0
    pause: float = 0.2
    whole: float = 600.0
    silence: float = 60.0


class Store:
    """One bucket (a container of Azure). Every method raises ProviderError, without a word of a credential."""

    def __init__(
        self, kind: Kind, bucket: str, environment: Mapping[str, str], patience: Patience = Patience()
    ) -> None:
        """Nothing is asked yet. Raises CredentialsError where the environment holds none."""
        self.name = f"{kind}://{bucket}"
        cloud = _CLOUDS[kind]
        if not any(all(environment.get(name) for name in proof) for proof in cloud.proofs):
            raise CredentialsError(f"{self.name} cannot be used: there are no credentials for it.\n  {cloud.advice}")
        self._obstore = _library("obstore", self.name)
        options: dict[str, object] = {
            "timeout": timedelta(seconds=patience.whole),
            "read_timeout": timedelta(seconds=patience.silence),
        }
        if _plain_http(environment):
            options["allow_http"] = True
        with self._words(""):
            made = getattr(_library("obstore.store", self.name), cloud.store)
            self._store: Any = made(
                bucket,
                config=_config(cloud, environment),
                client_options=options,
                retry_config={
                    "max_retries": patience.retries,
                    "retry_timeout": timedelta(seconds=patience.seconds),
                    "backoff": {"init_backoff": timedelta(seconds=patience.pause), "base": 2},
                },
            )

    @classmethod
    def over(cls, name: str, library_store: object) -> Store:
        """A bucket over a store of the library that was made elsewhere, such as the one in memory."""
        made = cls.__new__(cls)
        made.name, made._store = name, library_store
        made._obstore = _library("obstore", name)
        return made

    def put(self, key: str, pieces: Iterable[bytes], size: int | None, media_type: str | None) -> None:
        """Make an object of `pieces`, `size` bytes in all as far as is known; an older one is replaced.

        What `pieces` raises ends it, and is raised. Then, as at any moment before the last piece, the name has
        what it had before. A process that is killed leaves parts without a name, which no lifecycle rule but
        "abort incomplete multipart uploads" removes.
        """
        kind = {"Content-Type": media_type} if media_type is not None else None
        with self._words(key):
            if size is not None and size <= PART:
                whole = b"".join(pieces)
                self._obstore.put(self._store, key, whole, attributes=kind, use_multipart=False)
                return
            self._obstore.put(
                self._store,
                key,
                iter(pieces),
                attributes=kind,
                use_multipart=True,
                chunk_size=_part_size(size),
                max_concurrency=_AT_ONCE,
            )

    def look(self, key: str) -> Object | None:
        """The object of that name; None if there is none."""
        with self._words(key):
            try:
                found = self._obstore.head(self._store, key)
            except FileNotFoundError:
                return None
        return _object(found)

    def list(self, prefix: str) -> dict[str, Object]:
        """The objects below a prefix, by their names behind it."""
        found: dict[str, Object] = {}
        with self._words(prefix):
            for batch in self._obstore.list(self._store, f"{prefix}/"):
                found.update((each["path"].removeprefix(f"{prefix}/"), _object(each)) for each in batch)
        return found

    def read(self, key: str) -> bytes | None:
        """The content of a small object; None if there is none."""
        with self._words(key):
            try:
                return bytes(self._obstore.get(self._store, key).bytes())
            except FileNotFoundError:
                return None

    def fetch(self, key: str) -> tuple[bytes, Version] | None:
        """The content of an object, and which version of it that is; None if there is none."""
        with self._words(key):
            try:
                found = self._obstore.get(self._store, key)
                return bytes(found.bytes()), _version(found.meta)
            except FileNotFoundError as error:
                if any(words in str(error) for words in _NO_BUCKET):
                    raise
                return None

    def create(self, key: str, content: bytes) -> Version | None:
        """Make an object where there is none; None where there is one already. Raises NoConditionsError too."""
        return self._put_if(key, content, "create")

    def swap(self, key: str, content: bytes, version: Version) -> Version | None:
        """Replace just this version of an object; None where it is another one by now, or gone.

        Raises NoConditionsError too.
        """
        meant = {"e_tag": version.etag, "version": version.number}
        return self._put_if(key, content, {name: value for name, value in meant.items() if value is not None})

    def _put_if(self, key: str, content: bytes, mode: object) -> Version | None:
        known = import_module("obstore.exceptions")
        with self._words(key):
            try:
                return _version(self._obstore.put(self._store, key, content, mode=mode, use_multipart=False))
            except (known.AlreadyExistsError, known.PreconditionError):
                return None
            except (known.NotSupportedError, NotImplementedError):
                raise NoConditionsError(f"{self.name} knows no writes under a condition") from None

    def copy(self, key: str, to: str) -> None:
        """Copy an object within the store; what has the new name is replaced."""
        with self._words(key):
            self._obstore.copy(self._store, key, to)

    def remove(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        with self._words(key):
            try:
                self._obstore.delete(self._store, key)
            except FileNotFoundError:
                return

    def signed(self, key: str, seconds: int) -> str:
        """A link that opens an object for whoever has it, for so long."""
        with self._words(key):
            return str(self._obstore.sign(self._store, "GET", key, timedelta(seconds=seconds)))

    @contextmanager
    def _words(self, key: str) -> Iterator[None]:
        """Turn the library's errors into ours. Theirs hold requests and answers, so none of their text is told."""
        known = import_module("obstore.exceptions")
        where = f"{self.name}/{key}" if key else self.name
        try:
            yield
        except (known.PermissionDeniedError, known.UnauthenticatedError):
            raise CredentialsError(f"{where} is refused: the credentials of the environment may not do that") from None
        except FileNotFoundError:
            raise RejectedError(f"{where} cannot be used: there is no such bucket") from None
        except known.BaseError as error:
            raise _failed(where, str(error)) from None


# How stores say that they know no conditions, or no versions to set them by; and that not only the object is missing.
_NO_CONDITIONS = ("NotImplemented", "MissingVersion", "MissingEtag")
_NO_BUCKET = ("NoSuchBucket", "bucket does not exist", "ContainerNotFound")


def _failed(where: str, text: str) -> ProviderError:
    """What a failure means: a setting that is wrong, or something that may pass."""
    if any(words in text for words in _NO_CONDITIONS):
        return NoConditionsError(f"{where}: the store does not know what it was asked")
    if "Missing" in text or "Unable to" in text or "Invalid" in text or "Config error" in text:
        return RejectedError(f"{where} cannot be used: the settings of the environment for it are not usable")
    return UnavailableError(f"{where} cannot be reached, or broke off. Try again later.")


def abandonable(call: Callable[[], Made], cancelled: Callable[[], bool], what: str) -> Made:
    """The result of a call that runs in a thread of its own; after a cancel it is not waited for for long.

    Raises what the call raises, and UnavailableError after a cancel.
    """
    results: list[Made] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it belongs
            errors.append(error)

    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    while thread.is_alive() and not cancelled():
        thread.join(_LOOK)
    thread.join(_GRACE)
    if errors:
        raise errors[0]
    if not results:
        raise UnavailableError(f"{what} was stopped; the next apply begins it anew")
    return results[0]


def _library(name: str, store: str) -> Any:  # noqa: ANN401 - an optional package
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise RejectedError(
            f"{store} cannot be used: the package for object stores is missing.\n"
            "  pip install 'encode-reconciler[cloud]'"
        ) from error


def _config(cloud: _Cloud, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that the library reads by their own names, in lower case."""
    chosen = {name for proof in cloud.proofs for name in proof} | _SETTINGS
    return {
        name.lower(): value
        for name, value in environment.items()
        if value and name in chosen and name.startswith(cloud.prefixes)
    }


_SETTINGS = {
    *("AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
    *("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "AWS_CHECKSUM_ALGORITHM", "AWS_SERVER_SIDE_ENCRYPTION"),
    *("AWS_SSE_KMS_KEY_ID", "AWS_REQUEST_PAYER", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_ROLE_SESSION_NAME"),
    *("GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT", "AZURE_STORAGE_USE_EMULATOR"),
}


def _plain_http(environment: Mapping[str, str]) -> bool:
    """Whether requests may go unencrypted: to this machine, or where the environment says so."""
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT")
    hosts = {urlsplit(environment.get(name, "")).hostname for name in names}
    return bool(hosts & {"127.0.0.1", "::1", "localhost"}) or environment.get("AWS_ALLOW_HTTP", "").lower() == "true"


def _part_size(size: int | None) -> int:
    if size is None:
        return _BLIND_PART
    return max(PART, -(-size // _MOST_PARTS // _MB) * _MB)


def _object(found: Mapping[str, Any]) -> Object:
    etag = found.get("e_tag")
    return Object(int(found["size"]), str(etag).strip('"') if etag else None)


def _version(found: Mapping[str, Any]) -> Version:
    return Version(found.get("e_tag"), found.get("version"))
