"""`reconciler serve` as people start it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from decimal import Decimal

import click
import pytest
import requests

from builders_server import KEY
from reconciler.commands.serve import Chips, Duration, api_keys
from reconciler.core.errors import CredentialsError


def ran(folder, *arguments, env=None):
    """The program, run to its end."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "reconciler", "serve", *arguments],
        cwd=folder,
        env={**kept, "NO_COLOR": "1", **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def started(folder, *arguments):
    """The program, running."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "serve", "--data", "data", *arguments],
        cwd=folder,
        env={**kept, "RECONCILER_API_KEYS": KEY, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_says_where_it_is_and_how_a_spec_names_it(tmp_path):
    """The real port, the documentation, a line for a spec; Ctrl-C ends it with 0 in seconds."""
    process = started(tmp_path, "--port", "0")
    try:
        said = "".join(process.stdout.readline() for _ in range(5))
        url = said.split()[5]
        assert url.startswith("http://127.0.0.1:")
        assert not url.endswith(":0")
        assert f"{url}/docs" in said
        assert f"api_url: {url}/v1" in said
        assert requests.get(f"{url}/healthz", timeout=10).json()["ok"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=15)
    finally:
        process.kill()
    assert (0, "") == (process.returncode, out)
    assert "GET /healthz 200" in err
    assert "Traceback" not in err


def test_it_warns_where_others_can_listen(tmp_path):
    """A host that is not loopback, without TLS in front: keys could be read on the way."""
    process = started(tmp_path, "--port", "0", "--host", "0.0.0.0")
    try:
        said = "".join(process.stdout.readline() for _ in range(7))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
    finally:
        process.kill()
    assert "without encryption" in said
    assert "--public-url https://" in said


def test_it_does_not_start_without_a_key(tmp_path):
    """It says how to make one, and makes nothing."""
    result = ran(tmp_path, "--data", "data")
    assert 8 == result.returncode
    assert "export RECONCILER_API_KEYS=" in result.stderr
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--data", "data", "--link-ttl", "soon"], 64, "is not a duration"),
        (["--data", "data", "--retention", "0s"], 64, "less than a second"),
        (["--data", "data", "--rate", "-1"], 64, "is no amount"),
        (["--data", "data", "--public-url", "encode.example.com"], 64, "must begin with https://"),
        (["--data", "file"], 1, "cannot be used as a data folder"),
        (["--data", "data", "--host", "no-such-host.invalid"], 1, "cannot listen at no-such-host.invalid"),
        (["--data", "data", "--api-keys-file", "gone"], 8, "the API keys cannot be read"),
        ([], 64, "--data"),
    ],
)
def test_what_cannot_be_served_is_said_in_words(tmp_path, arguments, code, said):
    """Bad options, folders and hosts end with a sentence and their exit code."""
    (tmp_path / "file").write_text("")
    result = ran(tmp_path, *arguments, env={"RECONCILER_API_KEYS": KEY})
    assert (code, True) == (result.returncode, said in result.stderr), result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("package", ["fastapi", "uvicorn"])
def test_a_missing_extra_is_named(tmp_path, package):
    """Without its packages the command says how they are installed."""
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError('no {package}', name='{package}')")
    environment = {"RECONCILER_API_KEYS": KEY, "PYTHONPATH": str(tmp_path)}
    result = ran(tmp_path, "--data", "data", env=environment)
    assert (1, True) == (result.returncode, "pip install 'encode-reconciler[server]'" in result.stderr), result.stderr


def test_a_port_that_is_taken_is_said(tmp_path):
    """With the options that give another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = ran(tmp_path, "--data", "data", "--port", port, env={"RECONCILER_API_KEYS": KEY})
    assert 1 == result.returncode
    assert f"cannot listen at 127.0.0.1 port {port}" in result.stderr


def test_keys_come_from_the_environment_and_a_file(tmp_path):
    """With commas there, a line each here; comments, spaces and doubles do not count."""
    file = tmp_path / "keys"
    file.write_text(f"# of the team\n{'a' * 20}\n\n  {'b' * 20}  \n{KEY}\n")
    environment = {"RECONCILER_API_KEYS": f"{KEY}, {'c' * 20},"}
    assert (KEY, "c" * 20, "a" * 20, "b" * 20) == api_keys(str(file), environment)


@pytest.mark.parametrize("keys", ["", " , ,", "short", f"{KEY},short"])
def test_no_key_and_keys_that_can_be_guessed_are_refused(keys):
    """The message shows a good one, and never the bad one."""
    with pytest.raises(CredentialsError, match="export RECONCILER_API_KEYS=") as caught:
        api_keys(None, {"RECONCILER_API_KEYS": keys})
    assert "short" not in str(caught.value).replace("shorter", "")


@pytest.mark.parametrize(("text", "seconds"), [("4h", 14400), ("48h", 172800), ("3600s", 3600), ("90", 90)])
def test_durations_are_read(text, seconds):
    """As in specs."""
    assert seconds == Duration().convert(text, None, None)


def test_amounts_are_read():
    """Exactly, and never less than nothing."""
    assert Decimal("0.05") == Chips().convert("0.05", None, None)
    with pytest.raises(click.BadParameter):
        Chips().convert("nan", None, None)
