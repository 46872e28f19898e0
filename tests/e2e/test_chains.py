"""Chains, end to end: a mezzanine, a ladder that is made from it, here and on the API, and what becomes of them."""

from __future__ import annotations

import json

import pytest

from builders_project import Project, generated, tiny
from builders_remote import remote_project
from builders_server import serving_api
from reconciler.ffmpeg.probe import probe

MEZZANINE = (
    "{container: mov, video: {codec: h264, crf: CRF, preset: ultrafast, keyframe_interval: 0.2s}, audio: {codec: aac}}"
)


def chain(crf=12, *, source=None, mezzanine="local", ladder="local", more=""):
    """A spec of a mezzanine and two rungs; `mezzanine` and `ladder` name their providers."""
    return f"""\
version: 1
project: chained
providers:
  bytenite:
    type: bytenite
    api_url: ${{env.BYTENITE_API_URL}}
    requests_per_second: 1000
encodes:
  ladder:
    source: {{encode: mezz/master}}
    provider: {ladder}
    outputs:
      big: {tiny(30)}
      small: {{container: mp4, video: {{codec: h264, height: 48, crf: 30, preset: ultrafast}}, audio: {{codec: aac}}}}
  mezz:
    source: "{source or generated()}"
    provider: {mezzanine}
    outputs: {{master: {MEZZANINE.replace("CRF", str(crf))}}}
{more}"""


def written(folder, text):
    """A project with this spec."""
    project = Project(folder)
    project.write("specs/a.yaml", text)
    return project


def steps(project, *options):
    """The steps of a plan, as address, step, reason and what comes before it."""
    lines = project.run("--json", "plan", *options).ok().out.splitlines()
    changes = json.loads(lines[-1])["plan"]["resource_changes"]
    return [(each["address"], each["step"], each["action_reason"], each["upstream"]) for each in changes]


def test_a_changed_mezzanine_reruns_its_ladder_in_order(tmp_path):
    """One plan and one apply: the mezzanine, then the rungs made from it; then nothing is left to do."""
    project = written(tmp_path, chain())
    project.apply().ok()
    before = project.files()
    project.write("specs/a.yaml", chain(crf=20))

    assert [
        ("ladder/big", "rerun", "upstream", "mezz/master"),
        ("ladder/small", "rerun", "upstream", "mezz/master"),
        ("mezz/master", "rerun", "changed", None),
    ] == steps(project)
    said = project.run("plan").ok().out
    assert (True, True) == ("mezz/master is encoded anew" in said, "video.crf: 12 -> 20" in said)
    approved = json.loads(project.run("--json", "plan").ok().out.splitlines()[-1])["plan"]["plan_id"]
    done = project.run("apply", "--expect", approved).ok()

    told = flat(done.err)
    assert -1 < told.find("verified mezz/master") < told.find("started ladder: big small")
    assert all(before[name] != now for name, now in project.files().items())
    records = project.records()
    digest = records["mezz/master"]["output"]["sha256"]
    assert [digest, digest] == [records[name]["source"]["sha256"] for name in ("ladder/big", "ladder/small")]
    assert "No changes" in project.run("plan", "--detailed-exitcode").ok().out


def test_a_failed_mezzanine_blocks_its_ladder_until_it_is_repaired(tmp_path):
    """Exit 3, no attempt of the rungs is used, nothing of them is recorded; repaired, it all goes on."""
    project = written(tmp_path, chain(source="master.mp4"))
    project.write("master.mp4", "this is no media")
    failed = project.apply()
    assert (3, True) == (failed.code, "2 blocked" in " ".join(failed.out.split()))
    assert ["mezz/master"] == list(project.records())
    again = project.apply()
    assert (3, "failed", 2) == (
        again.code,
        project.records()["mezz/master"]["status"],
        project.records()["mezz/master"]["failures"],
    )
    for_good = project.apply()
    assert (3, True) == (for_good.code, "mezz/master, which it is made from, is failed" in flat(for_good.out))
    assert ["mezz/master"] == list(project.records())

    project.write("specs/a.yaml", chain())
    project.apply().ok()
    attempts = {address: record["attempt"] for address, record in project.records().items() if "attempt" in record}
    assert (None, None) == (attempts.get("ladder/big"), attempts.get("ladder/small"))
    assert 3 == len(project.files())


