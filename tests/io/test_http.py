"""Connections are made only to where they may lead."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import requests
from requests.adapters import HTTPAdapter

from builders_http import Page, serving
from reconciler.core.errors import RejectedError, UnavailableError
from reconciler.io.answers import PrivateAddressError, Validators
from reconciler.io.download import Watch, download, look
from reconciler.io.http import AddressRefusedError, session

QUIET = Watch(lambda done, total: None, lambda: False, lambda seconds: None)
CLIP = bytes(range(256)) * 400


def fetch(made, url, folder):
    """Download a page; what arrived."""
    target = folder / "clip"
    download(made, url, target, QUIET, limit=1 << 30)
    return target.read_bytes()


def causes(error):
    """An error with everything it came from, however libraries wrap it."""
    while error is not None:
        yield error
        for each in error.args:
            yield from [each, *getattr(each, "args", ())]
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    "host", ["localhost", "localhost.", "127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "0.0.0.0", "[::1]"]
)
def test_a_name_that_leads_to_this_machine_is_refused(tmp_path, host):
    """However loopback is spelt, no request is sent, and the error names the switch that lifts it."""
    with serving({"/clip": CLIP}) as site, session(allow_private=False) as made:
        with pytest.raises(RejectedError, match=r"not a public address.*--allow-private-sources") as caught:
            fetch(made, f"http://{host}:{site.port}/clip?sig=SECRET", tmp_path)
        assert isinstance(caught.value, PrivateAddressError)
        assert "SECRET" not in str(caught.value)
        assert [] == site.requests


def test_the_refusal_comes_from_the_connection_itself():
    """It is where the socket is made that addresses are checked: nothing can go past it."""
    with serving({"/clip": CLIP}) as site, session(allow_private=False) as made:
        with pytest.raises(requests.ConnectionError) as caught:
            made.get(site.url("/clip"))
        assert any(isinstance(cause, AddressRefusedError) for cause in causes(caught.value))
        assert [] == site.requests


def test_private_addresses_are_fetched_from_where_that_is_allowed(tmp_path):
    """With the switch, loopback is a source like any other."""
    with serving({"/clip": CLIP}) as site, session(allow_private=True) as made:
        assert CLIP == fetch(made, site.url("/clip"), tmp_path)


def test_a_redirect_into_the_private_network_is_refused(tmp_path):
    """A server that may be asked cannot send us where we may not go."""
    with serving({"/secret": CLIP}) as inside, session(allow_private=False) as made:
        with serving({"/clip": Page(redirect=inside.url("/secret", "sig=SECRET"))}) as outside:
            # Stands in for a public server: its address alone is not checked.
            made.mount(outside.base, HTTPAdapter())
            with pytest.raises(PrivateAddressError, match=r"127\.0\.0\.1") as caught:
                fetch(made, outside.url("/clip", "sig=SECRET"), tmp_path)
            assert "SECRET" not in str(caught.value)
            with pytest.raises(PrivateAddressError, match="--allow-private-sources"):
                look(made, outside.url("/clip"), Validators())
        assert [] == inside.requests


def test_a_redirect_is_followed_to_another_path_and_host(tmp_path):
    """Redirects are common: a download follows them, and says nothing of it."""
    with serving({"/real": CLIP}) as there, session(allow_private=True) as made:
        pages = {"/a": Page(redirect="/b"), "/b": Page(redirect=f"http://localhost:{there.port}/real")}
        with serving(pages) as here:
            assert CLIP == fetch(made, here.url("/a"), tmp_path)
            assert (1, 1) == (len(here.of("/b")), len(there.of("/real")))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/clip", "gopher://h/", "http://[::1"])
def test_a_redirect_to_anything_else_is_refused_at_once(tmp_path, target):
    """Only http and https are followed; asking again would not help."""
    with serving({"/clip": Page(redirect=target)}) as site, session(allow_private=True) as made:
        with pytest.raises(RejectedError, match="no http or https URL"):
            fetch(made, site.url("/clip"), tmp_path)
        assert 1 == len(site.requests)


def test_redirects_have_an_end(tmp_path):
    """Five are followed; a circle is refused, not tried again."""
    with serving({"/clip": Page(redirect="/clip")}) as site, session(allow_private=True) as made:
        with pytest.raises(RejectedError, match="redirects more than 5 times"):
            fetch(made, site.url("/clip"), tmp_path)
        assert 6 == len(site.requests)


def test_the_body_of_a_redirect_is_not_read(tmp_path):
    """A redirect may carry a body without end; it would otherwise be held in memory."""
    pages = {"/clip": Page(bytes(30_000_000), redirect="/real"), "/real": CLIP}
    with serving(pages) as site, session(allow_private=True) as made:
        assert CLIP == fetch(made, site.url("/clip"), tmp_path)
        assert site.served("/clip") < 15_000_000


def test_proxies_of_the_environment_are_not_used(tmp_path, monkeypatch):
    """Behind a proxy no address could be checked, so the connection is made directly."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving({"/clip": CLIP}) as site, session(allow_private=True) as made:
        assert CLIP == fetch(made, site.url("/clip"), tmp_path)


def test_no_password_file_is_read(tmp_path, monkeypatch):
    """A .netrc that knows the host gives nothing away."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password SECRET\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving({"/clip": CLIP}) as site, session(allow_private=True) as made:
        fetch(made, site.url("/clip"), tmp_path)
        assert "Authorization" not in site.requests[0].headers


@pytest.mark.parametrize("allow_private", [True, False])
def test_a_name_that_cannot_be_one_is_an_error_in_words(tmp_path, allow_private):
    """A label too long for DNS does not reach a name server, and does not end in a traceback."""
    with session(allow_private=allow_private) as made, pytest.raises((RejectedError, UnavailableError)) as caught:
        fetch(made, f"http://{'a' * 64}.example/clip?sig=SECRET", tmp_path)
    assert "SECRET" not in str(caught.value)


def test_nobody_there_is_tried_again_and_told(tmp_path):
    """A port that nobody listens on may be a restart of its server."""
    with serving({}) as site:
        gone = site.url("/clip", "sig=SECRET")
    with session(allow_private=True) as made:
        with pytest.raises(UnavailableError, match="no connection, 6 times") as caught:
            fetch(made, gone, tmp_path)
        assert "SECRET" not in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_that_proves_nothing_is_refused_at_once(tmp_path):
    """A self-signed certificate is no reason to wait and try again."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    with serving({"/clip": CLIP}, certificate=(certificate, key)) as site, session(allow_private=True) as made:
        with pytest.raises(RejectedError, match="certificate does not prove who it is"):
            fetch(made, site.url("/clip"), tmp_path)
        made.verify = str(certificate)
        assert CLIP == fetch(made, site.url("/clip").replace("127.0.0.1", "localhost"), tmp_path)
