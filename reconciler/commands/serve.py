"""`reconciler serve`: the ByteNite API on this machine."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click

from reconciler.commands.options import Command, Globals, with_globals
from reconciler.commands.served_sources import ServedSources
from reconciler.commands.speaking import Screen
from reconciler.core.errors import CredentialsError, ReconcilerError, UsageError
from reconciler.core.units import duration
from reconciler.ffmpeg import binary
from reconciler.ffmpeg.kind import FfmpegOptions
from reconciler.ffmpeg.process import environment_for
from reconciler.ffmpeg.provider import FfmpegProvider
from reconciler.io.redact import RedactingFilter

KEYS = "RECONCILER_API_KEYS"
_SHORTEST_KEY = 16
_MISSING = (
    "the server needs packages that are not installed\n  To install them:  pip install 'encode-reconciler[server]'"
)


class Duration(click.ParamType[int]):
    """A duration in whole seconds, at least one: `4h`, `90m`, `3600s`."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 - click's signature
        """The seconds. Raises click.BadParameter."""
        try:
            seconds = int(duration(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return seconds if seconds >= 1 else self.fail(f'"{value}" is less than a second', param, ctx)


class Chips(click.ParamType[Decimal]):
    """An amount of ByteChips, 0 or more."""

    name = "BYC"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:  # noqa: ANN401 - click's signature
        """The amount. Raises click.BadParameter."""
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            amount = Decimal(-1)
        return amount if amount.is_finite() and amount >= 0 else self.fail(f'"{value}" is no amount', param, ctx)


@click.command("serve", cls=Command)
@click.option("--data", required=True, metavar="DIR", help="Folder that jobs and files live in; made if missing.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port; 0: any free one.")
@click.option("--public-url", default="", metavar="URL", help="How clients reach the server, if not as they asked.")
@click.option("--link-ttl", default="4h", show_default=True, type=Duration(), help="How long a result link opens.")
@click.option("--retention", default="48h", show_default=True, type=Duration(), help="How long files are kept.")
@click.option("--token-life", default="3600s", show_default=True, type=Duration(), help="How long a token lives.")
@click.option("--api-keys-file", metavar="FILE", help=f"File of API keys, one a line. Also {KEYS}, with commas.")
@click.option("--parallelism", type=click.IntRange(1, 256), help="Jobs that encode at once.  [default: cores / 8]")
@click.option("--queue", default=1000, show_default=True, type=click.IntRange(1), help="Jobs that may wait or run.")
@click.option("--rate", default="0", show_default=True, type=Chips(), help="Price of a minute of output, in ByteChips.")
@click.option("--balance", default="0", show_default=True, type=Chips(), help="ByteChips that were paid in, in all.")
@click.option(
    "--dialect",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "legacy", "current"]),
    help="JSON of 2023, of 2025, or as each client speaks.",
)
@click.option(
    "--allow-private-sources",
    is_flag=True,
    envvar="RECONCILER_ALLOW_PRIVATE_SOURCES",
    help="Let sources be fetched from private and loopback addresses.",
)
@with_globals
def command(settings: Globals, **given: Any) -> int:  # noqa: ANN401 - the options above
    """Serve the ByteNite API: clients written for it run their jobs here, with ffmpeg.

    API keys come from RECONCILER_API_KEYS or a file. Data and jobs survive a restart; a job that was running is
    run again. Stop it with Ctrl-C or SIGTERM.
    """
    keys = api_keys(given["api_keys_file"], os.environ)
    _check_public_url(given["public_url"])
    screen = Screen(settings)
    with _logging(keys, verbose=settings.verbose), _signals() as stop:
        return _serve(screen, given, keys, stop)


def api_keys(file: str | None, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that let people in. Raises CredentialsError if there is none, or one that is easily guessed."""
    texts = environment.get(KEYS, "").split(",")
    if file is not None:
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialsError(
                f"{file}: the API keys cannot be read: {getattr(error, 'strerror', error)}"
            ) from error
        texts += [line for line in lines if not line.lstrip().startswith("#")]
    keys = tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if not keys:
        raise CredentialsError(
            f"there is no API key, so nobody could be let in\n  To make one:  export {KEYS}={secrets.token_urlsafe(32)}"
        )
    if any(len(key) < _SHORTEST_KEY for key in keys):
        raise CredentialsError(
            f"an API key is shorter than {_SHORTEST_KEY} characters, which can be guessed\n"
            f"  To make one:  export {KEYS}={secrets.token_urlsafe(32)}"
        )
    return keys


def _serve(screen: Screen, given: Mapping[str, Any], keys: tuple[str, ...], stop: threading.Event) -> int:
    try:
        from reconciler.server.app import create_app  # noqa: PLC0415 - an extra, missing on most machines
        from reconciler.server.house import opened  # noqa: PLC0415 - as above
        from reconciler.server.listening import bound, listening  # noqa: PLC0415 - as above
        from reconciler.server.settings import Settings  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("reconciler"):
            raise
        raise ReconcilerError(_MISSING) from error
    data = Path(given["data"]).absolute()
    settings = Settings(
        data=data,
        keys=keys,
        link_seconds=given["link_ttl"],
        retention=given["retention"],
        token_seconds=given["token_life"],
        queue=given["queue"],
        dialect=given["dialect"],
        public_url=given["public_url"],
        rate=given["rate"],
        balance=given["balance"],
        allow_private=given["allow_private_sources"],
    )
    sources = ServedSources(data, os.environ, allow_private=settings.allow_private)
    program = binary.find(os.environ)
    # Not by the provider's own check, which ends strays: until the folder is ours, they may be another server's.
    binary.build(program, environment_for(os.environ))
    provider = _provider(program, data, sources, given["parallelism"])
    sock = bound(given["host"], given["port"])
    with opened(settings, provider, sources) as house, listening(create_app(house), sock) as server:
        screen.result(_greeting(server.url, settings.public_url, given["host"]))
        while not stop.wait(0.5) and server.alive():
            pass
        screen.talk("Stopping; jobs that run now are run again at the next start.\n")
    return 0 if stop.is_set() else 1


def _provider(program: str, data: Path, sources: ServedSources, parallelism: int | None) -> FfmpegProvider:
    return FfmpegProvider(
        FfmpegOptions(parallelism=parallelism),
        program=program,
        project=data,
        fetch=sources.fetch,
        environment=os.environ,
        cpus=os.cpu_count() or 1,
    )


def _greeting(url: str, public_url: str, host: str) -> str:
    reached = public_url.rstrip("/") or url
    lines = [
        f"Serving the ByteNite API at {url}",
        f"  Documentation:  {url}/docs",
        "  In a spec:",
        "    providers:",
        f'      bytenite: {{type: bytenite, api_url: {reached}/v1, api_key: "${{env.BYTENITE_API_KEY}}"}}',
    ]
    if not _is_loopback(host) and not public_url.startswith("https://"):
        lines += [
            "Warning: other machines reach this without encryption, so keys and links can be read on the way.",
            "  Put a proxy with TLS before it, and name that with --public-url https://...",
        ]
    return "\n".join([*lines, ""])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_public_url(url: str) -> None:
    if url and not url.startswith(("http://", "https://")):
        raise UsageError(f'--public-url "{url}" must begin with https:// or http://')


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """What is set by the first Ctrl-C or SIGTERM; the second ends this process at once."""
    stop = threading.Event()

    def interrupt(number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _logging(keys: tuple[str, ...], *, verbose: bool) -> Iterator[None]:
    """The log on stderr, a line a request, without keys, tokens and queries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RedactingFilter(keys))
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.WARNING)
    logging.getLogger("reconciler.server").setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
