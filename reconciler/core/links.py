"""When a signed link dies, read from the link itself. Offline: no server is asked."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from reconciler.core import signers
from reconciler.core.signers import SIGNERS, jwt_expiry, may_hold_steps, said_by, step_kind, token_kind

_STAMP = "%Y-%m-%dT%H:%M:%SZ"
# What the signers of V4 allow; a longer lifetime is refused by the stores, so such a link says nothing more.
_WEEK = 604_800
# How long a link must live at least to be of use, in seconds.
_MARGIN = 600
# Later than any link lives (9999-12-31), and short enough that no arithmetic on it takes long.
_LATEST = 253_402_300_799
_AZURE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.\d{1,7})?)?Z)?")

Said = Mapping[str, str]


def link_expires_at(url: str, signed_now: str) -> str | None:
    """When a link dies (RFC 3339, UTC, whole seconds); None if it does not say, or is not signed.

    `signed_now` is when the link was got (RFC 3339): a signature that holds a lifetime and no moment counts from
    there. Temporary credentials behind a signature may die earlier, which no link tells. Of several signatures
    the first that dies counts.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    got = _moment(signed_now, _STAMP)
    ends = [end for end in _ends(parts.path, parts.query, got) if end is not None]
    return min(ends).strftime(_STAMP) if ends else None


def link_problem(url: str, now: str, needed: float = 0.0) -> str | None:
    """Why a signed link is not to be relied on at `now` (RFC 3339), as a sentence with the time left; else None.

    It must live ten minutes longer than now, and twice as long as the `needed` seconds that a fetch, with the
    queue before it, may take.
    """
    end, since = link_expires_at(url, now), _moment(now, _STAMP)
    if end is None or since is None:
        return None
    left = (datetime.strptime(end, _STAMP).replace(tzinfo=UTC) - since).total_seconds()
    if left <= 0:
        return f"its link died at {end}; sign it anew"
    if left < max(_MARGIN, 2 * needed):
        return f"its link dies in {_span(left)}, at {end}, perhaps before it is fetched; sign it anew"
    return None


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{int(seconds)} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _ends(path: str, query: str, got: datetime | None) -> Iterator[datetime | None]:
    said = said_by(query)
    for signer in SIGNERS:
        if signer.signs(said):
            yield _READERS[signer.name](said, got)
    for name, value in said.items():
        kind = token_kind(name, value)
        if kind is not None:
            yield _TOKENS[kind](value)
    for step in path.split("/") if may_hold_steps(path) else ():
        found = step_kind(step)
        if found is not None:
            yield _TOKENS[found[0]](found[1])


def _epoch(text: str) -> datetime | None:
    """Seconds since the epoch, as digits."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 12) or int(text) > _LATEST:
        return None
    return datetime.fromtimestamp(int(text), UTC)


def _moment(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None


def _after(since: datetime | None, lifetime: str) -> datetime | None:
    """So many seconds after a moment."""
    if since is None or not (lifetime.isascii() and lifetime.isdecimal() and len(lifetime) <= 12):
        return None
    try:
        return since + timedelta(seconds=min(int(lifetime), _WEEK))
    except OverflowError:
        return None


def _v4(prefix: str) -> Callable[[Said, datetime | None], datetime | None]:
    """A date and a lifetime in seconds, as all signatures of the fourth version have them."""

    def read(said: Said, got: datetime | None) -> datetime | None:
        date = said.get(f"{prefix}-date")
        since = got if date is None else _moment(date, "%Y%m%dT%H%M%SZ")
        return _after(since, said.get(f"{prefix}-expires", ""))

    return read


def _expires(said: Said, _: datetime | None) -> datetime | None:
    return _epoch(said.get("expires", ""))


def _oss(said: Said, got: datetime | None) -> datetime | None:
    """The second version holds a moment, the fourth a date and a lifetime."""
    if said["x-oss-signature-version"].upper() == "OSS2":
        return _epoch(said.get("x-oss-expires", ""))
    return _v4("x-oss")(said, got)


def _policy(said: Said, _: datetime | None) -> datetime | None:
    """CloudFront's custom policy: JSON in a base64 of its own."""
    text = said["policy"].replace("-", "+").replace("_", "=").replace("~", "/")
    try:
        policy = json.loads(base64.b64decode(text, validate=True))
        ends = [each["Condition"]["DateLessThan"]["AWS:EpochTime"] for each in policy["Statement"]]
        return min((end for each in ends if (end := _epoch(str(each))) is not None), default=None)
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return None


def _azure(said: Said, _: datetime | None) -> datetime | None:
    """`se`, and for a user's delegation key `ske`; a stored access policy (`si`) alone says nothing."""
    ends = (_azure_time(said.get(name, "")) for name in ("se", "ske"))
    return min((end for end in ends if end is not None), default=None)


def _azure_time(text: str) -> datetime | None:
    match = _AZURE_TIME.fullmatch(text.upper())
    return None if match is None else _moment(f"{match[1]}T{match[2] or '00:00'}:{match[3] or '00'}Z", _STAMP)


def _cos(said: Said, _: datetime | None) -> datetime | None:
    """The second number of `start;end`, of the signature and of the key that it was made with."""
    ends = (_epoch(said.get(name, "").partition(";")[2]) for name in ("q-sign-time", "q-key-time"))
    return min((end for end in ends if end is not None), default=None)


_READERS: Mapping[str, Callable[[Said, datetime | None], datetime | None]] = {
    signers.SIGV4: _v4("x-amz"),
    signers.GOOGLE_V4: _v4("x-goog"),
    signers.CLOUDFRONT_CUSTOM: _policy,
    signers.AZURE: _azure,
    signers.OSS: _oss,
    signers.COS: _cos,
    **dict.fromkeys(
        (
            *(signers.SIGV2, signers.CLOUDFRONT_CANNED, signers.GOOGLE_V2, signers.GOOGLE_CDN, signers.OSS_V1),
            *(signers.OBS, signers.BUNNY),
        ),
        _expires,
    ),
}


def _field(value: str, name: str, separators: str) -> datetime | None:
    """A field of a token that is a list of them."""
    fields = (each.partition("=") for each in re.split(separators, value))
    return next((_epoch(text) for key, _, text in fields if key.lower() == name), None)


def _jwt(value: str) -> datetime | None:
    expiry = jwt_expiry(value)
    return _epoch(str(int(expiry))) if expiry is not None and 0 <= expiry <= _LATEST else None


_TOKENS: Mapping[str, Callable[[str], datetime | None]] = {
    signers.AKAMAI: lambda value: _field(value, "exp", "~"),
    signers.AKAMAI_OLD: lambda value: _epoch(value.partition("_")[0]),
    signers.MEDIA_CDN: lambda value: _field(value, "expires", "[~&]"),
    signers.JWT: _jwt,
}
