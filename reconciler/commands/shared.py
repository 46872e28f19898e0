"""The shared state that a URL names. Imported only where there is one."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from reconciler.core.delivery import STORES, to_error
from reconciler.core.errors import UsageError
from reconciler.core.targets import kind_of
from reconciler.io.stores import Patience, Store
from reconciler.store.objects import SharedObjects
from reconciler.store.outside import DEFAULT
from reconciler.store.shared_state import SharedState
from reconciler.store.unsent import FOLDER, WorkFolder

# A state is small and somebody waits for it; what fails for so long is told.
_PATIENCE = Patience(retries=4, seconds=15.0, pause=0.2, whole=120.0, silence=20.0)

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "GOOGLE_BASE_URL", "AZURE_STORAGE_ENDPOINT")


def shared_state(url: str, environment: Mapping[str, str]) -> SharedState:
    """The state at a URL. Raises UsageError."""
    scheme, bucket, prefix = _parts(url)
    name = f"{STORES[scheme]}://{bucket}/{prefix}"
    where = "\n".join([name, *(environment.get(variable, "") for variable in _ENDPOINTS)])
    folder = DEFAULT.parent / FOLDER / hashlib.sha256(where.encode()).hexdigest()[:12]
    return SharedState(
        name=name,
        open=lambda: SharedObjects(Store(kind_of(scheme), bucket, environment, _PATIENCE), prefix, name),
        work=WorkFolder(folder),
        identifier=lambda: secrets.token_hex(6),
    )


def _parts(url: str) -> tuple[str, str, str]:
    """Scheme, bucket and path of a state's URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UsageError(f"--state: this URL cannot be read; {_RIGHT}") from None
    scheme, path = parts.scheme.lower(), parts.path.strip("/")
    if scheme not in STORES:
        raise UsageError(f'--state: a state cannot be kept at "{scheme}://"; {_RIGHT}')
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UsageError(f"--state: credentials and queries do not belong into its URL; {_RIGHT}")
    if not parts.netloc or not path or path.endswith(".json"):
        raise UsageError(f"--state: name the folder of the state in its bucket; {_RIGHT}")
    if to_error(f"{scheme}://{parts.netloc}/{path}") is not None:
        raise UsageError(f"--state: this path holds what a path in a bucket cannot hold; {_RIGHT}")
    return scheme, parts.netloc, path


_RIGHT = "a file, or s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH with credentials in the environment"
