"""HLS packages of a paid provider: really encoded, looked at, checked and copied through one link."""

from __future__ import annotations

import pytest

from builders_http import Page, serving
from builders_remote import instant_clip, remote_project
from builders_server import serving_api
from builders_stores import s3
from reconciler.io import trees
from reconciler.io.hashing import sha256

WEB = "container: hls, video: {codec: h264, height: 96, crf: 30, preset: ultrafast}"
PRIVATE = "--allow-private-sources"


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    """Thirteen seconds with sound: three segments."""
    return instant_clip(tmp_path_factory.mktemp("master"), seconds=13)


def spec(source, *outputs):
    """Packages of one source, each a name and what it says beside its parameters; no two alike."""
    lines = "".join(
        f"      {name}: {{{WEB}, audio: {{codec: aac, bitrate: {64 + number}k}}, {more}}}\n"
        for number, (name, more) in enumerate(outputs)
    )
    return f"""\
version: 1
project: packs
providers:
  bytenite: {{type: bytenite, api_url: "${{env.BYTENITE_API_URL}}", requests_per_second: 1000}}
defaults: {{provider: bytenite}}
encodes:
  bbb:
    source: {source}
    outputs:
{lines}"""


def members(folder):
    """The files of a copy with their digests."""
    return {name: sha256(folder / name) for name in trees.members(folder)}


def test_a_package_is_copied_whole_into_a_folder_and_a_store(tmp_path, master):
    """Default verification and checks through the link; one digest for both copies; what is lost comes back free."""
    with serving_api(tmp_path) as api, serving({"/m.mp4": Page(master)}) as web, s3(tmp_path / "buckets") as site:
        here = ("web", "deliver: copies, checks: {min_vmaf: 30, decode: full}")
        there = ("site", "deliver: {to: s3://site/t, public_url: https://cdn.example.com/t}")
        project = remote_project(tmp_path / "project", api, spec(web.url("/m.mp4"), here, there))
        project.environment |= site.environment()
        done = project.apply(PRIVATE).ok()

        records = project.records()
        held, copy = records["bbb/web"]["output"], records["bbb/web"]["delivered"]
        folder = project.folder / "copies/bbb/web"
        assert trees.digest(folder) == copy["sha256"], done.out
        assert [held["size"], copy["size"]] == [trees.size(folder)] * 2
        assert {"master.m3u8", "main/index.m3u8", "main/init.mp4", "main/segment-00002.m4s"} <= set(members(folder))
        names = {check["name"] for check in records["bbb/web"]["checks"]}
        assert {"main/min_vmaf", "main/decode", "audio/decode", "main/duration"} <= names
        state = (project.folder / "state/encodes.json").read_text()
        assert "hdnts" not in state + done.out + done.err

        stored = [name for name in site.names() if "/.reconciler" not in name]
        assert sorted(f"t/bbb/site/{name}" for name in members(folder)) == stored
        assert "https://cdn.example.com/t/bbb/site/master.m3u8" in project.run("output").ok().out

        (folder / "main/segment-00002.m4s").unlink()
        assert "copies/bbb/web" in project.run("plan").ok().out
        project.run("apply", "--no-spend", PRIVATE).ok()
        assert trees.digest(folder) == copy["sha256"]
        assert "No changes" in project.run("plan", "--refresh", "--detailed-exitcode").ok().out
        assert [1] == list(api.all_starts().values())


def without(name):
    """A server that has lost one file of every package."""

    def wrapped(app):
        async def answer(scope, receive, send):
            if scope["type"] == "http" and scope["path"].endswith(name):
                scope = {**scope, "path": "/nowhere", "raw_path": b"/nowhere"}
            await app(scope, receive, send)

        return answer

    return wrapped


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("main/segment-00002.m4s", "main/segment-00002.m4s is not there"),
        ("audio/index.m3u8", "audio/index.m3u8 is not there"),
    ],
)
def test_a_package_that_lacks_a_file_is_suspect(tmp_path, master, lost, words):
    """Each file that a playlist names is asked for, whether or not anything is checked or copied."""
    with (
        serving_api(tmp_path, middleware=without(lost)) as api,
        serving({"/m.mp4": Page(master)}) as web,
    ):
        project = remote_project(tmp_path / "project", api, spec(web.url("/m.mp4"), ("web", "deliver: copies")))
        done = project.apply(PRIVATE)
        record = project.records()["bbb/web"]
        assert (3, "suspect") == (done.code, record["status"]), done.out
        assert words in record["error"]
        assert not (project.folder / "copies").exists()
