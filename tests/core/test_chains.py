"""What a plan does about outputs that are made from other outputs."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from builders import HOST, desired, made_from, output, record, source, world
from reconciler.core.approval import plan_lines, refusals
from reconciler.core.encode import Trim
from reconciler.core.estimates import Estimator
from reconciler.core.plan import make_plan
from reconciler.core.ports import Sighting
from reconciler.core.selection import Selection
from reconciler.core.state import Delivered, JobRecord, OutputRecord, SourceRecord
from reconciler.core.steps import Create, Move, Rerun, Resume, Retry, Supersede, Update

MEZZANINE = output("mezz/master", crf=12, container="mov")
RUNG, SMALL = output("ladder/720p", of=made_from(MEZZANINE)), output("ladder/480p", crf=30, of=made_from(MEZZANINE))
LAST = output("end/240p", crf=35, of=made_from(SMALL))
ALL = [MEZZANINE, RUNG, SMALL, LAST]


def made(*outputs, job="job-1", **changes):
    """Records of outputs that were made just so, each from what its upstream has now."""
    found = {}
    for wanted in outputs:
        upstream = wanted.source.upstream
        source = SourceRecord(
            wanted.source.identity, sha256="ab" * 32, made_by=upstream and f"{job} {upstream.address}"
        )
        own = JobRecord(f"{job} {wanted.address}", phase="started")
        found[wanted.address] = replace(record(wanted, job=own, **changes), source=source)
    return found


def plan(outputs, records, *, around=None, **selection):
    """The plan for outputs over records."""
    around = around or world(*records.values())
    return make_plan(desired(*outputs), records, around, Selection(**selection))


def steps(found):
    """The steps by address, as (class, reason)."""
    return {step.address: (type(step), step.reason.code) for step in found.steps}


def changed(crf=10):
    """The same chain with another mezzanine."""
    mezzanine = output("mezz/master", crf=crf, container="mov")
    small = output("ladder/480p", crf=30, of=made_from(mezzanine))
    rung = output("ladder/720p", of=made_from(mezzanine))
    return [mezzanine, rung, small, output("end/240p", crf=35, of=made_from(small))]


def test_a_new_chain_is_created_with_what_comes_first():
    """Every output is a Create, and each says after which other one it is made."""
    found = plan(ALL, {})

    assert {step.address: Create for step in found.steps} == {each.address: Create for each in ALL}
    assert 4 == len(plan_lines(found))


def test_a_changed_mezzanine_reruns_all_that_is_made_from_it():
    """In the same plan, with `upstream` as the reason and the upstream's address in the sentence."""
    found = plan(changed(), made(*ALL))

    expected = dict.fromkeys(("ladder/720p", "ladder/480p", "end/240p"), (Rerun, "upstream"))
    assert {**expected, "mezz/master": (Rerun, "changed")} == steps(found)
    assert "mezz/master is encoded anew" == next(s.reason.sentence for s in found.steps if s.address == "ladder/720p")
    assert ["source"] == [change.field for step in found.steps if step.address == "end/240p" for change in step.changes]


@pytest.mark.parametrize("reruns", ["mezz", "mezz/master"])
def test_a_mezzanine_asked_for_again_reruns_its_ladder(reruns):
    """The same fingerprint, and other bits: all that is made from it is made anew."""
    found = plan(ALL, made(*ALL), reruns=(reruns,))

    assert {(Rerun, "requested"), (Rerun, "upstream")} == set(steps(found).values())
    assert 4 == len(found.steps)


def test_an_unchanged_chain_needs_nothing():
    """No link of it, whatever its length."""
    assert ((), 4) == (plan(ALL, made(*ALL)).steps, plan(ALL, made(*ALL)).unchanged)


