"""`state`, `status`, `output`, `show` and `explain`: what is known, and mending it."""

from __future__ import annotations

import json
import os

from builders_commands import Desk, applied, desk
from builders_project import ladder_spec
from reconciler.store import store


def retired(folder):
    """A project whose `small` was made and is not declared any more."""
    made = applied(folder)
    made.write("specs/encodes.yaml", ladder_spec().replace("outputs: [big, small]", "outputs: [big]"))
    made.run("apply", "--auto-approve").ok()
    return made


def test_list_and_show(tmp_path):
    """The records are listed a line each, and shown whole; with --json as the state has them."""
    made = applied(tmp_path)

    assert (
        """\
clip/big    complete  h264 96p crf 30, aac 64k
clip/small  complete  h264 64p crf 33, aac 64k
"""
        == made.run("state", "list").ok().out
    )
    assert "clip/big  complete  h264 96p crf 30, aac 64k\n" == made.run("state", "list", "clip/b*").ok().out
    assert made.records() == made.json("state", "list")
    assert {"clip/big": made.records()["clip/big"]} == made.json("state", "show", "clip/big")
    shown = made.run("state", "show", "clip/big").ok().out
    assert shown.startswith("clip/big: complete\n  file         outputs/clip/big.mp4\n")
    assert shown == made.run("show", "clip/big").ok().out


def test_a_state_that_is_not_there(tmp_path):
    """Before the first apply there is nothing to list, and nothing to mend."""
    made = desk(tmp_path)

    assert "The state holds no records.\n" == made.run("state", "list").ok().out
    assert {} == made.json("state", "list")
    assert 64 == made.run("state", "prune").code
    assert not (tmp_path / "state").exists()


def test_a_cut_off_journal_is_warned_about(tmp_path):
    """A torn journal line, as a crash leaves it, is said on stderr and changes no result."""
    made = applied(tmp_path)
    made.write("state/encodes.journal.jsonl", '{"format": "encode-rec')
    result = made.run("state", "list").ok()

    assert "Warning: state/encodes.journal.jsonl: the last line is cut off" in result.err
    assert made.records() == made.json("state", "list")


def test_mv_renames_record_and_file(tmp_path):
    """A moved record has its new address, its file the name that goes with it, and nothing is encoded."""
    made = applied(tmp_path)
    before = made.records()["clip/big"]
    content = (tmp_path / "outputs/clip/big.mp4").read_bytes()
    dry = made.run("state", "mv", "clip/big", "film/large", "--dry-run").ok().out

    assert "Would move clip/big to film/large. Its file is then outputs/film/large.mp4.\n" == dry
    assert before == made.records()["clip/big"]
    assert (
        "Moved clip/big to film/large. Its file is now outputs/film/large.mp4.\n"
        == made.run("state", "mv", "clip/big", "film/large").ok().out
    )
    after = made.records()["film/large"]
    assert {"clip/small", "film/large"} == set(made.records())
    assert ("complete", "outputs/film/large.mp4") == (after["status"], after["output"]["path"])
    assert before["fingerprint"] == after["fingerprint"]
    assert content == (tmp_path / "outputs/film/large.mp4").read_bytes()
    assert not (tmp_path / "outputs/clip/big.mp4").exists()
    assert not (tmp_path / "state/encodes.journal.jsonl").exists()


def test_mv_refuses_what_would_lose_something(tmp_path):
    """Addresses in use, files in the way and names that are none are refused, and nothing changes."""
    made = applied(tmp_path)
    made.write("outputs/film/large.mp4", "somebody's")
    before = made.records()
    for new in ("clip/small", "film/large", "large", "a//b", "../x/y", ".hidden/x"):
        assert 64 == made.run("state", "mv", "clip/big", new).code, new
    assert 64 == made.run("state", "mv", "clip", "film/x").code

    assert before == made.records()
    assert "somebody's" == (tmp_path / "outputs/film/large.mp4").read_text()


def test_rm_forgets_and_leaves_files(tmp_path):
    """A removed record is planned as new; its file is still there."""
    made = applied(tmp_path)

    assert (
        "Would drop 1 record:\n  clip/big\nNo file would be touched.\n"
        == made.run("state", "rm", "clip/big", "--dry-run").ok().out
    )
    assert "Dropped 1 record:\n  clip/big\nNo file was touched.\n" == made.run("state", "rm", "clip/big").ok().out
    assert {"clip/small"} == set(made.records())
    assert (tmp_path / "outputs/clip/big.mp4").exists()
    assert "  + clip/big" in made.run("plan").ok().out
    assert {"removed": ["clip/small"], "deleted_files": [], "dry_run": False} == made.json("state", "rm", "clip/small")


