"""A project whose jobs run on the ByteNite API, against the real server on loopback."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from builders_project import Project
from reconciler.ffmpeg import binary

# What the clip of `instant_clip` is, so that a copy of it passes for a finished output.
SMALL = (
    "{container: mp4, video: {codec: h264, height: 96, crf: CRF, preset: ultrafast}, audio: {codec: aac, bitrate: 64k}}"
)


def instant_clip(folder: Path, *, seconds=1) -> Path:
    """A whole clip of 160x96 with sound."""
    path = folder / "instant.mp4"
    picture = f"testsrc2=size=160x96:rate=25:duration={seconds}"
    coding = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-movflags",
        "+faststart",
    ]
    sources = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine=duration={seconds}"]
    subprocess.run([binary.find({}), "-v", "error", "-y", *sources, *coding, str(path)], check=True)
    return path


def remote_spec(*, crf=30, outputs=("720p", "480p"), source="https://cdn.example.com/bbb.mp4", price=True, more=""):
    """A spec of one encode on bytenite; every output is as small as the instant clip."""
    made = "\n".join(f"      {name}: {SMALL.replace('CRF', str(crf + number))}" for number, name in enumerate(outputs))
    card = "    price: {per_output_minute: 0.05 USD}\n" if price else ""
    return f"""\
version: 1
project: talks
providers:
  bytenite:
    type: bytenite
    api_url: ${{env.BYTENITE_API_URL}}
    requests_per_second: 1000
{card}{more}
defaults: {{provider: bytenite}}
encodes:
  bbb:
    source: {source}
    outputs:
{made}
"""


def remote_project(folder: Path, api, spec: str | None = None) -> Project:
    """A project that knows where the API is, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    project = Project(folder, {"BYTENITE_API_URL": api.api_url, "BYTENITE_API_KEY": api.key})
    (folder / "specs").mkdir(exist_ok=True)
    (folder / "specs/a.yaml").write_text(spec or remote_spec(), encoding="utf-8")
    return project


def without_job_ids(app):
    """A server that ignores the ids that clients choose, as the API's later documents have it."""

    async def wrapped(scope, receive, send):
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith("/jobs"):
            await app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        said = json.loads(body or b"{}")
        said.pop("jobId", None)
        content = json.dumps(said).encode()
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        headers.append((b"content-length", str(len(content)).encode()))

        async def again():
            return {"type": "http.request", "body": content, "more_body": False}

        await app({**scope, "headers": headers}, again, send)

    return wrapped


def with_shuffled_results(app):
    """A server whose results come in reverse, each in a folder of its own: `out_0/...`."""

    async def wrapped(scope, receive, send):
        if scope["type"] != "http" or not scope["path"].endswith("/results"):
            await app(scope, receive, send)
            return
        sent = []

        async def keep(message):
            sent.append(message)

        await app(scope, receive, keep)
        said = json.loads(b"".join(message.get("body", b"") for message in sent))
        moved = [{**each, "name": f"out_{n}/{each['name']}"} for n, each in enumerate(reversed(said["results"]))]
        body = json.dumps({"results": moved}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({**sent[0], "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return wrapped
