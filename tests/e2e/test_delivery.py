"""Copies of finished outputs through the real program: to a real S3 on loopback, whole, public, made again."""

from __future__ import annotations

import json
import os

import pytest

from builders_project import Project, ladder_spec, tiny
from builders_remote import instant_clip, remote_project, remote_spec
from builders_server import serving_api
from builders_stores import KEY, SECRET, s3
from reconciler.io.stores import Store

TO_SITE = "deliver: {to: s3://site/t/, public_url: https://cdn.example.com/t/}"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """What every output is a copy of, where nothing is encoded."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


@pytest.fixture
def site(tmp_path):
    """An empty bucket."""
    with s3(tmp_path / "buckets") as served:
        yield served


def media(site):
    """All objects but the note of ours that says what belongs to a package."""
    return [name for name in site.names() if not name.endswith("/.reconciler.json")]


def lose(site, name):
    """Somebody deletes an object."""
    Store("s3", "site", site.environment()).remove(name)


def test_what_a_provider_holds_goes_to_a_store_and_comes_back_there_when_it_is_lost(tmp_path, clip, site):
    """Delivered in the same apply, seen by its public URL, made again from the living file; all of it one start."""
    with serving_api(tmp_path, instant=clip) as api:
        spec = remote_spec().replace("    source: https", f"    {TO_SITE}\n    source: https")
        project = remote_project(tmp_path / "project", api, spec)
        project.environment |= site.environment()
        done = project.program("apply", "--auto-approve", "-v").ok()

        assert ["t/bbb/480p.mp4", "t/bbb/720p.mp4"] == site.names()
        assert clip.read_bytes() == site.content("t/bbb/720p.mp4")
        assert "https://cdn.example.com/t/bbb/720p.mp4" in project.run("output").ok().out
        state = (project.folder / "state/encodes.json").read_text()
        for secret in (KEY, SECRET):
            assert secret not in state + done.out + done.err
        assert "2 outputs in s3://site/t/, no expiry" in project.run("status").ok().out

        lose(site, "t/bbb/720p.mp4")
        assert "No changes" in project.run("plan").ok().out
        plan = project.run("plan", "--refresh", "--detailed-exitcode")
        assert (2, True) == (plan.code, "s3://site/t/bbb/720p.mp4 is gone" in plan.out), plan.out
        project.run("apply", "--no-spend", "--refresh").ok()
        assert ["t/bbb/480p.mp4", "t/bbb/720p.mp4"] == site.names()
        assert [1] == list(api.all_starts().values())


def test_files_of_this_machine_go_to_a_store(tmp_path, site):
    """Both outputs of a local job; a changed one replaces its copy, the other is left alone."""
    project = Project(tmp_path / "project", site.environment())
    spec = ladder_spec().replace("    source:", f"    {TO_SITE}\n    source:")
    project.write("specs/a.yaml", spec)
    project.apply().ok()
    first = {name: site.content(name) for name in site.names()}
    assert ["t/clip/big.mp4", "t/clip/small.mp4"] == list(first)
    assert first["t/clip/big.mp4"] == (project.folder / "outputs/clip/big.mp4").read_bytes()

    project.write("specs/a.yaml", spec.replace("crf: 33", "crf: 40"))
    project.apply().ok()
    assert [True, False] == [site.content(name) == first[name] for name in first]
    assert "No changes" in project.run("plan", "--refresh", "--detailed-exitcode").ok().out


def test_a_package_goes_as_a_folder(tmp_path, site):
    """HLS: every segment and playlist, the opening one by its public URL; a lost segment is seen and made good."""
    project = Project(tmp_path / "project", site.environment())
    video = tiny().replace("container: mp4", "container: hls")
    project.write(
        "specs/a.yaml", ladder_spec().replace(tiny(), video).replace("    source:", f"    {TO_SITE}\n    source:")
    )
    project.apply().ok()
    made = sorted(
        f"t/clip/{path.relative_to(project.folder / 'outputs/clip')}"
        for path in (project.folder / "outputs/clip").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    )
    assert made == media(site)
    assert "https://cdn.example.com/t/clip/big/master.m3u8" in project.run("output").ok().out

    lost = next(name for name in made if name.startswith("t/clip/big/") and not name.endswith("m3u8"))
    lose(site, lost)
    plan = project.run("plan", "--refresh", "--detailed-exitcode")
    assert 2 == plan.code, plan.out
    project.run("apply", "--no-spend", "--refresh").ok()
    assert made == media(site)


@pytest.mark.parametrize("place", ["s3://site/t", "copies"])
def test_a_segment_that_somebody_altered_is_delivered_again(tmp_path, site, place):
    """As long as it was, and something else: seen without a look in a folder, by a look in a store; nothing encodes."""
    project = Project(tmp_path / "project", site.environment())
    package = tiny().replace("container: mp4", "container: hls")
    spec = ladder_spec().replace(tiny(), package).replace("    source:", f"    deliver: {place}\n    source:")
    project.write("specs/a.yaml", spec)
    project.apply().ok()
    look = ["--refresh"] if place.startswith("s3") else []
    name = "clip/big/main/segment-00000.m4s"
    whole = (project.folder / "outputs" / name).read_bytes()
    path = project.folder / "copies" / name
    if look:
        Store("s3", "site", site.environment()).put(f"t/{name}", [whole[::-1]], len(whole), None)
    else:
        path.write_bytes(whole[::-1])
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))

    plan = project.run("plan", *look, "--detailed-exitcode")
    assert (2, True) == (plan.code, f"{place}/clip/big is not the copy that was made" in " ".join(plan.out.split()))
    assert f"To run it: reconciler apply{' --refresh' if look else ''}\n" in plan.out
    done = project.run("apply", "--no-spend", *look).ok()
    assert "0 encoded" in done.out
    assert whole == (site.content(f"t/{name}") if look else path.read_bytes())
    assert "No changes" in project.run("plan", *look, "--detailed-exitcode").ok().out


def test_a_store_that_does_not_answer_leaves_the_output_complete(tmp_path, clip, site):
    """Exit 3 for the copy; nothing is encoded again, and the next apply without spending copies."""
    with serving_api(tmp_path, instant=clip) as api:
        spec = remote_spec(outputs=("720p",)).replace("    source: https", f"    {TO_SITE}\n    source: https")
        project = remote_project(tmp_path / "project", api, spec)
        project.environment |= site.environment(AWS_SECRET_ACCESS_KEY="w" * 40)
        failed = project.apply()
        assert 0 != failed.code
        assert "complete" == project.records()["bbb/720p"]["status"], failed.out + failed.err
        assert [] == site.names()
        assert "Not copied to its place yet: 1 output" in project.run("status").ok().out

        project.environment |= site.environment()
        project.run("apply", "--no-spend").ok()
        assert ["t/bbb/720p.mp4"] == site.names()
        assert [1] == list(api.all_starts().values())
        assert "bbb/720p" in json.loads(project.run("--json", "output", "--offline").ok().out)
