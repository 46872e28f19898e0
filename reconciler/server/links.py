"""Links that open one file, or one folder, until they expire.

The query looks like that of a signed URL of Google Cloud Storage, since clients read its date and lifetime. A
playlist's segments are named relative to it and take no query along: a folder's signature stands in its path, as
Akamai's does, so that clients know it for one.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

_ALGORITHM = "GOOG4-HMAC-SHA256"
_STAMP = "%Y%m%dT%H%M%SZ"
_SIGNED = ("X-Goog-Algorithm", "X-Goog-Credential", "X-Goog-Date", "X-Goog-Expires", "X-Goog-SignedHeaders")
_SIGNATURE = "X-Goog-Signature"
_FOLDER_TOKEN = re.compile(r"hdnts=exp=(\d{1,12})~hmac=([0-9a-f]{64})")


class LinkError(Exception):
    """A link that opens nothing, in the words of the storage that such links come from."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def xml(self) -> str:
        """The body."""
        told = f"<Code>{self.code}</Code><Message>{self.message}</Message>"
        return f"<?xml version='1.0' encoding='UTF-8'?><Error>{told}</Error>"


class Links:
    """Signs and checks. `seconds` is the lifetime of a new link."""

    def __init__(self, signing_key: bytes, *, seconds: int, clock: Callable[[], datetime]) -> None:
        self._key = hmac.digest(signing_key, b"links", "sha256")
        # One second less than was asked for, as the storage does it: 4 h are 14399 s.
        self._seconds = max(seconds - 1, 1)
        self._clock = clock

    def signed(self, purpose: str, path: str) -> str:
        """`path` (not yet quoted) with the query that opens it for a purpose: GET or PUT."""
        now = self._clock().astimezone(UTC)
        day = now.strftime("%Y%m%d")
        query = {
            "X-Goog-Algorithm": _ALGORITHM,
            "X-Goog-Credential": f"reconciler@serve/{day}/auto/storage/goog4_request",
            "X-Goog-Date": now.strftime(_STAMP),
            "X-Goog-Expires": str(self._seconds),
            "X-Goog-SignedHeaders": "host",
        }
        query[_SIGNATURE] = self._signature(purpose, path, query)
        return f"{quote(path)}?{urlencode(query)}"

    def check(self, purpose: str, path: str, query: Mapping[str, str]) -> None:
        """Raise LinkError unless the query opens the path now."""
        if _SIGNATURE not in query:
            raise LinkError(403, "AccessDenied", "The link has no signature.")
        if not _equal(self._signature(purpose, path, query), query[_SIGNATURE]):
            raise LinkError(403, "SignatureDoesNotMatch", "The signature is not that of this link.")
        # What was signed by us is well-formed.
        signed_at = datetime.strptime(query["X-Goog-Date"], _STAMP).replace(tzinfo=UTC)
        if self._clock() >= signed_at + timedelta(seconds=int(query["X-Goog-Expires"])):
            raise LinkError(403, "ExpiredToken", "The link has expired. Ask for the results again.")

    def folder_token(self, job_id: str) -> str:
        """The step in the path of a link that opens a folder of files."""
        expires = str(int(self._clock().timestamp()) + self._seconds)
        return f"hdnts=exp={expires}~hmac={self._folder_signature(job_id, expires)}"

    def check_folder(self, token: str, job_id: str) -> None:
        """Raise LinkError unless the token opens the folder of a job now."""
        match = _FOLDER_TOKEN.fullmatch(token)
        if match is None or not _equal(self._folder_signature(job_id, match[1]), match[2]):
            raise LinkError(403, "SignatureDoesNotMatch", "The signature is not that of this folder.")
        if self._clock().timestamp() >= int(match[1]):
            raise LinkError(403, "ExpiredToken", "The link has expired. Ask for the results again.")

    def _folder_signature(self, job_id: str, expires: str) -> str:
        return hmac.digest(self._key, f"folder\n{job_id}\n{expires}".encode(), "sha256").hex()

    def _signature(self, purpose: str, path: str, query: Mapping[str, str]) -> str:
        text = "\n".join([purpose, path, *(f"{name}={query.get(name, '')}" for name in _SIGNED)])
        return hmac.digest(self._key, text.encode(), "sha256").hex()


def _equal(one: str, other: str) -> bool:
    return other.isascii() and hmac.compare_digest(one, other)