def test_a_changed_rung_reruns_alone():
    """The mezzanine is there, so only what changed is encoded, and what is made from that."""
    small = output("ladder/480p", crf=31, of=made_from(MEZZANINE))
    found = plan([MEZZANINE, RUNG, small, output("end/240p", crf=35, of=made_from(small))], made(*ALL))

    assert {"ladder/480p": (Rerun, "changed"), "end/240p": (Rerun, "upstream")} == steps(found)


def test_a_renamed_mezzanine_moves_alone():
    """Its fingerprint is its identity: the ladder is made from the same file."""
    renamed = output("master/mezz", crf=12, container="mov")
    rung = output("ladder/720p", of=made_from(renamed))
    found = plan([renamed, rung], made(MEZZANINE, RUNG))

    assert {"master/mezz": (Move, "moved")} == steps(found)


def test_a_moved_master_changes_no_link_of_its_chain():
    """Its name is in the fingerprints of all: the same content is recorded anew, not encoded."""
    moved = output("mezz/master", crf=12, container="mov", of=source("masters/new.mov"))
    small = output("ladder/480p", crf=30, of=made_from(moved))
    records = made(MEZZANINE, SMALL, LAST)
    master = replace(records["mezz/master"].source, sha256="cd" * 32)
    records["mezz/master"] = replace(records["mezz/master"], source=master)
    seen = Sighting("masters/new.mov", exists=True, size=10, sha256="cd" * 32)
    around = world(*records.values(), sightings=[seen])

    found = plan([moved, small, output("end/240p", crf=35, of=made_from(small))], records, around=around)
    first = {"mezz/master": (Update, "source_moved"), "ladder/480p": (Update, "source_moved")}
    assert {**first, "end/240p": (Update, "source_moved")} == steps(found)


def test_a_mezzanine_that_was_made_anew_since_reruns_its_ladder():
    """What a killed apply made stands in the state: the rungs are of older bits, by their digest."""
    records = made(*ALL)
    newer = replace(
        records["mezz/master"],
        job=JobRecord("job-2", phase="started"),
        output=replace(records["mezz/master"].output, sha256="ef" * 32),
    )
    found = plan(ALL, {**records, "mezz/master": newer})

    assert {"ladder/720p", "ladder/480p", "end/240p"} == steps(found).keys()
    assert "was encoded anew: sha256 abababababab -> efefefefefef" in found.steps[1].reason.sentence


def test_a_mezzanine_that_came_out_the_same_changes_nothing():
    """Made anew by another job, bit for bit the same: nothing is encoded for it."""
    records = made(*ALL)
    again = replace(records["mezz/master"], job=JobRecord("job-2", phase="started"))

    assert () == plan(ALL, {**records, "mezz/master": again}).steps


def test_a_mezzanine_whose_file_is_gone_is_made_for_itself_alone():
    """Finished rungs hold its content already: they are not encoded again."""
    records = made(*ALL)
    found = plan(ALL, records, around=world(*records.values(), missing=("outputs/mezz/master.mov",)))

    assert {"mezz/master": (Rerun, "output_missing")} == steps(found)


def test_a_mezzanine_made_once_more_still_is_what_its_rungs_were_made_from():
    """After that rerun another digest is no change, since only its file had been missing."""
    records = made(*ALL)
    remade = replace(
        records["mezz/master"],
        job=JobRecord("job-2", phase="started", why="output_missing", remakes="job-1 mezz/master"),
        output=replace(records["mezz/master"].output, sha256="ef" * 32),
    )

    assert () == plan(ALL, {**records, "mezz/master": remade}).steps


def held(wanted, expires_at):
    """The file of an output that its provider holds until then."""
    return OutputRecord(name=wanted.name, size=5, link="https://cdn.test/master.mov", expires_at=expires_at)


