"""The options that commands share, and what was given of them.

Global options stand before or after the name of the command. Flag beats environment beats default; of two flags
the later one counts, but every `--var` is kept.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.core import units
from reconciler.core.limits import LIFTED

Function = TypeVar("Function", bound=Callable[..., Any])

_VARIABLE_PREFIX = "RECONCILER_VAR_"


@dataclass(frozen=True, slots=True)
class Globals:
    """What holds for every command.

    `variables` are texts by name, still to be read as YAML scalars. `spoken` are the flags that a command named
    on a screen has to repeat.
    """

    specs: str = "specs"
    state: str = "state/encodes.json"
    variables: Mapping[str, str] = field(default_factory=dict)
    json: bool = False
    color: bool = True
    verbose: bool = False
    allow_private_sources: bool = False
    media_roots: tuple[str, ...] = ()
    spoken: str = ""


class Given:
    """Collects the global options as click comes across them."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.variables: list[str] = []
        self.spoken: list[str] = []

    def take(self, option: click.Parameter, value: object, *, spoken: bool) -> None:
        """Keep one option's value."""
        if option.name == "variables":
            self.variables.extend(_texts(value))
        elif option.name is not None:
            self.values[option.name] = value
        if spoken and option.name in _REPEATED:
            texts = [""] if value is True else _texts(value)
            self.spoken.extend(f"{option.opts[-1]} {shlex.quote(text)}" if text else option.opts[-1] for text in texts)

    def settled(self, environment: Mapping[str, str]) -> Globals:
        """What the options come to. Raises click.UsageError for a variable without a value."""
        values = {name: value for name, value in self.values.items() if name != "no_color"}
        if "media_roots" in values:
            values["media_roots"] = tuple(values["media_roots"])
        return Globals(
            **values,
            variables={**_environment_variables(environment), **dict(map(_variable, self.variables))},
            color=not (self.values.get("no_color") or environment.get("NO_COLOR")),
            spoken="".join(f" {words}" for words in self.spoken),
        )


# What `Plan with ...` on a screen has to repeat: whatever changes which plan is made.
_REPEATED = frozenset({"specs", "state", "variables", "allow_private_sources", "media_roots"})


def _texts(value: object) -> list[str]:
    return list(map(str, value)) if isinstance(value, tuple | list) else [str(value)]


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.UsageError(f'--var "{text}" must be NAME=VALUE, for example --var cdn=https://cdn.example.com')
    return name, value


def _environment_variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(_VARIABLE_PREFIX): value
        for name, value in environment.items()
        if name.startswith(_VARIABLE_PREFIX) and name != _VARIABLE_PREFIX
    }


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """The callback of every global option."""
    if value is None or value == ():
        return
    refuse_nothing(ctx, param, value)
    source = ctx.get_parameter_source(param.name or "")
    ctx.ensure_object(Given).take(param, value, spoken=source is click.core.ParameterSource.COMMANDLINE)


def refuse_nothing(ctx: click.Context, param: click.Parameter, value: Any) -> Any:  # noqa: ANN401 - any option's value
    """The callback of options whose value must not be empty. Raises click.BadParameter."""
    if value == "":
        raise click.BadParameter("it must not be empty.", ctx, param)
    return value