def flat(text):
    """Folded text on one line."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("mezzanine", "ladder"), [("local", "bytenite"), ("bytenite", "local"), ("bytenite", "bytenite")]
)
def test_chains_across_providers(tmp_path, mezzanine, ladder):
    """A file of ours is uploaded, what the API holds is fetched through a fresh link, or handed on as one."""
    text = chain(mezzanine=mezzanine, ladder=ladder, source="master.mov")
    with serving_api(tmp_path, allow_private=True) as api:
        maker = written(tmp_path / "maker", chain())
        maker.apply().ok()
        project = remote_project(
            tmp_path / "project",
            api,
            text.replace("container: mov", "container: mp4").replace(", keyframe_interval: 0.2s", ""),
        )
        (project.folder / "master.mov").write_bytes((maker.folder / "outputs/mezz/master.mov").read_bytes())
        project.apply().ok()
        records = project.records()
        starts = api.all_starts()
        links = json.loads(project.run("output", "--json").ok().out)

        assert dict.fromkeys(("ladder/big", "ladder/small", "mezz/master"), "complete") == {
            address: record["status"] for address, record in records.items()
        }
        assert [1] * [mezzanine, ladder].count("bytenite") == list(starts.values())
        assert [] == [address for address, record in records.items() if "Signature" in json.dumps(record)]
        if ladder == "local":
            assert 48 == probe(str(project.folder / "outputs/ladder/small.mp4")).video[0].height
        assert links.keys() == records.keys()
        assert "No changes" in project.run("plan", "--detailed-exitcode").ok().out


def test_a_ladder_waits_for_a_mezzanine_that_was_left_to_run(tmp_path):
    """--no-wait leaves with 0 and says what waits; the next apply makes it from what was made meanwhile."""
    text = (
        chain(mezzanine="bytenite", source="master.mov")
        .replace("container: mov", "container: mp4")
        .replace(", keyframe_interval: 0.2s", "")
    )
    with serving_api(tmp_path) as api:
        maker = written(tmp_path / "maker", chain())
        maker.apply().ok()
        project = remote_project(tmp_path / "project", api, text)
        (project.folder / "master.mov").write_bytes((maker.folder / "outputs/mezz/master.mov").read_bytes())
        left = project.apply("--no-wait").ok()
        assert "2 waiting for those" in flat(left.out)
        assert "to begin 2 outputs made from that" in flat(left.out)
        assert ["mezz/master"] == list(project.records())

        project.apply().ok()
        assert [1] == list(api.all_starts().values())
        assert {"ladder/big.mp4", "ladder/small.mp4"} == set(project.files())


def test_a_chain_lives(tmp_path):
    """Renamed, moved by hand, its file lost, a rung added, measured against its mezzanine: only what must runs."""
    project = written(tmp_path, chain())
    project.apply().ok()
    before = project.files()

    project.write("specs/a.yaml", chain().replace("mezz", "source"))
    assert [("source/master", "move", "moved", None)] == steps(project)
    project.apply().ok()
    project.run("state", "mv", "source/master", "films/master").ok()
    project.write("specs/a.yaml", chain().replace("mezz", "films"))
    assert [] == steps(project)

    (project.folder / "outputs/films/master.mov").unlink()
    tall = f"      tall: {tiny(28)}\n"
    checked = (
        chain()
        .replace("mezz", "films")
        .replace("    outputs:\n", f"    checks: {{min_vmaf: 1}}\n    outputs:\n{tall}", 1)
    )
    project.write("specs/a.yaml", checked)
    assert [
        ("films/master", "output_missing"),
        ("ladder/big", "updated"),
        ("ladder/small", "updated"),
        ("ladder/tall", "new"),
    ] == [(address, reason) for address, _, reason, _ in steps(project)]
    assert {"films/master", "ladder/tall"} == {address for address, *_ in steps(project, "--target", "ladder/tall")}
    project.apply("--target", "ladder/*").ok()
    records = project.records()
    assert all("vmaf" in json.dumps(records[f"ladder/{rung}"]["checks"]) for rung in ("big", "small", "tall"))
    assert before["ladder/big.mp4"] == project.files()["ladder/big.mp4"]
    assert [] == steps(project)
    assert "made from    films/master" in project.run("explain", "ladder/tall").ok().out
    assert "outputs/films/master.mov" in project.run("plan", "--rerun", "ladder/tall", "--show-commands").ok().out


def test_a_mezzanine_that_was_altered_is_not_encoded(tmp_path):
    """A file of the same size and other bytes is no mezzanine: the rung fails, and says what to do about it."""
    project = written(tmp_path, chain())
    project.apply().ok()
    file = project.folder / "outputs/mezz/master.mov"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    project.write("specs/a.yaml", chain().replace("height: 48", "height: 50"))
    failed = project.apply()
    assert (3, True) == (failed.code, "the file of mezz/master is not the one that was recorded" in flat(failed.out))
    assert "to make it again: --rerun mezz/master" in flat(failed.out)

    project.apply("--rerun", "mezz/master").ok()
    assert [] == steps(project)


def test_what_cannot_be_compared_yet_is_looked_at_later(tmp_path):
    """A check that comes later, of a mezzanine that is gone and paused: told, and made once that is there again."""
    project = written(tmp_path, chain())
    project.apply().ok()
    (project.folder / "outputs/mezz/master.mov").unlink()
    checked = chain().replace("    provider: local\n", "    checks: {min_vmaf: 1}\n", 1)
    project.write("specs/a.yaml", checked.replace("  mezz:\n", "  mezz:\n    enabled: false\n"))
    unchecked = project.apply()
    assert (3, True) == (
        unchecked.code,
        "the file of mezz/master, which it is made from, is not" in flat(unchecked.out),
    )
    assert "the file is as it was; the next apply looks at it again" in flat(unchecked.out)

    project.write("specs/a.yaml", checked)
    project.apply().ok()
    records = project.records()
    assert all("vmaf" in json.dumps(records[f"ladder/{rung}"]["checks"]) for rung in ("big", "small"))
    assert [] == steps(project)


def test_a_master_that_was_no_media_and_is_repaired_is_tried_again(tmp_path):
    """A mezzanine that failed for good for what its master held fails for that alone: another file is another try."""
    project = written(tmp_path, chain(source="master.mov"))
    project.write("master.mov", "this is no media")
    assert [3, 3, 3] == [project.apply().code for _ in range(3)]
    assert "No changes" in project.run("plan").ok().out

    maker = written(tmp_path / "maker", chain())
    maker.apply().ok()
    (project.folder / "master.mov").write_bytes((maker.folder / "outputs/mezz/master.mov").read_bytes())
    assert ("mezz/master", "rerun", "source_changed", None) == steps(project)[-1]
    project.apply().ok()
    assert [] == steps(project)