@pytest.mark.parametrize(("now", "needed"), [("2026-01-02T00:00:00Z", False), ("2026-01-04T00:00:00Z", True)])
def test_a_deleted_file_that_a_new_rung_needs_is_made_once_more(now, needed):
    """`needed_by` names who needs it; while it lives, and for what is finished, nothing is done."""
    mezzanine = output("mezz/master", crf=12, container="mov", provider="away")
    records = made(mezzanine, RUNG)
    kept = replace(records["mezz/master"], output=held(mezzanine, "2026-01-03T00:00:00Z"))
    records = {**records, "mezz/master": kept}
    around = replace_now(world(records["ladder/720p"]), now)

    found = plan([mezzanine, RUNG, SMALL], records, around=around)
    expected = {"mezz/master": (Rerun, "needed_by")} if needed else {}
    assert {"ladder/480p": (Create, "new"), **expected} == steps(found)
    assert (1 if not needed else 0) == found.unchanged - 1 - len(found.notices)
    assert () == plan([mezzanine, RUNG], records, around=around).steps


def test_what_another_provider_holds_now_is_made_by_the_one_that_is_declared():
    """Nobody signs links to the file of a provider that the spec has left, so a new rung needs it made anew."""
    records = made(output("mezz/master", crf=12, container="mov", provider="away"))
    kept = replace(records["mezz/master"], output=held(MEZZANINE, "2026-01-03T00:00:00Z"))

    found = plan([MEZZANINE, RUNG], {"mezz/master": kept}, around=replace_now(world(), "2026-01-02T00:00:00Z"))
    assert {"mezz/master": (Rerun, "needed_by"), "ladder/720p": (Create, "new")} == steps(found)
    assert "which local does not hold" in found.steps[1].reason.sentence


def replace_now(around, now):
    """The same look around at another time."""
    return dataclasses.replace(around, now=now)


def test_a_file_on_another_machine_is_made_here_where_it_is_needed():
    """It counts as made for itself, and cannot be read from here."""
    records = made(MEZZANINE, RUNG)
    there = replace(records["mezz/master"].output, host="elsewhere")
    records["mezz/master"] = replace(records["mezz/master"], output=there)

    assert () == plan([MEZZANINE, RUNG], records).steps
    found = plan([MEZZANINE, RUNG, SMALL], records)
    assert (Rerun, "needed_by") == steps(found)["mezz/master"]
    assert "which is on elsewhere, not here" in found.steps[1].reason.sentence


@pytest.mark.parametrize("where", ["s3://bucket/master.mov", "dist/master.mov"])
def test_a_copy_of_a_file_that_is_gone_is_read_instead(where):
    """What was delivered to a store, or to a folder here, feeds a new rung."""
    records = made(MEZZANINE)
    mezzanine = records["mezz/master"]
    host = "" if "://" in where else HOST
    copy = Delivered(where, 1000, "ab" * 32, mezzanine.fingerprint, mezzanine.attempt, at="now", host=host)
    there = replace(mezzanine.output, host="elsewhere")
    around = world()
    around.files["dist/master.mov"] = 1000
    found = plan([MEZZANINE, RUNG], {"mezz/master": replace(mezzanine, output=there, delivered=copy)}, around=around)

    assert {"ladder/720p": (Create, "new")} == steps(found)


def test_a_chain_of_files_that_are_gone_is_made_from_its_beginning():
    """What the needed file is made from is gone, too."""
    records = made(MEZZANINE, SMALL)
    for name in records:
        records[name] = replace(records[name], output=replace(records[name].output, host="elsewhere"))
    found = plan([MEZZANINE, SMALL, LAST], records)

    needed = dict.fromkeys(("mezz/master", "ladder/480p"), (Rerun, "needed_by"))
    assert {**needed, "end/240p": (Create, "new")} == steps(found)


@pytest.mark.parametrize("status", ["failed", "suspect", "lost"])
def test_a_mezzanine_that_is_not_tried_again_blocks_its_ladder(status):
    """Nothing is planned for what is made from it; a notice says who is in the way, for every link."""
    records = {"mezz/master": record(MEZZANINE, status, failures=2)}
    found = plan([MEZZANINE, SMALL, LAST], records)

    assert () == found.steps
    blocked = {notice.address: notice.sentence for notice in found.notices if notice.code == "blocked"}
    assert f"mezz/master, which it is made from, is {status}" in blocked["ladder/480p"]
    assert "ladder/480p is blocked" in blocked["end/240p"]