def duration(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """The callback of options that take a duration; in seconds. Raises click.BadParameter."""
    try:
        return None if value is None else float(units.duration(value))
    except ValueError as error:
        raise click.BadParameter(f"{error}.", ctx, param) from error


def _option(*names: str, environment: str | None, **attributes: Any) -> click.Option:  # noqa: ANN401 - handed on to click
    return click.Option(
        names,
        envvar=environment,
        show_envvar=environment is not None,
        expose_value=False,
        callback=_keep,
        default=None,
        **attributes,
    )


def global_options(*, environment: bool) -> list[click.Option]:
    """The options themselves; only those before the command read the environment, so that flags beat it."""

    def name(suffix: str) -> str | None:
        return f"RECONCILER_{suffix}" if environment else None

    return [
        _option("--specs", environment=name("SPECS"), metavar="DIR", help="Folder of spec files.  [default: specs]"),
        _option(
            "--state",
            environment=name("STATE"),
            metavar="FILE|URL",
            help="State file, or s3:// gs:// az:// BUCKET/PATH for one that machines share.  "
            "[default: state/encodes.json]",
        ),
        _option(
            "--var",
            "variables",
            environment=None,
            metavar="NAME=VALUE",
            multiple=True,
            help="Set a variable of the specs; may be repeated. Also RECONCILER_VAR_NAME=VALUE.",
        ),
        _option("--json", environment=name("JSON"), is_flag=True, help="JSON on stdout instead of text."),
        _option("--no-color", environment=name("NO_COLOR"), is_flag=True, help="No colours. Also NO_COLOR=1."),
        _option(
            "-v",
            "--verbose",
            environment=name("VERBOSE"),
            is_flag=True,
            help="Say more: what servers are asked, and where a bug is.",
        ),
    ]


def trust_options(*, environment: bool) -> list[click.Option]:
    """What only flags and environment may allow, never a spec."""
    return [
        _option(
            "--allow-private-sources",
            environment="RECONCILER_ALLOW_PRIVATE_SOURCES" if environment else None,
            is_flag=True,
            help="Let sources be fetched from private and loopback addresses.",
        ),
        _option(
            "--media-root",
            "media_roots",
            environment="RECONCILER_MEDIA_ROOT" if environment else None,
            metavar="DIR",
            multiple=True,
            help="Let absolute source paths lie in this folder; may be repeated.",
        ),
    ]


class _Globally(click.Command):
    """Takes the global options after its name too, and lists them apart from its own."""

    def __init__(self, *args: Any, **attributes: Any) -> None:  # noqa: ANN401 - handed on to click
        super().__init__(*args, **attributes)
        self.common = global_options(environment=False)
        self.params = [*self.params, *self.common]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Its own options first."""
        own = [parameter for parameter in self.get_params(ctx) if parameter not in self.common]
        for title, parameters in (("Options", own), ("Global options", self.common)):
            found = (each.get_help_record(ctx) for each in parameters)
            records = [record for record in found if record is not None and record[1]]
            with formatter.section(title):
                formatter.write_dl(records)


class Command(_Globally):
    """A command."""


class Group(_Globally, click.Group):
    """A command with commands of its own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Its options, then its commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


def trusting(function: Function) -> Function:
    """Add the trust switches to a command that reads specs."""
    for option in reversed(trust_options(environment=True)):
        add_option(function, option)
    return function


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    """The recorded addresses that begin like this, for a shell; none where the state cannot be read."""
    from reconciler.commands.states import is_shared  # noqa: PLC0415 - only needed when a shell asks
    from reconciler.core.errors import ReconcilerError  # noqa: PLC0415 - only needed when a shell asks
    from reconciler.store import store  # noqa: PLC0415 - only needed when a shell asks

    state = ctx.ensure_object(Given).settled({}).state
    if is_shared(state):
        return []  # nobody is contacted while somebody types
    try:
        return [address for address in store.read(Path(state), "").snapshot.records if address.startswith(incomplete)]
    except ReconcilerError:
        return []


def selecting(function: Function) -> Function:
    """Add what chooses the outputs that a plan is about."""
    options = [
        ("--target", "targets", "Only these outputs: an address, an encode, or a glob over addresses."),
        ("--exclude", "excludes", "All but these outputs."),
        ("--rerun", "reruns", "Encode these again, though nothing about them changed."),
        ("--allow", "allow", f"Lift a refusal by its name: empty, rerun:ADDR, {', '.join(LIFTED)}."),
    ]
    for flag, name, text in reversed(options):
        allow = flag == "--allow"
        option = click.Option(
            [flag, name],
            multiple=True,
            metavar="NAME" if allow else "ADDR",
            help=text,
            shell_complete=None if allow else complete,
        )
        add_option(function, option)
    return function


def add_option(function: Callable[..., Any], option: click.Option) -> None:
    """Put an option on a command that is still a function, as click's own decorators do."""
    parameters = getattr(function, "__click_params__", [])
    function.__click_params__ = [*parameters, option]  # type: ignore[attr-defined]  # where click looks for them


def flags(**given: Sequence[str]) -> str:
    """Selection options as they are typed: ` --target 'trailer/*'`."""
    return "".join(f" --{name} {shlex.quote(value)}" for name, values in given.items() for value in values)


def with_globals(function: Callable[..., int]) -> Callable[..., int]:
    """Hand a command the settled global options as its first argument."""

    @click.pass_context
    @wraps(function)
    def command(ctx: click.Context, *args: Any, **options: Any) -> int:  # noqa: ANN401 - handed on to the command
        return function(ctx.ensure_object(Given).settled(os.environ), *args, **options)

    return command