def test_records_in_flight_are_left_alone(tmp_path):
    """A job in flight is found by its address, so its record is neither moved nor dropped."""
    made = applied(tmp_path)
    path = tmp_path / "state/encodes.json"
    state = json.loads(path.read_text())
    state["records"]["clip/big"]["status"] = "running"
    path.write_text(json.dumps(state))
    for arguments in (("rm", "clip/big"), ("mv", "clip/big", "a/b")):
        result = made.run("state", *arguments)
        assert (64, True) == (result.code, "let it finish with reconciler apply: clip/big" in result.err)


def test_prune_drops_retired_records(tmp_path):
    """Only retired records go, and it says which; files stay unless --delete-files."""
    made = retired(tmp_path)

    assert (
        "Would drop 1 record:\n  clip/small\nNo file would be touched.\n"
        == made.run("state", "prune", "--dry-run").ok().out
    )
    assert {"clip/big", "clip/small"} == set(made.records())
    assert "Dropped 1 record:\n  clip/small\nNo file was touched.\n" == made.run("state", "prune").ok().out
    assert {"clip/big"} == set(made.records())
    assert (tmp_path / "outputs/clip/small.mp4").exists()
    assert "Nothing to drop.\n" == made.run("state", "prune").ok().out


def test_prune_deletes_files_only_when_asked(tmp_path):
    """--delete-files says what it would delete, and deletes just the files of the dropped records."""
    made = retired(tmp_path)
    dry = made.run("state", "prune", "--delete-files", "--dry-run").ok().out

    assert "Would delete 1 file:\n  outputs/clip/small.mp4\n" in dry
    assert (tmp_path / "outputs/clip/small.mp4").exists()
    assert "Deleted 1 file:\n  outputs/clip/small.mp4\n" in made.run("state", "prune", "--delete-files").ok().out
    assert ["big.mp4"] == [path.name for path in (tmp_path / "outputs/clip").iterdir()]


def test_prune_never_leaves_the_project(tmp_path):
    """A state that names a file outside the project deletes nothing."""
    made = retired(tmp_path / "project")
    victim = tmp_path / "victim.mp4"
    victim.write_text("precious")
    path = tmp_path / "project/state/encodes.json"
    state = json.loads(path.read_text())
    for wicked in ("../victim.mp4", str(victim)):
        state["records"]["clip/small"]["output"]["path"] = wicked
        path.write_text(json.dumps(state))
        result = made.run("state", "prune", "--delete-files")
        assert (1, True) == (result.code, "outside outputs/" in result.err)
        assert "precious" == victim.read_text()
        assert "clip/small" in made.records()


def test_every_change_keeps_a_backup(tmp_path):
    """What mends the state leaves the state before it in the backups."""
    made = applied(tmp_path)
    made.run("state", "rm", "clip/big").ok()
    newest = sorted((tmp_path / "state/backups").iterdir())[-1]

    assert {"clip/big", "clip/small"} == set(json.loads(newest.read_text())["records"])
    assert {"clip/small"} == set(store.read(tmp_path / "state/encodes.json", "test").snapshot.records)


def test_output(tmp_path):
    """The finished files with path and size; an encode names all of its outputs; --json gives the records."""
    made = applied(tmp_path)
    out = made.run("output").ok().out

    assert ["clip/big    outputs/clip/big.mp4", "clip/small  outputs/clip/small.mp4"] == [
        line.rpartition("mp4")[0] + "mp4" for line in out.splitlines()
    ]
    assert out == made.run("output", "clip").ok().out
    assert made.records() == made.json("output", "clip/*")
    assert "No outputs are finished.\n" == desk(tmp_path / "new").run("output").ok().out


def test_status(tmp_path):
    """Status says what needs a hand, works with broken specs, and prints the records with --json."""
    made = applied(tmp_path)

    assert "Fine\n  2 outputs in outputs/, no expiry\n" in made.run("status").ok().out
    assert made.records() == made.json("status")
    (tmp_path / "outputs/clip/big.mp4").unlink()
    made.write("specs/encodes.yaml", "encodes: [")
    out = made.run("status").ok().out
    assert "Needs you\n  ! clip/big  outputs/clip/big.mp4 is gone\n" in out
    assert "The specs have errors. To see them: reconciler validate\n" in out


def test_status_before_anything(tmp_path):
    """Without specs and state there is nothing, and no traceback."""
    result = Desk(tmp_path).run("status").ok()

    assert f"{tmp_path.name}: no outputs were made yet.\n" in result.out