def test_finished_rungs_are_no_matter_of_a_mezzanine_that_failed():
    """What is as declared stays."""
    records = {**made(RUNG), "mezz/master": record(MEZZANINE, "failed", failures=2)}

    assert ["failed"] == [notice.code for notice in plan([MEZZANINE, RUNG], records).notices]


def test_a_mezzanine_that_is_tried_again_brings_its_ladder():
    """A Retry is an encode as any other."""
    found = plan([MEZZANINE, RUNG], {**made(RUNG), "mezz/master": record(MEZZANINE, "failed")})

    assert {"mezz/master": (Retry, "retry"), "ladder/720p": (Rerun, "upstream")} == steps(found)


def test_a_paused_mezzanine_feeds_what_it_can():
    """Its finished file may be used; nothing is made of it while it is paused."""
    paused = output("mezz/master", crf=12, container="mov", enabled=False)
    rung = output("ladder/720p", of=made_from(paused))

    assert {"ladder/720p": (Create, "new")} == steps(plan([paused, rung], made(paused)))
    found = plan([paused, rung], {})
    assert ((), ["blocked"]) == (found.steps, [notice.code for notice in found.notices])
    assert "is paused (enabled: false)" in found.notices[0].sentence


def test_a_target_brings_what_it_is_made_from():
    """Only what is needed of it: nothing else of the mezzanine's encode, and nothing where the file is there."""
    assert {"end/240p", "ladder/480p", "mezz/master"} == steps(plan(ALL, {}, targets=("end/*",))).keys()
    assert {"end/240p": (Create, "new")} == steps(plan(ALL, made(*ALL[:3]), targets=("end/*",)))

    records = made(*ALL)
    gone = world(*records.values(), missing=("outputs/mezz/master.mov",))
    assert () == plan(ALL, records, around=gone, targets=("ladder/*",)).steps


def test_an_excluded_mezzanine_blocks_what_needs_it():
    """Leaving it out by name is stronger than needing it."""
    found = plan(ALL, {}, excludes=("mezz",))

    assert () == found.steps
    assert {"ladder/720p", "ladder/480p", "end/240p"} == {notice.address for notice in found.notices}


def test_a_job_in_flight_goes_on_while_its_mezzanine_is_as_it_was():
    """A running rung is resumed; another mezzanine supersedes it."""
    flying = {**made(MEZZANINE), **made(RUNG, status="running", output=None)}

    assert {"ladder/720p": (Resume, "in_flight")} == steps(plan([MEZZANINE, RUNG], flying))
    mezzanine, rung, *_ = changed()
    assert Supersede == steps(plan([mezzanine, rung], flying))["ladder/720p"][0]


def test_a_protected_rung_refuses_a_new_mezzanine():
    """What a changed mezzanine would replace is protected as everything else."""
    records = made(MEZZANINE, RUNG)
    records["ladder/720p"] = replace(records["ladder/720p"], protect=True)

    assert ["ladder/720p"] == [refusal.address for refusal in refusals(plan(changed()[:2], records))]


def test_the_length_of_a_rung_is_that_of_its_mezzanine():
    """It is known before the rung was ever made, less what is trimmed off."""
    records = made(MEZZANINE)
    records["mezz/master"] = replace(
        records["mezz/master"], output=replace(records["mezz/master"].output, duration=60.0)
    )
    trimmed = output("ladder/720p", of=made_from(MEZZANINE, trim=Trim(12)))

    assert 48.0 == Estimator({}, records).duration(trimmed)
    assert 48.0 == Estimator({}, records).duration(output("end/240p", of=made_from(trimmed)))
