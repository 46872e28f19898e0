"""Has the content behind a URL changed? What a server says of it, and what follows from two such sayings.

Ranked, strongest first: a digest of the content, the version of an object, a strong ETag with the length, then
what is weak: a weak ETag, Last-Modified, the length alone. The strongest that both sides have decides, so that
better evidence learnt later never is a change. Weak evidence can say "same"; where it differs nobody knows.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

# Digests by strength, with the bytes that each has.
_DIGESTS = {"sha256": 32, "sha512": 64, "sha1": 20, "md5": 16, "crc64nvme": 8, "crc32c": 4, "crc32": 4}
_AMAZON = ("sha256", "sha1", "crc64nvme", "crc32c", "crc32")
_VERSIONS = ("x-amz-version-id", "x-goog-generation", "x-ms-version-id")
_MULTIPART = re.compile(r'"?[0-9a-fA-F]{32}-(\d{1,5})"?')
_TOTAL = re.compile(r"bytes (?:\d{1,18}-\d{1,18}|\*)/(\d{1,18})")
_LONGEST = 200  # characters of an ETag or a version that are worth keeping
_PART, _UNSATISFIABLE = 206, 416


class Content(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is known of a source's content. `size` in bytes, `digests` in hex by name, `etag` as it was sent."""

    size: int | None = None
    digests: Mapping[str, str] = {}
    version: str | None = None
    etag: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Same:
    """Nothing says that it changed; `by` names what both sides agree in, strongest first."""

    by: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The content is another one; `why` holds both values."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is known does not decide; `why` is worth a warning, never a rerun."""

    why: str


Verdict = Same | Changed | Unknown


def compare(recorded: Content, seen: Content) -> Verdict:
    """Whether the content that was recorded is the one that is seen now."""
    if recorded.size is not None and seen.size is not None and recorded.size != seen.size:
        return Changed(f"{recorded.size:,} -> {seen.size:,} bytes")
    for rule in (_by_digest, _by_version, _by_etag, _by_weak_etag, _by_date):
        verdict = rule(recorded, seen)
        if verdict is not None:
            return verdict
    if recorded.size is not None and seen.size is not None:
        return Same("size")
    return Unknown("nothing is known of it that could be compared")


def merged(recorded: Content, seen: Content) -> Content:
    """What is known after content that is the same was seen again: the newer of everything."""
    return Content(
        size=seen.size if seen.size is not None else recorded.size,
        digests=dict(sorted({**recorded.digests, **seen.digests}.items())),
        version=seen.version or recorded.version,
        etag=seen.etag or recorded.etag,
        modified=seen.modified or recorded.modified,
    )


def content_of(status: int, headers: Mapping[str, str]) -> Content:
    """What an answer to a ranged GET says of the whole content; names of headers in any case."""
    said = {name.lower(): value.strip() for name, value in headers.items()}
    digests = {name: digest for name, digest in _digests(status, said) if digest}
    return Content(
        size=_size(status, said),
        digests=dict(sorted(digests.items())),
        version=next((text for name in _VERSIONS if (text := _text(said, name)) and text != "null"), None),
        etag=_text(said, "etag"),
        modified=_text(said, "last-modified"),
    )


def _by_digest(recorded: Content, seen: Content) -> Verdict | None:
    for name in _DIGESTS:
        before, now = recorded.digests.get(name), seen.digests.get(name)
        if before is not None and now is not None:
            return Same(name) if before == now else Changed(f"{name} {before:.12} -> {now:.12}")
    return None


def _by_version(recorded: Content, seen: Content) -> Verdict | None:
    """An object that was written again has another version; with the same strong ETag it is the same content."""
    if recorded.version is None or seen.version is None:
        return None
    if recorded.version == seen.version:
        return Same("version")
    if _strong(recorded) and recorded.etag == seen.etag and recorded.size == seen.size is not None:
        return Same("ETag")
    return Changed(f"version {recorded.version:.24} -> {seen.version:.24}")


def _by_etag(recorded: Content, seen: Content) -> Verdict | None:
    if not (_strong(recorded) and _strong(seen)):
        return None
    if recorded.etag == seen.etag:
        return Same("ETag")
    change = f"ETag {recorded.etag:.40} -> {seen.etag:.40}"
    if _parts(recorded.etag) != _parts(seen.etag):
        # The ETag of an upload in parts depends on how it was cut.
        return Unknown(f"{change}: it was uploaded in another way, perhaps with the same content")
    return Changed(change)


def _by_weak_etag(recorded: Content, seen: Content) -> Verdict | None:
    if recorded.etag is None or seen.etag is None:
        return None
    if _opaque(recorded.etag) == _opaque(seen.etag):
        return Same("weak ETag")
    return Unknown(f"weak ETag {recorded.etag:.40} -> {seen.etag:.40}")


def _by_date(recorded: Content, seen: Content) -> Verdict | None:
    if recorded.modified is None or seen.modified is None:
        return None
    if recorded.modified == seen.modified:
        return Same("Last-Modified")
    return Unknown(f"Last-Modified {recorded.modified} -> {seen.modified}")


def _strong(content: Content) -> bool:
    """Whether its ETag tells any two contents apart: not weak, nor that of a compressed variant."""
    etag = content.etag
    return etag is not None and not etag.startswith("W/") and not etag.rstrip('"').endswith("-gzip")


def _opaque(etag: str) -> str:
    return etag.removeprefix("W/").strip('"').removesuffix("-gzip")


def _parts(etag: str | None) -> int:
    """In how many parts an object of S3 was uploaded; 0 if in one go, or if this is no ETag of that kind."""
    match = _MULTIPART.fullmatch(etag or "")
    return int(match[1]) if match is not None else 0


def _size(status: int, said: Mapping[str, str]) -> int | None:
    """The length of the content as it is read; None where the server sends it packed, or unpacks it."""
    packed = {said.get("content-encoding", ""), said.get("x-goog-stored-content-encoding", "")}
    if packed - {"", "identity", "aws-chunked"}:
        return None
    # Some servers send a part and do not say so in the status.
    if status in {_PART, _UNSATISFIABLE} or "content-range" in said:
        match = _TOTAL.fullmatch(said.get("content-range", ""))
        return int(match[1]) if match is not None else None
    text = said.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _digests(status: int, said: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Every digest of the whole content, by name; None for what is none."""
    if said.get("x-amz-checksum-type", "FULL_OBJECT").upper() == "FULL_OBJECT":
        for name in _AMAZON:
            yield name, _hex(name, said.get(f"x-amz-checksum-{name}", ""))
    for name, value in _listed(said.get("x-goog-hash", "")):
        yield name, _hex(name, value)
    yield "md5", _hex("md5", said.get("x-ms-blob-content-md5", ""))
    if status != _PART:
        yield "md5", _hex("md5", said.get("content-md5", ""))
    for header in ("digest", "repr-digest"):
        for name, value in _listed(said.get(header, "")):
            plain = name.replace("-", "")
            yield plain, _hex(plain, value.strip(":"))


def _listed(text: str) -> Iterator[tuple[str, str]]:
    for entry in text.split(","):
        name, _, value = entry.strip().partition("=")
        yield name.lower(), value


def _hex(name: str, text: str) -> str | None:
    """A digest in base64 as hex; None if it is not one, as that of an upload in parts (`...-3`)."""
    length = _DIGESTS.get(name)
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == length else None


def _text(said: Mapping[str, str], name: str) -> str | None:
    value = said.get(name, "")
    return value if value and len(value) <= _LONGEST and value.isascii() and value.isprintable() else None
