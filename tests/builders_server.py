"""The real server on loopback, in this process, with whatever may go wrong on the way to it."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from reconciler.commands.served_sources import ServedSources
from reconciler.core.ports import Done, Draft, Failed, Lost, Running, SourceSeen, Traits, Verified
from reconciler.ffmpeg import binary, work_files
from reconciler.ffmpeg.kind import FfmpegOptions
from reconciler.ffmpeg.provider import FfmpegProvider
from reconciler.server.app import create_app
from reconciler.server.house import House, opened, utc_now
from reconciler.server.listening import bound, listening
from reconciler.server.settings import Settings

KEY = "a-key-for-the-tests-0123456789"
TEMPLATE = "video-transcoding@v0.2"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = datetime(2026, 6, 22, 8, 0, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def forward(self, **amount):
        """Let time pass, as timedelta says it."""
        self.now += timedelta(**amount)


@dataclass(frozen=True)
class Answer:
    """What a request is answered instead of being served. A Content-Length beyond the body cuts the answer off."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delay:
    """Serve a request after so many seconds."""

    seconds: float


DROP_BEFORE = "drop_before"  # the connection is cut, and nothing was done
DROP_AFTER = "drop_after"  # all was done, and the connection is cut before the answer

Fault = Callable[[str, str, int], str | Answer | Delay | None]


@dataclass
class Api:
    """A server that runs. `calls` are the requests that came, as (method, path), also those that were faulted."""

    url: str
    key: str
    house: House
    calls: list[tuple[str, str]]
    faults: list[Fault]

    @property
    def api_url(self) -> str:
        """What a spec names as api_url."""
        return f"{self.url}/v1"

    def starts(self, job_id):
        """How often a job of this id was started."""
        return self.house.database.starts(job_id)

    def all_starts(self):
        """How often each job was started, by its id; jobs that never were are absent."""
        return dict(Counter(job_id for (job_id,) in self.house.database.rows("SELECT job_id FROM starts")))

    def job(self, job_id):
        """A job as the database has it; None if it has none."""
        return self.house.database.find(job_id)

    def jobs(self):
        """All jobs, the oldest first."""
        return self.house.database.jobs("ORDER BY number")

    def token(self):
        """A fresh access token."""
        answer = requests.post(f"{self.api_url}/auth/access_token", json={"apiKey": self.key}, timeout=10)
        return answer.json()["token"]

    def client(self):
        """A session that is let in."""
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = self.token()
        return Client(self, session)


@dataclass
class Client:
    """A bare client: a session, and the paths of `/v1/customer`."""

    api: Api
    session: requests.Session

    def ask(self, method, path, body=None, *, status=200, **options):
        """The JSON that a request is answered with, which must have the given status."""
        url = (
            f"{self.api.api_url}{path}"
            if path.startswith(("/auth", "/wallet"))
            else f"{self.api.api_url}/customer{path}"
        )
        answer = self.session.request(method, url, json=body, timeout=30, **options)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def draft(self, source, params, **fields):
        """The id of a complete draft of a source URL and an encoding document."""
        body = {
            "name": "A test job",
            "templateId": TEMPLATE,
            "dataSource": {"dataSourceDescriptor": "url", "params": {"url": source}},
            "dataDestination": {"dataSourceDescriptor": "bucket"},
            "params": params,
            **fields,
        }
        return self.ask("POST", "/jobs", body)["job"]["id"]

    def run(self, job_id, **options):
        """Start a draft."""
        return self.ask("POST", f"/jobs/{job_id}/run", {}, **options)

    def job(self, job_id):
        """A job as it is told."""
        return self.ask("GET", f"/jobs/{job_id}")["job"]

    def ended(self, job_id, *, within=60.0):
        """A job when it has ended, and every state that was seen on the way."""
        seen, until = [], time.monotonic() + within
        while time.monotonic() < until:
            job = self.job(job_id)
            if not seen or seen[-1] != job["state"]:
                seen.append(job["state"])
            if job["state"] in {"JOB_STATE_COMPLETE", "JOB_STATE_FAILED"}:
                return job, seen
            time.sleep(0.02)
        raise AssertionError(f"the job still runs: {seen}")


class InstantProvider:
    """Implements core.ports.Provider: every output is a copy of one clip. `seconds` is how long a job takes."""

    traits = Traits(paid=False, outlives=False)
    parallelism = 4

    def __init__(self, project, clip, *, seconds=0.0, error=None):
        self._project, self._clip, self._seconds, self._error = Path(project), Path(clip), seconds, error
        self._digest = hashlib.sha256(self._clip.read_bytes()).hexdigest()
        self._requests, self._until = {}, {}
        self._lock = threading.Lock()

    def prepare(self, job):
        with self._lock:
            self._requests.setdefault(job.job_id, job)
        return job.job_id

    def start(self, job_id):
        with self._lock:
            self._until.setdefault(job_id, time.monotonic() + self._seconds)

    def attach(self, job):
        self.prepare(job)

    def observe(self, job_ids):
        return {job_id: self._observe(job_id) for job_id in job_ids}

    def cancel(self, job_id):
        with self._lock:
            self._requests.pop(job_id, None)
            self._until.pop(job_id, None)

    def close(self):
        with self._lock:
            self._requests.clear()
            self._until.clear()

    def _observe(self, job_id):
        with self._lock:
            job, until = self._requests.get(job_id), self._until.get(job_id)
        if job is None:
            return Lost()
        if until is None:
            return Draft()
        if time.monotonic() < until:
            left = until - time.monotonic()
            return Running("encoding", fraction=max(0.0, 1 - left / self._seconds))
        if self._error is not None:
            return Failed(self._error)
        return Done(
            {output.name: self._made(output, job_id) for output in job.outputs}, SourceSeen(job.source.identity)
        )

    def _made(self, output, job_id):
        path = work_files.part_of(output, job_id)
        (self._project / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._clip, self._project / path)
        return Verified(path, self._clip.stat().st_size, self._digest, "a copy")


