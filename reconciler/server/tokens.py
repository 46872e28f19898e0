"""Who is let in: API keys, and the access tokens that they are exchanged for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.server.database import Database
from reconciler.server.errors import ApiError

ISSUER = "https://auth.bytenite.com/"
_HEADER = {"alg": "HS256", "typ": "JWT"}
_AUDIENCE = "bytenite-app"


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token, and how many seconds it lives."""

    token: str
    seconds: int


class Tokens:
    """Exchanges keys for tokens, and reads tokens. A token dies with its key."""

    def __init__(
        self,
        keys: Sequence[str],
        signing_key: bytes,
        database: Database,
        *,
        seconds: int,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._keys = {fingerprint(key): _digest(key) for key in keys}
        self._signing_key = hmac.digest(signing_key, b"tokens", "sha256")
        self._database = database
        self._seconds = seconds
        self._clock = clock
        self._new_id = new_id

    def exchange(self, key: str, user: str) -> Issued:
        """A token for a key. Raises ApiError (401) for a key that is not ours."""
        given, found = _digest(key), ""
        for name, digest in self._keys.items():
            # All of them, so that the time it takes says nothing.
            if hmac.compare_digest(digest, given):
                found = name
        if not found:
            raise ApiError(401, "the API key is not known to this server")
        now = int(self._clock().timestamp())
        return Issued(self._signed(_claims(found, user, now, self._seconds, self._new_id())), self._seconds)

    def claims(self, header: str) -> Mapping[str, Any]:
        """What a token says, from an Authorization header with or without `Bearer`. Raises ApiError (401)."""
        token = header.strip()
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        if not token:
            raise ApiError(401, "no access token: send it in the Authorization header")
        found = self._read(token)
        if found is None:
            raise ApiError(401, "the access token is not valid")
        # Its second is begun when it is issued, so it ends after that of its expiry: never earlier than was promised.
        if int(self._clock().timestamp()) > found["exp"]:
            raise ApiError(401, "the access token has expired: exchange the API key for a new one")
        if found["ext"]["key"] not in self._keys or self._is_signed_out(found["jti"]):
            raise ApiError(401, "the access token was revoked: exchange the API key for a new one")
        return found

    def sign_out(self, claims: Mapping[str, Any]) -> None:
        """Let nobody in with this token any more."""
        now = int(self._clock().timestamp())
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM signed_out WHERE expires_at < ?", (now,))
            connection.execute("INSERT OR IGNORE INTO signed_out VALUES (?, ?)", (claims["jti"], claims["exp"]))

    def _is_signed_out(self, token_id: str) -> bool:
        return bool(self._database.rows("SELECT 1 FROM signed_out WHERE token_id = ?", (token_id,)))

    def _signed(self, claims: Mapping[str, Any]) -> str:
        text = f"{_encoded(_HEADER)}.{_encoded(claims)}"
        return f"{text}.{self._signature(text)}"

    def _signature(self, text: str) -> str:
        return _base64(hmac.digest(self._signing_key, text.encode(), "sha256"))

    def _read(self, token: str) -> Mapping[str, Any] | None:
        text, _, signature = token.rpartition(".")
        # Of latin-1 headers only ASCII can be ours.
        if not token.isascii() or not hmac.compare_digest(self._signature(text), signature):
            return None
        body = text.partition(".")[2]
        claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return claims


def fingerprint(key: str) -> str:
    """What names a key without telling it."""
    return hashlib.sha256(b"reconciler key " + key.encode()).hexdigest()[:16]


def _claims(key: str, user: str, now: int, seconds: int, token_id: str) -> dict[str, object]:
    extra = {"device_id": "", "display_name": "reconciler", "email": "", "email_verified": False, "role": 1, "key": key}
    return {
        "aud": [_AUDIENCE],
        "client_id": _AUDIENCE,
        "exp": now + seconds,
        "ext": extra,
        "iat": now,
        "iss": ISSUER,
        "jti": token_id,
        "nbf": now,
        "scope": ["openid"],
        "sub": user,
    }


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.strip().encode()).digest()


def _encoded(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
