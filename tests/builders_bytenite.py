"""The ByteNite provider and jobs for it, against whatever server runs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import time
from datetime import UTC, datetime
from pathlib import Path

from builders_ffmpeg import asked
from reconciler.bytenite.client import Clocks
from reconciler.bytenite.kind import ByteniteOptions, read_document
from reconciler.bytenite.provider import LOST_SIGHT, provider
from reconciler.core.encode import Output, Source
from reconciler.core.errors import Place
from reconciler.core.jobs import job_id, job_name
from reconciler.core.parameters import Parameters
from reconciler.core.ports import Fetched, JobRequest, SourceSeen
from reconciler.core.provider_types import Workshop
from reconciler.ffmpeg.examine import examine
from reconciler.ffmpeg.examine_package import examine_package

PROJECT = "talks-site"
# Where links of ours to objects lead, in tests that open none.
SIGNED = "https://signed.example.com/?of="


def options(api, **said):
    """Options that lead to a server; quick enough for tests."""
    values = {"type": "bytenite", "api_url": api.api_url, "requests_per_second": 1000.0, **said}
    return ByteniteOptions.model_validate(values)


def fetch(source, report, cancelled):
    """Finds a local source where it says it is."""
    path = Path(source.location)
    size = path.stat().st_size
    return Fetched(str(path), SourceSeen(source.identity, size=size, sha256="a" * 64), size, 0.1, cached=False)


def workshop(*, key, **said):
    """What a provider is built from, with a key in its environment."""
    sign = lambda source: dataclasses.replace(source, kind="http", location=f"{SIGNED}{source.location}")  # noqa: E731
    looks = {"sign": sign, "examine": examine, "examine_package": examine_package, "inspect": unasked}
    values = {"project": ".", "fetch": fetch, **looks, "environment": {"BYTENITE_API_KEY": key}, "cpus": 2}
    return Workshop(**{**values, **said})


def unasked(held, output):
    """Checks that no output of these tests asks for."""
    raise AssertionError("nothing is to be checked")


# How much faster than ours the clocks of these tests go: what is looked at each second is looked at each 50 ms.
HURRY = 20


@dataclasses.dataclass
class Hurried:
    """Clocks on which a second takes 50 ms, and a pause a hundredth. `slept` are the pauses that were asked for."""

    slept: list = dataclasses.field(default_factory=list)
    ahead: float = 0.0

    def clocks(self):
        """What a client is handed."""
        now = lambda: datetime.now(UTC)  # noqa: E731 - a clock
        return Clocks(self.monotonic, self.sleep, now, random.Random(5))

    def monotonic(self):
        """Seconds; what was slept and skipped counts in full."""
        return time.monotonic() * HURRY + self.ahead

    def sleep(self, seconds):
        """Sleep a little, and count all of it."""
        self.slept.append(seconds)
        time.sleep(seconds / 100)
        self.ahead += seconds

    def skip(self, seconds):
        """Let time pass at once."""
        self.ahead += seconds


def bytenite(api, *, clocks=None, lost_sight=LOST_SIGHT, name="bytenite", shop=None, **said):
    """A provider for a server that runs; it is in a hurry unless it has clocks of its own."""
    made = shop or workshop(key=api.key)
    return provider(name, options(api, **said), made, clocks or Hurried().clocks(), lost_sight)


def web(url):
    """A source that the server fetches."""
    return Source("http", url.partition("?")[0], url)


def output(source, name="web", *, encode="clip", fingerprint=None, native=None, **parameters):
    """One wanted output; its fingerprint follows from its name unless said."""
    wanted = asked(**parameters) if native is None else Parameters()
    return Output(
        address=f"{encode}/{name}",
        encode=encode,
        name=name,
        source=source,
        parameters=wanted,
        manifest={},
        fingerprint=fingerprint or hashlib.sha256(name.encode()).hexdigest(),
        provider="bytenite",
        path=f"outputs/{encode}/{name}.mp4",
        place=Place("specs/test.yaml", 1, 1),
        native=native,
    )


def request(source, *outputs, attempt=1, project=PROJECT):
    """The job of some outputs, as a plan makes it."""
    wanted = outputs or (output(source),)
    key = job_id(project, [(one.address, one.fingerprint, attempt) for one in wanted])
    return JobRequest(key, job_name(project, key), project, wanted[0].encode, source, tuple(wanted))


def fresh(source, *, count=[0], **parameters):  # noqa: B006 - counts the jobs of a session
    """A job that no test has asked for yet, of two outputs."""
    count[0] += 1
    small = {**parameters, "video": {"codec": "h264", "crf": 35, "preset": "ultrafast", "height": 60}}
    encode = f"clip{count[0]}"
    return request(
        source, output(source, "a", encode=encode, **parameters), output(source, "b", encode=encode, **small)
    )


def templated(source, document, *, encode="clip"):
    """A job of all outputs of a ByteNite document."""
    read, problems = read_document(document)
    assert not problems, problems
    return request(
        source,
        *(
            dataclasses.replace(
                output(source, one.name, encode=encode, native=one.native),
                parameters=Parameters.model_validate(one.parameters),
            )
            for one in read
        ),
    )


def jobs_said(api):
    """The jobs of a server as (name, state), the oldest first."""
    return [(job.name, job.state) for job in api.jobs()]


def as_json(value):
    """A body."""
    return json.dumps(value).encode()
