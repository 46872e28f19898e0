"""What holds for every command: help, global options, exit codes, errors."""

from __future__ import annotations

import importlib
import os

import click
import pytest

from builders_commands import Desk, applied, desk
from reconciler.cli import COMMANDS, cli
from reconciler.commands.failing import failed
from reconciler.commands.options import Given

STATE_COMMANDS = ("list", "show", "mv", "rm", "prune", "merge", "rebuild", "adopt", "pull", "push", "unlock")
GITHUB_COMMANDS = ("plan", "approved", "mask")
EVERY = [
    *((name,) for name in COMMANDS),
    *(("state", name) for name in STATE_COMMANDS),
    *(("ci", "github", name) for name in GITHUB_COMMANDS),
]


def found(names):
    """The click command behind names."""
    command = cli
    for name in names:
        command = command.get_command(click.Context(command), name)
    return command


@pytest.mark.parametrize("names", [(), *EVERY], ids=" ".join)
def test_help_documents_every_option(tmp_path, names):
    """Every command has help, and every option and argument of it is in there with words."""
    text = Desk(tmp_path).run(*names, "--help").ok().out
    command = found(names)

    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert [] == [name for name in parameter.opts if name not in text]
        else:
            assert parameter.make_metavar(click.Context(command)) in text
    assert text == Desk(tmp_path).run(*names, "-h").ok().out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_is_true(name):
    """Every name in the table is a command in the module of that name, and is listed with its sentence."""
    module = importlib.import_module(f"reconciler.commands.{name}")

    assert name == module.command.name


def test_state_commands_are_all_listed():
    """`state` and `ci github` have just the commands that are tested here."""
    assert set(STATE_COMMANDS) == set(found(("state",)).commands)
    assert set(GITHUB_COMMANDS) == set(found(("ci", "github")).commands)


def test_help_imports_no_command():
    """`reconciler --help` costs little because it imports nothing that commands need."""
    import subprocess
    import sys

    code = "import sys; from reconciler.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    heavy = {
        "pydantic",
        "msgspec",
        "rich",
        "requests",
        "av",
        "yaml",
        "reconciler.core.errors",
        "reconciler.commands.plan",
    }
    assert set() == heavy & set(done.stderr.strip("[]\n").replace("'", "").split(", "))


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("bogus",),
        ("--bogus", "plan"),
        ("plan", "--bogus"),
        ("plan", "extra"),
        ("plan", "--var", "novalue"),
        ("plan", "--state", ""),
        ("--specs", "", "plan"),
        ("plan", "--out", ""),
        ("--var", "=x", "plan"),
        ("plan", "--target", "nothing/*"),
        ("plan", "--exclude", "nothing"),
        ("plan", "--rerun", "nothing"),
        ("apply", "--parallelism", "0"),
        ("apply", "--parallelism", "many"),
        ("apply", "--lock-timeout", "-1"),
        ("explain",),
        ("explain", "clip/big", "--presets"),
        ("explain", "nothing"),
        ("show",),
        ("show", "nothing"),
        ("show", "nothing.json"),
        ("output", "nothing"),
        ("state", "bogus"),
        ("state", "show", "nothing"),
        ("state", "rm"),
        ("state", "rm", "nothing"),
        ("state", "mv", "clip/big"),
        ("completion", "powershell"),
        ("init", "nothing.mov"),
    ],
    ids=" ".join,
)
def test_bad_usage_exits_64(tmp_path, arguments):
    """Whatever is wrong with the arguments, the exit code is 64, never 2, and stderr says what is wrong."""
    result = desk(tmp_path).run(*arguments)

    assert (64, "") == (result.code, result.out)
    assert "Error: " in result.err or arguments == ()
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--specs", "other", "validate"),
        ("validate", "--specs", "other"),
        ("--specs", "missing", "validate", "--specs", "other"),
    ],
    ids=" ".join,
)
def test_global_options_stand_on_both_sides(tmp_path, arguments):
    """A global option works before and after the command; the later one counts."""
    made = Desk(tmp_path)
    made.write("other/a.yaml", desk(tmp_path).folder.joinpath("specs/encodes.yaml").read_text())

    assert "Success! The specs are valid: 2 outputs of 1 encode in 1 file.\n" == made.run(*arguments).ok().out


def test_a_flag_beats_the_environment(tmp_path):
    """The environment is read, and a flag on either side of the command beats it."""
    made = desk(tmp_path)
    made.environment = {"RECONCILER_SPECS": "missing", "RECONCILER_JSON": "1"}

    assert 1 == made.run("validate").code
    assert '"type": "validated"' in made.run("validate", "--specs", "specs").ok().out
    assert '"type": "validated"' in made.run("--specs", "specs", "validate").ok().out