class _Faults:
    """The middleware between the network and the server: it counts, delays, cuts and lies."""

    def __init__(self, app, calls, faults):
        self._app, self._calls, self._faults = app, calls, faults
        self._counts = Counter()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = (scope["method"], scope["path"])
        self._calls.append(call)
        self._counts[call] += 1
        wanted = next(
            (found for fault in list(self._faults) if (found := fault(*call, self._counts[call])) is not None), None
        )
        await self._act(wanted, scope, receive, send)

    async def _act(self, wanted, scope, receive, send):
        if wanted == DROP_BEFORE:
            await _drain(receive)
            _cut(send)
        elif wanted == DROP_AFTER:
            await self._app(scope, receive, _nowhere)
            _cut(send)
        elif isinstance(wanted, Answer):
            await _drain(receive)
            await _answer(wanted, send)
        else:
            if isinstance(wanted, Delay):
                await asyncio.sleep(wanted.seconds)
            await self._app(scope, receive, send)


async def _drain(receive):
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


async def _nowhere(_message):
    """Hears an answer that nobody gets."""


def _cut(send):
    """End the connection without an answer; the bound method that uvicorn sends with knows it."""
    send.__self__.transport.abort()


async def _answer(answer, send):
    headers = {"content-type": "application/json", "content-length": str(len(answer.body))}
    headers |= {name.lower(): value for name, value in answer.headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send(
        {
            "type": "http.response.body",
            "body": answer.body,
            "more_body": int(headers["content-length"]) > len(answer.body),
        }
    )
    if int(headers["content-length"]) > len(answer.body):
        # What is sent so far goes out first, then the connection ends.
        send.__self__.transport.close()


@contextmanager
def serving_api(
    tmp_path,
    *,
    instant=None,
    instant_seconds=0.0,
    faults=(),
    provider=None,
    port=0,
    clock=utc_now,
    parallelism=1,
    middleware=None,
    **options,
):
    """A server over `tmp_path/server`, until the end of the block; started again there, it goes on.

    `instant` is a clip that every output is a copy of; without it jobs are encoded. `faults` are asked about every
    request, with its method, its path, and the how-manieth of that method and path it is, from 1: None serves it.
    `provider` is made from the data folder and the sources. All else are fields of server.Settings; private
    sources are allowed unless said.
    """
    data = Path(tmp_path) / "server"
    known = {each.name for each in fields(Settings)}
    assert not set(options) - known, f"no such settings: {set(options) - known}"
    settings = Settings(**{"data": data, "keys": (KEY,), "allow_private": True, **options})
    sources = ServedSources(data, {}, allow_private=settings.allow_private)
    data.mkdir(parents=True, exist_ok=True)
    if provider is not None:
        runs = provider(data, sources)
    elif instant is not None:
        runs = InstantProvider(data, instant, seconds=instant_seconds)
    else:
        runs = encoder(data, sources, parallelism=parallelism)
    calls, faulty = [], list(faults)
    with opened(settings, runs, sources, clock=clock) as house:
        app = _Faults(create_app(house), calls, faulty)
        with listening(app if middleware is None else middleware(app), bound("127.0.0.1", port)) as server:
            yield Api(server.url, settings.keys[0], house, calls, faulty)


def encoder(data, sources, *, parallelism=1):
    """The provider that really encodes."""
    return FfmpegProvider(
        FfmpegOptions(parallelism=parallelism),
        program=binary.find({}),
        project=data,
        fetch=sources.fetch,
        environment={},
        cpus=2,
    )


def document(
    *heights, name="{{.job_name}}_{{.output_params.Aspect.Resolution.CustomHeight}}p", preset="ultrafast", crf=35
):
    """A small encoding document: x264 and AAC, an output for each height."""
    outputs = [
        {
            "name": f"{height}p",
            "output_type": "mp4",
            "output_params": {
                "aspect": {"resolution": {"height": "custom", "custom_height": height, "avoid_upscaling": True}},
                "audio": {
                    "audio_codec": "AAC",
                    "audio_bitrate": "64k",
                    "audio_channel": "2.0",
                    "audio_sample_rate": "48khz",
                },
                "video": {
                    "codec": "libx264",
                    "codec_params": {"preset": preset, "tune": "", "profile": "", "level": ""},
                    "bitrate": {"rate_control_mode": "constant_quality", "crf": crf},
                    "frame_rate": {"fps": "", "up_mode": "avoid"},
                },
            },
        }
        for height in heights
    ]
    return {"data": {"output_template": name, "output_code_template": "", "outputs": outputs}, "preset": "unpackaged"}
