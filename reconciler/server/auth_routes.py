"""`/v1/auth`: tokens for keys, who is asking, and secrets that can be written but not read."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from reconciler import __version__
from reconciler.server.bodies import Plain, field, mapping, text
from reconciler.server.errors import accepted, invalid, missing
from reconciler.server.requests import Body, Claims, Server, documented
from reconciler.server.tokens import fingerprint

router = APIRouter(prefix="/v1/auth", tags=["auth"])

_TYPES = ("aws", "s3", "gcp", "storj", "other")


@router.post("/access_token", openapi_extra=documented({"apiKey": "YOUR_API_KEY"}))
async def access_token(body: Body, house: Server) -> dict[str, str]:
    """Exchange an API key for an access token."""
    key = text(body, "api_key")
    if not key:
        raise invalid("apiKey is missing")
    issued = await run_in_threadpool(house.tokens.exchange, key, house.account)
    return {"token": issued.token, "expiresIn": str(issued.seconds), "scope": "openid"}


@router.post("/signout")
def sign_out(claims: Claims, house: Server) -> dict[str, object]:
    """Make a token worthless."""
    house.tokens.sign_out(claims)
    return accepted()


@router.get("/info")
def info() -> dict[str, object]:
    """The version of this server."""
    return {"version": version()}


@router.get("/user")
def user(claims: Claims, house: Server) -> dict[str, object]:
    """Who the token belongs to: there is one account."""
    told = {
        "id": claims["sub"],
        "createdAt": house.account_since,
        "lastLogin": None,
        "displayName": "reconciler",
        "email": "",
        "phoneNumber": "",
        "photoUrl": "",
        "providerId": "",
        "emailVerified": False,
        "customClaims": None,
        "role": "ROLE_USER",
    }
    return {"user": told}


@router.get("/api_keys")
def api_keys(claims: Claims, house: Server) -> dict[str, object]:
    """The keys that let people in, by their fingerprints."""
    return {"apiKeys": [_told_key(fingerprint(key), claims["sub"]) for key in house.settings.keys]}


@router.post(
    "/secrets", openapi_extra=documented({"secret": {"id": "my_secret", "secretType": "aws"}, "secretKey": "..."})
)
def save_secret(body: Body, _: Claims, house: Server) -> dict[str, object]:
    """Keep a secret, or replace the one of its id."""
    secret = mapping(field(body, "secret"), "secret")
    kind, key = text(secret, "secret_type", "secret."), text(body, "secret_key")
    if kind not in _TYPES:
        raise invalid(f"secret.secretType must be one of {', '.join(_TYPES)}")
    if not key:
        raise invalid("secretKey is missing")
    secret_id = text(secret, "id", "secret.") or house.desk.new_id()
    kept = msgspec.json.encode(_told_secret(secret, secret_id, kind))
    house.database.forget("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?)", (kind, secret_id, kept, key))
    return accepted(secret_id)


@router.get("/secrets")
def secrets(_: Claims, house: Server, secretType: str = "") -> dict[str, object]:  # noqa: N803 - the name on the wire
    """The secrets that are kept, without their keys."""
    rows = house.database.rows(
        "SELECT body FROM secrets WHERE type = ? OR ? = '' ORDER BY type, id", (secretType, secretType)
    )
    return {"secrets": [_decoded(body) for (body,) in rows]}


@router.delete("/secrets/{secret_type}/{secret_id}")
def delete_secret(secret_type: str, secret_id: str, _: Claims, house: Server) -> dict[str, object]:
    """Forget a secret."""
    if not house.database.forget("DELETE FROM secrets WHERE type = ? AND id = ?", (secret_type, secret_id)):
        raise missing("there is no such secret")
    return accepted()


def version() -> dict[str, str]:
    """Our version, as ByteNite tells its own."""
    major, minor, *rest = [*__version__.split("."), "0", "0"]
    return {"major": major, "minor": minor, "tag": f"reconciler-{major}.{minor}.{rest[0]}"}


def _told_secret(secret: Plain, secret_id: str, kind: str) -> dict[str, Any]:
    kept = {"id": secret_id, "secretType": kind, "accessKey": text(secret, "access_key", "secret.")}
    return {
        **kept,
        "name": field(secret, "name"),
        "expiresAt": field(secret, "expires_at"),
        "params": field(secret, "params"),
    }


def _decoded(body: object) -> object:
    assert isinstance(body, bytes), "the column is a blob"
    return msgspec.json.decode(body)


def _told_key(name: str, user: str) -> dict[str, object]:
    dates = {"issuedAt": None, "expiresAt": None}
    return {"id": name, "name": "", **dates, "userId": user, "revoked": False, "fingerprint": name}