def test_variables_come_from_flags_and_environment(tmp_path):
    """--var stands on both sides and may be repeated; it beats RECONCILER_VAR_, which beats the spec."""
    made = desk(tmp_path)
    text = (tmp_path / "specs/encodes.yaml").read_text()
    made.write("specs/encodes.yaml", text.replace("crf: 33", 'crf: "${var.low}"') + "variables: {low: 33, other: 1}\n")

    def crf(*arguments):
        return made.run("explain", "clip/small", *arguments).ok().out.partition("video.crf")[2].split()[0]

    assert "33" == crf()
    assert "40" == crf("--var", "low=40")
    made.environment = {"RECONCILER_VAR_low": "41"}
    assert "41" == crf()
    assert "42" == crf("--var", "other=2", "--var", "low=42")


def test_commands_on_a_screen_repeat_the_flags(tmp_path):
    """What a screen says to run next is what the user would have to type."""
    made = Desk(tmp_path)
    made.write("my specs/a.yaml", desk(tmp_path).folder.joinpath("specs/encodes.yaml").read_text())
    out = made.run("--specs", "my specs", "plan", "--target", "clip/b*", "--allow-private-sources").ok().out

    assert "reconciler apply --specs 'my specs' --allow-private-sources --target 'clip/b*'\n" in out


def test_spec_errors_exit_1_on_stderr(tmp_path):
    """A bad spec says what is wrong on stderr, touches nothing, and prints no result."""
    made = desk(tmp_path)
    made.write("specs/bad.yaml", "version: 1\nencodes:\n  x: {source: a.mov, outputs: [web-720]}\n")
    result = made.run("plan")

    assert (1, "") == (result.code, result.out)
    assert 'Error: unknown preset "web-720"\n  specs/bad.yaml:3:' in result.err
    assert "error in 1 of 2 files. Nothing was planned; the state was not touched." in result.err
    assert not (tmp_path / "state").exists()


def test_spec_errors_with_json_are_diagnostics_on_stdout(tmp_path):
    """With --json the same problems are events, one a problem, and stderr is quiet."""
    made = desk(tmp_path)
    made.write("specs/bad.yaml", "version: 1\nencodes:\n  x: {source: a.mov, outputs: [web-720, web-721]}\n")
    result = made.run("plan", "--json")
    events = made.events("plan")

    assert (1, "") == (result.code, result.err)
    assert [("diagnostic", "error")] * 2 == [(each["type"], each["diagnostic"]["severity"]) for each in events]
    assert {"filename": "specs/bad.yaml"}.items() <= events[0]["diagnostic"]["range"].items()


def test_state_errors_exit_1(tmp_path):
    """An unreadable state is an error with its place, and is left as it is."""
    made = desk(tmp_path)
    path = made.write("state/encodes.json", '{"format": "encode-reconciler-state", "version": 99}')
    for arguments in (("plan",), ("status",), ("output",), ("state", "list"), ("apply", "--auto-approve")):
        result = made.run(*arguments)
        assert (1, True) == (result.code, "the state is of version 99" in result.err), arguments
        assert "Traceback" not in result.err
    assert '{"format": "encode-reconciler-state", "version": 99}' == path.read_text()


def test_a_bug_is_said_to_be_one(capsys):
    """What nobody expected exits 1 with a short message; the traceback comes only with -v."""
    quiet, loud = Given(), Given()
    loud.values["verbose"] = True
    codes = [failed(ZeroDivisionError("oh \x1b[31mno"), given) for given in (quiet, loud)]
    first, second = capsys.readouterr().err.split("Error: this is a bug in reconciler")[1:]

    assert [1, 1] == codes
    assert r": ZeroDivisionError: oh \x1b[31mno" in first
    assert "run the same command with -v" in first
    assert "\nZeroDivisionError: " in second
    assert "\nZeroDivisionError: " not in first


def test_version(tmp_path):
    """--version names the program and its version."""
    from reconciler import __version__

    assert f"reconciler {__version__}\n" == Desk(tmp_path).run("--version").ok().out


def test_completion_scripts(tmp_path):
    """Each shell has a script that names our variable."""
    for shell in ("bash", "zsh", "fish"):
        assert f"_RECONCILER_COMPLETE={shell}_complete" in Desk(tmp_path).run("completion", shell).ok().out


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("reconciler pl", {"plain,plan"}),
        ("reconciler plan --det", {"plain,--detail", "plain,--detailed-exitcode"}),
        ("reconciler explain clip/b", {"plain,clip/big"}),
        ("reconciler --state state/encodes.json state rm clip", {"plain,clip/big", "plain,clip/small"}),
        ("reconciler plan --target clip/s", {"plain,clip/small"}),
    ],
)
def test_a_shell_is_told_names_options_and_addresses(tmp_path, words, completed):
    """Commands, options and recorded addresses are completed."""
    import subprocess
    import sys

    made = applied(tmp_path)
    asked = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "_RECONCILER_COMPLETE": "bash_complete",
        "PATH": os.environ["PATH"],
    }
    code = "import sys; from reconciler.__main__ import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=made.folder, env=asked, capture_output=True, text=True, check=False
    )

    assert completed == set(done.stdout.split())
