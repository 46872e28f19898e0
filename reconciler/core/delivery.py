"""What a spec may say under `deliver:`, and what else becomes of finished outputs. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Discriminator, StringConstraints, Tag

from reconciler.core.names import suggestion
from reconciler.core.strict import Strict

DEFAULT_PATH = "{encode}/{output}.{ext}"
STORES = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "azure": "az"}

FIELD = re.compile(r"\{([^{}]*)\}")
_NAMES = ("encode", "output", "ext", "fingerprint8", "container", "height")
STORE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_BUCKET = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]{1,220}")
_UNFIT = re.compile("[\x00-\x1f\x7f\\\\\ud800-\udfff]")


def to_error(to: str) -> str | None:
    """Why nothing can be delivered there, as a sentence with what would be right; None if it can."""
    store = STORE.match(to)
    if not to:
        return "it is empty; write a folder, or s3:// gs:// az:// BUCKET/PATH"
    if store is None:
        return _folder_error(to)
    scheme, (bucket, _, prefix) = store[1].lower(), store[2].partition("/")
    if scheme not in STORES:
        return f'"{scheme}://" cannot be delivered to; write a folder, or s3:// gs:// az:// BUCKET/PATH'
    if _BUCKET.fullmatch(bucket) is None:
        return f"this names no bucket; write {scheme}://BUCKET/PATH"
    return _steps_error(prefix.strip("/"))


def path_error(template: str) -> str | None:
    """Why a template is no path of a copy, as a sentence with what would be right; None if it is one."""
    for name in FIELD.findall(template):
        if name not in _NAMES:
            known = ", ".join(f"{{{each}}}" for each in _NAMES)
            return f"{{{name}}} is not known; {suggestion(name, _NAMES)}There are {known}"
    bare = FIELD.sub("x", template)
    if "{" in bare or "}" in bare:
        return f'a brace that belongs to no field; write for example "{DEFAULT_PATH}"'
    if template.startswith("/") or template.endswith("/"):
        return f'a path below "to" that names a file; write for example "{DEFAULT_PATH}"'
    return _steps_error(bare) or (None if bare else "a path cannot be empty")


def url_error(url: str) -> str | None:
    """Why a URL cannot be where copies are seen, as a sentence; None if it can."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", url):
        return "this is no public URL; write https://HOST/PATH, without a user, a query or a fragment"
    return None


def _folder_error(to: str) -> str | None:
    if to.startswith("~"):
        return 'it begins with "~", which is not expanded; write a folder of the project, or an absolute path'
    return _steps_error("" if to.rstrip("/") in {"", "."} else to.strip("/").removeprefix("./"))


def _steps_error(path: str) -> str | None:
    if _UNFIT.search(path):
        return "it holds control characters or backslashes"
    steps = path.split("/") if path else []
    if any(step in {"", ".", ".."} for step in steps):
        return 'it holds an empty step, "." or ".."'
    return None


def _checked(error: Callable[[str], str | None]) -> AfterValidator:
    def check(value: str) -> str:
        wrong = error(value)
        if wrong is not None:
            raise ValueError(wrong)
        return value

    return AfterValidator(check)


_Text = Annotated[str, StringConstraints(strict=True)]
DeliverTo = Annotated[_Text, _checked(to_error)]


class DeliverSpec(Strict):
    """What stands under `deliver:`, where it is more than a place."""

    to: DeliverTo
    path: Annotated[_Text, _checked(path_error)] | None = None
    public_url: Annotated[_Text, _checked(url_error)] | None = None


def _place_or_more(value: object) -> str:
    return "more" if isinstance(value, dict | BaseModel) else "place"


# What may stand under `deliver:`: a place, or a place with more to say.
DeliverValue = Annotated[
    Annotated[DeliverTo, Tag("place")] | Annotated[DeliverSpec, Tag("more")], Discriminator(_place_or_more)
]
OnExpiry = Literal["keep", "rerun"]
OnRemove = Literal["keep", "delete"]
Watch = Literal["content"]


@dataclass(frozen=True, slots=True)
class Deliver:
    """A resolved wish: the place, the template of the paths below it, and where the place is seen in public."""

    to: str
    path: str = DEFAULT_PATH
    public_url: str | None = None


def deliver_of(said: str | DeliverSpec) -> Deliver:
    """What a spec says, in full, as far as it is known. A level below replaces all of it."""
    if isinstance(said, str):
        return Deliver(said)
    values = vars(said)
    return Deliver(said.to, values.get("path") or DEFAULT_PATH, values.get("public_url"))
