"""The door that connections go through: one look at the name, every address checked, the name proven."""

from __future__ import annotations

import socket

import pytest
import requests

from builders_certificates import certificate
from builders_http import Page, serving
from reconciler.io.http import AddressRefusedError, Door, look_up, session

CLIP = b"media" * 1000


class Resolver:
    """A name server that gives these answers in turn, and then the last one for ever; counts the questions."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def look_up(self, host, port):
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def through(resolver, *, allowed=lambda address: True, **options):
    """A session whose names are looked up by `resolver`."""
    return session(allow_private=False, door=Door(resolver.look_up, allowed), **options)


def test_the_connection_goes_to_the_address_that_was_checked():
    """The name is looked up once and nowhere else: it does not even exist, and yet its address is reached."""
    resolver, checked = Resolver(["127.0.0.1"]), []
    with serving({"/clip": CLIP}) as site, through(resolver, allowed=lambda a: not checked.append(a)) as made:
        assert CLIP == made.get(f"http://media.invalid:{site.port}/clip").content
        assert f"media.invalid:{site.port}" == site.requests[0].headers["Host"]

    assert [("media.invalid", site.port)] == resolver.asked
    assert ["127.0.0.1"] == checked


def test_a_second_answer_of_the_name_server_leads_nowhere_else():
    """A name that is public at the first look and private at the second is connected to as it was checked."""
    resolver = Resolver(["192.0.2.1"], ["127.0.0.1"])
    with serving({"/clip": CLIP}) as site, through(resolver, allowed=lambda a: a == "192.0.2.1") as made:
        with pytest.raises(requests.RequestException):
            made.get(f"http://media.invalid:{site.port}/clip", timeout=(0.1, 0.1))
        with pytest.raises(requests.ConnectionError) as caught:
            made.get(f"http://media.invalid:{site.port}/clip", timeout=(0.1, 0.1))
        assert "media.invalid (127.0.0.1) is not a public address" in str(caught.value)
        assert [] == site.requests


@pytest.mark.parametrize("addresses", [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]])
def test_one_forbidden_address_of_a_name_forbids_it(addresses):
    """Whoever names a private address beside a public one gets neither."""
    with serving({"/clip": CLIP}) as site:
        made = through(Resolver(addresses), allowed=lambda address: address != "10.0.0.1")
        with made, pytest.raises(requests.ConnectionError) as caught:
            made.get(f"http://media.invalid:{site.port}/clip")
        assert isinstance(caught.value.args[0].args[1], AddressRefusedError)
        assert [] == site.requests


def test_the_next_address_is_tried_where_one_does_not_answer():
    """A name with a dead address is reached at its living one."""
    with serving({"/clip": CLIP}) as site, through(Resolver(["127.0.0.2", "127.0.0.1"])) as made:
        assert CLIP == made.get(f"http://media.invalid:{site.port}/clip").content


def test_each_redirect_goes_through_the_door():
    """The host that a redirect names is looked up and checked like the first one."""
    with serving({"/clip": CLIP}) as there:
        target = f"http://inner.invalid:{there.port}/clip"
        with serving({"/clip": Page(redirect=target)}) as site:
            resolver = Resolver(["127.0.0.1"])
            with through(resolver) as made:
                assert CLIP == made.get(f"http://outer.invalid:{site.port}/clip").content

    assert ["outer.invalid", "inner.invalid"] == [host for host, _ in resolver.asked]


def test_the_server_must_prove_the_name_and_not_its_address(tmp_path):
    """Over https the checked address is connected to, and the certificate is held against the name of the URL."""
    crt, key = certificate(tmp_path, "media.invalid")
    with serving({"/clip": CLIP}, certificate=(crt, key)) as site:
        with through(Resolver(["127.0.0.1"]), authorities=str(crt)) as made:
            assert CLIP == made.get(f"https://media.invalid:{site.port}/clip").content
            with pytest.raises(requests.exceptions.SSLError):
                made.get(f"https://other.invalid:{site.port}/clip")
        with through(Resolver(["127.0.0.1"])) as made, pytest.raises(requests.exceptions.SSLError):
            made.get(f"https://media.invalid:{site.port}/clip")


def test_names_are_looked_up_by_the_system():
    """The door that is used outside tests asks the system's resolver, and takes what cannot be a name for unknown."""
    assert "127.0.0.1" in look_up("localhost", 80)
    assert ["::1"] == list(look_up("::1", 80))
    for impossible in ("a" * 64 + ".example", ".."):
        with pytest.raises(socket.gaierror):
            look_up(impossible, 80)