def test_explain(tmp_path):
    """Each field has its value and the line that set it; a whole encode is explained at once."""
    made = desk(tmp_path)
    out = made.run("explain", "clip/small").ok().out

    assert out.startswith("clip/small: will be created (+): new.\n")
    assert "  video.crf      33                specs/encodes.yaml:5:50  preset small\n" in out
    assert "  video.preset   ultrafast         specs/encodes.yaml:4:75  preset big\n" in out
    assert 2 == made.run("explain", "clip").ok().out.count(": will be created (+): new.\n")
    facts = made.json("explain", "clip/small")["clip/small"]
    expected = {"value": 33, "place": "specs/encodes.yaml:5:50", "preset": "small", "variable": None}
    assert expected == facts["fields"]["video.crf"]
    assert ["create"] == facts["change"]["change"]["actions"]


def test_explain_a_value_from_a_variable(tmp_path):
    """A field that was written through a variable names it, beside the line of the variable's own value."""
    made = desk(tmp_path)
    spec = ladder_spec().replace("crf: 33", "crf: '${var.quality}'")
    made.write("specs/encodes.yaml", f"variables: {{quality: 33}}\n{spec}")
    out = made.run("explain", "clip/small").ok().out

    assert "specs/encodes.yaml:1:22  ${var.quality}  preset small\n" in out


def test_explain_what_is_not_declared_any_more(tmp_path):
    """A recorded address that no spec declares is explained too."""
    made = applied(tmp_path)
    made.write("specs/encodes.yaml", ladder_spec().replace("outputs: [big, small]", "outputs: [big]"))
    out = made.run("explain", "clip/small").ok().out

    assert out.startswith("clip/small: will be forgotten (.): no longer declared;")
    made.run("apply", "--auto-approve").ok()
    assert made.run("explain", "clip/small").ok().out.startswith("clip/small: retired, not declared.\n")


def test_explain_presets(tmp_path):
    """The built-in presets need no project."""
    made = Desk(tmp_path)

    assert "720p-h264  HD H.264 in MP4" in made.run("explain", "--presets").ok().out
    assert 23 == made.json("explain", "--presets")["720p-h264"]["video.crf"]


def test_a_state_that_is_only_in_the_journal_is_mended(tmp_path):
    """A first apply that was killed leaves no snapshot yet; its records can be dropped all the same."""
    made = applied(tmp_path)
    snapshot = json.loads((tmp_path / "state/encodes.json").read_text())
    records = store.read(tmp_path / "state/encodes.json", "").snapshot.records
    (tmp_path / "state/encodes.json").unlink()
    writer = store.Writer(tmp_path / "state/encodes.json", snapshot["project"])
    writer.record("intended", records=records)

    held = made.run("state", "rm", "clip/big")
    assert (6, True) == (held.code, str(os.getpid()) in held.err)

    journal = (tmp_path / "state/encodes.journal.jsonl").read_bytes()
    writer.close()
    (tmp_path / "state/encodes.json").unlink()
    (tmp_path / "state/encodes.journal.jsonl").write_bytes(journal)
    made.run("state", "rm", "clip/big").ok()
    assert {"clip/small"} == set(made.records())


def test_prune_and_rm_take_suspects_along(tmp_path):
    """What was kept of a dropped record for a look goes with it, which is said; other suspects stay."""
    made = retired(tmp_path)
    kept = made.write("outputs/clip/.big.0123abcd.suspect", "x")
    made.write("outputs/clip/.small.0123abcd.suspect", "x")
    told = made.run("state", "prune", "--dry-run").ok().out
    assert "Would delete 1 file:\n  outputs/clip/.small.0123abcd.suspect\n" in told
    assert ["outputs/clip/.small.0123abcd.suspect"] == made.json("state", "prune")["deleted_files"]
    assert ["outputs/clip/.big.0123abcd.suspect", "outputs/clip/big.mp4", "outputs/clip/small.mp4"] == sorted(
        path.relative_to(tmp_path).as_posix() for path in (tmp_path / "outputs").rglob("*.*")
    )

    assert "Deleted 1 file:\n  outputs/clip/.big.0123abcd.suspect\n" in made.run("state", "rm", "clip/big").ok().out
    assert not kept.exists()


def test_a_state_that_a_link_leads_out_of_the_project(tmp_path):
    """A repository cannot make anybody write elsewhere: the link is refused, unless --state names the place."""
    made, away = desk(tmp_path / "project"), tmp_path / "away"
    away.mkdir()
    (tmp_path / "project/state").symlink_to(away)
    for command in (["plan"], ["apply", "--auto-approve"], ["state", "list"], ["status"]):
        result = made.run(*command)
        assert 1 == result.code
        said = result.err.replace("\n", " ")
        assert f"state leads out of the project folder, to {away}." in said
        assert f"--state {away}/encodes.json" in said
    assert [] == list(away.iterdir())
    assert 0 == made.run("--state", f"{away}/encodes.json", "plan").code
