"""What a source URL is called: the same however it is signed, escaped or ordered.

What a signature is, `core/signers.py` knows. A parameter is dropped only as part of one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, quote, urlsplit

from reconciler.core.signers import SIGNERS, may_hold_steps, said_by, step_kind, step_meant, token_kind, unescaped

SCHEMES = ("http", "https")
_PORTS = {"http": 80, "https": 443}
_SAFE_URL = re.compile(r"https?://[a-z0-9.-]+/[A-Za-z0-9._~/!$&'()*+,;=:@-]*")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH = "!$&'()*+,;=:@/%"
_QUERY = _PATH + "?"

# Names of parameters whose values are kept secret, whoever signs with them.
_CREDENTIAL = re.compile(r"token|sig|secret|passw|pwd|auth|key|jwt|hmac|hdn|credential|policy|session|ticket|md5|hash")
_TOLD = re.compile(r"sha256-[0-9a-f]{12}")


def url_error(url: str) -> tuple[str, str] | None:
    """Why a URL cannot be a source, and what to do; None if it can."""
    if _SAFE_URL.fullmatch(url):
        return None
    if any(letter <= " " or letter == "\x7f" for letter in url):
        return "a URL cannot hold spaces or control characters", "Write a space as %20."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "this is not a URL", "Write  https://HOST/PATH"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        advice = 'Sign the URL and keep it in the environment:  {id: NAME, url: "${env.NAME_URL}"}'
        return "a URL with a user name or password: credentials never stand in specs", advice
    if not parts.hostname or port == 0:
        return "this URL names no host", "Write  https://HOST/PATH"
    return None


def without_query(url: str) -> str:
    """A URL as it may be recorded and shown: without the query, without signatures in its path, without a user."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(query="", fragment="", netloc=host, path=_unsigned(parts.path)).geturl()


def identity(url: str, ignore_query: Iterable[str] = ()) -> str:
    """The name of what an http(s) URL leads to.

    Scheme and host in lower case, no default port, one spelling of escapes, the query sorted, without
    signatures, without the parameters named in `ignore_query`, without a fragment. What looks like a credential
    of a signer that nobody knows is there as a digest: it may choose content, and it must not be told.
    """
    if not may_hold_steps(url) and _SAFE_URL.fullmatch(url):
        return url
    parts = urlsplit(url)
    path = _escaped(_unsigned(parts.path), _PATH) or "/"
    query = "&".join(sorted(_kept(parts.query, frozenset(name.lower() for name in ignore_query))))
    return f"{parts.scheme.lower()}://{_host(parts)}{path}" + (f"?{query}" if query else "")


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    return host if port is None or port == _PORTS.get(parts.scheme.lower()) else f"{host}:{port}"


def _kept(query: str, ignored: frozenset[str]) -> list[str]:
    """The parameters that may choose content, each with one spelling of its escapes."""
    if not query:
        return []
    said = said_by(query)
    signers = [signer for signer in SIGNERS if signer.signs(said)]
    parts = [(_name(part), part) for part in query.split("&") if part]
    return [
        _untold(name, _escaped(part, _QUERY))
        for name, part in parts
        if name not in ignored
        and token_kind(name, unescaped(part.partition("=")[2])) is None
        and not any(signer.drops(name) for signer in signers)
    ]


def _untold(name: str, part: str) -> str:
    """A parameter as it is, or with a digest for a value that looks like a credential."""
    spelled, equals, value = part.partition("=")
    if not value or not _CREDENTIAL.search(name) or _TOLD.fullmatch(value):
        return part
    return f"{spelled}{equals}sha256-{hashlib.sha256(value.encode()).hexdigest()[:12]}"


def _name(part: str) -> str:
    return unescaped(part.partition("=")[0]).lower()


def _unsigned(path: str) -> str:
    """A path without the steps that are signatures."""
    if not may_hold_steps(path):
        return path
    steps = (step if step_kind(step) is None else step_meant(step) for step in path.split("/"))
    return "/".join(step for step in steps if step is not None)


def _escaped(text: str, safe: str) -> str:
    """Unreserved characters plain, all others escaped, in upper case; reserved ones as they are."""
    return _ESCAPE.sub(_normal_escape, quote(text, safe=safe))


def _normal_escape(match: re.Match[str]) -> str:
    byte = int(match[0][1:], 16)
    return chr(byte) if byte in _UNRESERVED else match[0].upper()
