"""The decision table, row by row."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from builders import HOST, desired, file_of, output, record, source, world
from reconciler.core import handovers
from reconciler.core.checks import Checks
from reconciler.core.copies import Presence
from reconciler.core.delivery import Deliver
from reconciler.core.errors import ReconcilerError
from reconciler.core.plan import make_plan
from reconciler.core.ports import Sighting
from reconciler.core.selection import Selection
from reconciler.core.spending import free_of_charge
from reconciler.core.state import Delivered, Evidence, SourceRecord
from reconciler.core.steps import Create, Move, Rerun, Resume, Retire, Retry, Reuse, ReuseTwin, Supersede, Update
from reconciler.core.transitions import own_attempt
from reconciler.core.world import World
from reconciler.views.plan_json import summary

NEW, OLD = output(crf=21), output(crf=23)


def plan(wanted, records, *, around=None, **selection):
    """The plan for one or many wanted outputs over `{address: record}`."""
    outputs = wanted if isinstance(wanted, list) else [wanted]
    around = around or world(*records.values())
    return make_plan(desired(*outputs), records, around, Selection(**selection))


def kinds(made):
    """The steps as (class, address) pairs."""
    return [(type(step), step.address) for step in made.steps]


def only(made):
    """The one step of a plan."""
    (step,) = made.steps
    return step


def test_absent_is_created():
    """An output that the state does not know is created."""
    assert [(Create, "bbb/720p")] == kinds(plan(OLD, {}))


def test_complete_is_left_alone():
    """A complete output of the same fingerprint needs nothing."""
    made = plan(OLD, {OLD.address: record(OLD)})

    assert ((), 1) == (made.steps, made.unchanged)


def test_changed_is_rerun_with_its_difference():
    """Another fingerprint is a Rerun that names the field and both values."""
    step = only(plan(NEW, {OLD.address: record(OLD)}))

    assert (Rerun, "changed") == (type(step), step.reason.code)
    assert [("video.crf", 23, 21)] == [(c.field, c.before, c.after) for c in step.changes]


def test_neutral_values_are_no_change():
    """A record that spells out a neutral value is the same as one that does not."""
    spelled = {**OLD.manifest, "video.avoid_upscaling": True}
    made = plan(OLD, {OLD.address: record(OLD, manifest=spelled, fingerprint="f" * 64)})

    assert () == made.steps


def test_undeclared_is_retired_once():
    """A record that is no longer declared is retired, and then left alone."""
    other = output("other/720p", crf=30)
    records = {OLD.address: record(OLD), other.address: record(other)}
    retired = {OLD.address: record(OLD, "retired"), other.address: record(other)}

    assert [(Retire, "bbb/720p")] == kinds(plan(other, records))
    assert () == plan(other, retired).steps


def test_declared_again_is_free():
    """A retired output whose file lives is taken as it is when it is declared again."""
    step = only(plan(OLD, {OLD.address: record(OLD, "retired")}))

    assert (Reuse, "bbb/720p", "declared_again") == (type(step), step.of, step.reason.code)


def test_declared_again_without_file_is_created():
    """A retired output whose file is gone is encoded again."""
    known = record(OLD, "retired")
    made = plan(OLD, {OLD.address: known}, around=world(known, missing={OLD.path}))

    assert [(Create, "bbb/720p")] == kinds(made)


def test_renamed_encode_is_moved():
    """Renaming an encode moves its record and file; nothing is encoded and nothing is retired."""
    renamed = output("movie/720p", crf=23)
    step = only(plan(renamed, {OLD.address: record(OLD)}))

    assert (Move, "movie/720p", "bbb/720p") == (type(step), step.address, step.of)


def test_renaming_many_moves_each_to_its_namesake():
    """Outputs with equal parameters keep their own files when their encode is renamed."""
    records = {address: record(output(address)) for address in ("a/x", "a/y")}
    made = plan([output("b/y"), output("b/x")], records)

    assert [("b/x", "a/x"), ("b/y", "a/y")] == [(step.address, step.of) for step in made.steps]


def test_move_works_for_a_file_on_another_machine():
    """A record can be renamed where its file is not."""
    known = record(OLD, output=file_of(OLD, host="elsewhere"))

    assert [(Move, "movie/720p")] == kinds(plan(output("movie/720p"), {OLD.address: known}))


def test_an_encode_and_its_master_renamed_in_one_edit_move():
    """With equal content a file moves although its source has a new name, too; each output goes to its namesake."""
    master = source("masters/new.mov")
    records = {address: record(output(address)) for address in ("a/x", "a/y")}
    seen = Sighting("masters/new.mov", True, 10, 9, "cd" * 32)
    wanted = [output("b/y", of=master), output("b/x", of=master)]
    made = plan(wanted, records, around=world(*records.values(), sightings=[seen]))

    assert [(Move, "b/x"), (Move, "b/y")] == kinds(made)
    assert ["a/x", "a/y"] == [step.of for step in made.steps]
    moved = handovers.moved(made.steps[0], 2, "2026-07-29T12:00:00Z", temp=None)
    assert (wanted[1].fingerprint, "masters/new.mov", "cd" * 32) == (
        moved.fingerprint,
        moved.source.identity,
        moved.source.sha256,
    )


@pytest.mark.parametrize(
    ("digest", "more"), [("ef" * 32, {}), (None, {}), ("cd" * 32, {"crf": 21}), ("cd" * 32, {"provider": "other"})]
)
def test_what_is_not_the_same_in_all_but_its_names_is_encoded(digest, more):
    """Other content, content that nobody knows, other parameters or another provider: a Create beside a Retire."""
    known, wanted = record(OLD), output("movie/720p", of=source("masters/new.mov"), **more)
    seen = Sighting("masters/new.mov", True, 10, 9, digest)
    made = plan(wanted, {OLD.address: known}, around=world(known, sightings=[seen]))

    assert [(Retire, "bbb/720p"), (Create, "movie/720p")] == kinds(made)


def test_a_second_declaration_of_a_finished_encode_reuses_its_file():
    """An output with the fingerprint of a declared, finished one takes its file."""
    twin = output("copy/720p")
    step = only(plan([OLD, twin], {OLD.address: record(OLD)}))

    assert (Reuse, "copy/720p", "bbb/720p") == (type(step), step.address, step.of)


def test_reuse_wants_the_file_here():
    """A file on another machine cannot be linked: the twin is created."""
    known = record(OLD, output=file_of(OLD, host="elsewhere"))

    assert [(Create, "copy/720p")] == kinds(plan([OLD, output("copy/720p")], {OLD.address: known}))


def test_of_two_new_twins_one_is_encoded():
    """Two new outputs with one fingerprint are encoded once."""
    made = plan([OLD, output("copy/720p")], {})

    assert [(Create, "bbb/720p"), (ReuseTwin, "copy/720p")] == kinds(made)


def test_a_revert_takes_the_earlier_attempt():
    """Undoing a change whose new attempt failed is free: the old file still lives."""
    failed = record(NEW, "failed", previous=(own_attempt(record(OLD)),))
    step = only(plan(OLD, {OLD.address: failed}))

    assert (Reuse, "bbb/720p", "reuse") == (type(step), step.of, step.reason.code)


def test_failed_is_retried_until_its_attempts_are_used():
    """A failed output is tried while attempts are left, then left alone with a warning."""
    once, twice = record(OLD, "failed", failures=1), record(OLD, "failed", failures=2)
    spent = plan(OLD, {OLD.address: twice})

    assert [(Retry, "bbb/720p")] == kinds(plan(OLD, {OLD.address: once}))
    assert ((), ["failed"]) == (spent.steps, [notice.code for notice in spent.notices])
    assert "2 of 2 attempts used" in spent.notices[0].sentence


@pytest.mark.parametrize("status", ["suspect", "lost"])
def test_suspect_and_lost_wait_for_a_person(status):
    """A suspect or lost output is not tried again by itself, but runs when named or changed."""
    records = {OLD.address: record(OLD, status)}

    assert () == plan(OLD, records).steps
    assert [(Rerun, "bbb/720p")] == kinds(plan(OLD, records, reruns=("bbb/*",)))
    assert [(Rerun, "bbb/720p")] == kinds(plan(NEW, records))


@pytest.mark.parametrize("status", ["submitted", "running"])
def test_in_flight_is_resumed_or_superseded(status):
    """A job in flight is gone on with if it is still wanted, else replaced."""
    records = {OLD.address: record(OLD, status)}

    assert [(Resume, "bbb/720p")] == kinds(plan(OLD, records))
    assert [(Supersede, "bbb/720p")] == kinds(plan(NEW, records))


def test_labels_protection_and_provider_are_updates():
    """What does not change bits is recorded without encoding."""
    labelled = output(labels={"team": "web"}, protect=True, provider="other")
    step = only(plan(labelled, {OLD.address: record(OLD)}))

    assert (Update, ["labels.team", "protect", "provider"]) == (type(step), [c.field for c in step.changes])


def test_paused_needs_nothing():
    """An output that is not enabled is neither encoded nor rerun."""
    made = plan(output(crf=1, enabled=False), {OLD.address: record(OLD)})

    assert ((), 1, 0) == (made.steps, made.paused, made.unchanged)


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Sighting("masters/bbb.mov", True, 11, 6), "source_changed"),
        (Sighting("masters/bbb.mov", True, 10, 6, "ef" * 32), "source_changed"),
        (Sighting("masters/bbb.mov", True, 10, 6, "cd" * 32), None),
        (Sighting("masters/bbb.mov", True, 10, 5), None),
        (Sighting("masters/bbb.mov", False), None),
    ],
)
def test_source_content_decides_not_its_time(seen, code):
    """Size, then time, then digest: a touched source is no change, other content is."""
    known = record(OLD)
    made = plan(OLD, {OLD.address: known}, around=world(known, sightings=[seen]))

    assert ([code] if code else []) == [step.reason.code for step in made.steps]


def test_a_changed_source_revives_a_spent_failure():
    """A failed output with no attempts left runs again when its source has other content."""
    known = record(OLD, "failed", failures=2)
    seen = Sighting("masters/bbb.mov", True, 11, 6)

    assert [(Rerun, "bbb/720p")] == kinds(plan(OLD, {OLD.address: known}, around=world(known, sightings=[seen])))


def test_a_renamed_master_is_an_update():
    """A source under another name with the same content is recorded, not encoded."""
    moved = output(of=source("masters/new.mov"))
    known = record(OLD)
    seen = Sighting("masters/new.mov", True, 10, 9, "cd" * 32)
    step = only(plan(moved, {OLD.address: known}, around=world(known, sightings=[seen])))

    assert (Update, "source_moved") == (type(step), step.reason.code)


def test_a_missing_or_altered_file_is_made_again():
    """A finished file that is gone, or has another size, where it was made is encoded again."""
    known = record(OLD)
    gone = plan(OLD, {OLD.address: known}, around=world(known, missing={OLD.path}))
    altered = plan(OLD, {OLD.address: known}, around=world(record(OLD, output=file_of(OLD, size=7))))

    assert ("output_missing", "output_altered") == (only(gone).reason.code, only(altered).reason.code)


def test_a_file_made_elsewhere_is_no_change():
    """A file that another machine holds is not looked for here."""
    known = record(OLD, output=file_of(OLD, host="elsewhere"))

    assert () == plan(OLD, {OLD.address: known}, around=world(host=HOST)).steps


def test_targets_and_excludes_choose_by_glob():
    """--target and --exclude take globs over whole addresses; exclude wins."""
    wanted = [output("a/720p"), output("a/480p", crf=30), output("b/720p", crf=31)]

    assert ["a/480p", "a/720p"] == [s.address for s in plan(wanted, {}, targets=("a/*",)).steps]
    assert ["b/720p"] == [s.address for s in plan(wanted, {}, excludes=("a",)).steps]
    assert ["a/480p"] == [s.address for s in plan(wanted, {}, targets=("a",), excludes=("*/720p",)).steps]


def test_an_excluded_twin_does_not_take_the_encode_with_it():
    """When the first twin is excluded, the second is encoded itself."""
    made = plan([OLD, output("copy/720p")], {}, excludes=("bbb/720p",))

    assert [(Create, "copy/720p")] == kinds(made)


def test_nothing_declared_over_a_state_is_refused():
    """An empty spec folder does not retire a catalogue unless that is said."""
    records = {OLD.address: record(OLD)}

    with pytest.raises(ReconcilerError, match="--allow empty"):
        make_plan(desired(), records, world(), Selection())

    assert [(Retire, "bbb/720p")] == kinds(make_plan(desired(), records, world(), Selection(allow=("empty",))))


def test_an_empty_fan_out_over_a_state_is_refused():
    """A glob that lost its files does not retire what it once made."""
    other = output("other/720p", crf=30)
    records = {"bbb/x/720p": record(output("bbb/x/720p"))}

    with pytest.raises(ReconcilerError, match='fan-out of "bbb" matches nothing'):
        make_plan(desired(other, empty=("bbb",)), records, world(), Selection())


def test_a_pin_that_contradicts_the_record_reruns():
    """A sha256 pin that is not what was encoded from runs again."""
    pinned = output(of=source(sha256="ee" * 32))
    known = record(OLD, source=SourceRecord(identity="masters/bbb.mov", evidence=Evidence(), sha256="cd" * 32))

    assert "source_changed" == only(plan(pinned, {OLD.address: known})).reason.code


def test_verified_but_unnamed_files_are_resumed():
    """A file that lacks its final name belongs to a job in flight, for whoever looks without the lock."""
    known = replace(record(OLD, "running"), output=file_of(OLD, temp="outputs/bbb/.720p.x.part"))

    assert [(Resume, "bbb/720p")] == kinds(plan(OLD, {OLD.address: known}))


def test_a_twin_of_a_job_in_flight_or_of_a_retry_is_not_encoded_itself():
    """Whatever state the first twin is in, the encode is made once, and the one that runs already makes it."""
    twin = output("copy/720p")
    running = plan([OLD, twin], {OLD.address: record(OLD, "running")})
    failed = plan([OLD, twin], {OLD.address: record(OLD, "failed")})
    late = plan([output("a/720p"), OLD], {OLD.address: record(OLD, "running")})

    assert [(Resume, "bbb/720p"), (ReuseTwin, "copy/720p")] == kinds(running)
    assert [(Retry, "bbb/720p"), (ReuseTwin, "copy/720p")] == kinds(failed)
    assert [(ReuseTwin, "a/720p"), (Resume, "bbb/720p")] == kinds(late)


def test_an_unmet_pin_uses_up_its_attempts():
    """A pin that its source does not meet is tried as often as any failure, and then left alone."""
    pinned = output(of=source(sha256="ee" * 32))
    tried = SourceRecord(identity="masters/bbb.mov", sha256="cd" * 32, pin="ee" * 32)
    once = plan(pinned, {OLD.address: record(OLD, "failed", source=tried)})
    spent = plan(pinned, {OLD.address: record(OLD, "failed", source=tried, failures=2)})

    assert ([(Retry, "bbb/720p")], ()) == (kinds(once), spent.steps)


def test_taking_an_unmet_pin_away_is_free():
    """The earlier file still is what is wanted, once the pin that nothing met is gone."""
    tried = SourceRecord(identity="masters/bbb.mov", sha256="cd" * 32, pin="ee" * 32)
    failed = record(OLD, "failed", failures=2, source=tried, previous=(own_attempt(record(OLD)),))

    assert [(Reuse, "bbb/720p")] == kinds(plan(OLD, {OLD.address: failed}))
    assert [(Rerun, "bbb/720p")] == kinds(plan(OLD, {OLD.address: replace(failed, previous=())}))


def test_rerun_beats_moving_and_taking_back():
    """--rerun encodes an output that would otherwise be moved or declared again."""
    renamed = output("movie/720p")

    assert (Create, "movie/720p") in kinds(plan(renamed, {OLD.address: record(OLD)}, reruns=("movie/*",)))
    assert [(Create, "bbb/720p")] == kinds(plan(OLD, {OLD.address: record(OLD, "retired")}, reruns=("bbb/*",)))


def test_an_excluded_name_is_not_moved_away():
    """--exclude leaves records and files of an old name alone; the new name takes a link."""
    made = plan(output("movie/720p"), {OLD.address: record(OLD)}, excludes=("bbb/*",))

    assert [(Reuse, "movie/720p")] == kinds(made)


def test_a_file_that_no_record_knows_is_not_replaced_in_silence():
    """The plan warns of a file that stands where a new one will be."""
    made = plan(OLD, {}, around=World(host=HOST, files={OLD.path: 7}))

    assert ["unrecorded_file"] == [notice.code for notice in made.notices]


STRICT = output(crf=23, checks=Checks(min_vmaf=95))


@pytest.mark.parametrize(("met", "shown"), [({}, (None, 95)), ({"min_vmaf": 90}, (90, 95))])
def test_checks_that_nobody_made_are_an_update(met, shown):
    """What is asked for and was not measured is measured: free, also with --no-spend, and told with both values."""
    made = plan(STRICT, {OLD.address: record(OLD, checked=met)})

    assert [(Update, OLD.address)] == kinds(made) == kinds(free_of_charge(made))
    assert [("checks.min_vmaf", *shown)] == [(c.field, c.before, c.after) for c in only(made).changes]


@pytest.mark.parametrize("met", [{"min_vmaf": 95}, {"min_vmaf": 97, "max_size": 5}])
def test_checks_that_were_met_are_no_change(met):
    """What met as much or more is not measured again."""
    assert () == plan(STRICT, {OLD.address: record(OLD, checked=met)}).steps


def test_labels_and_checks_together_wait_for_an_apply_that_is_approved():
    """--no-spend measures, and records nothing else that a spec says."""
    labelled = output(crf=23, checks=Checks(min_vmaf=95), labels={"team": "web"})
    made = plan(labelled, {OLD.address: record(OLD)})

    assert {"labels.team", "checks.min_vmaf"} == {change.field for change in only(made).changes}
    assert () == free_of_charge(made).steps


def test_checks_of_a_file_that_cannot_be_had_are_told():
    """A file on another machine is neither measured nor made again, and the plan says so."""
    known = record(OLD)
    away = replace(known, output=replace(known.output, host="elsewhere"))
    made = plan(STRICT, {OLD.address: away})

    assert ((), ["unchecked"]) == (made.steps, [notice.code for notice in made.notices])
    assert "nobody checked it for min_vmaf" in made.notices[0].sentence
    assert "its file, which is on elsewhere, not here;" in made.notices[0].sentence


def test_a_file_that_no_record_knows_is_told_before_it_is_replaced():
    """It is a warning about a step that is counted as such, and nothing else."""
    made = plan(OLD, {}, around=World(host=HOST, files={OLD.path: 7}))

    assert (["unrecorded_file"], 1, 0) == ([notice.code for notice in made.notices], *told(made))


def test_a_file_in_the_place_of_a_copy_is_told_before_it_is_replaced():
    """Not of a copy that was made, and only where something is to be done."""
    wanted = output(deliver=Deliver("dist"))
    where = "dist/bbb/720p.mp4"
    around = World(host=HOST, copies={where: Presence(7)})
    made = plan(wanted, {}, around=around)
    assert [f"{where} is there, and no record knows it: a copy will replace it"] == [n.sentence for n in made.notices]

    known = record(wanted, "failed", failures=1, output=None, delivered=Delivered(where, 7, "ab", "cd", 1, "", HOST))
    assert () == plan(wanted, {wanted.address: known}, around=around).notices
    assert () == plan(wanted, {}, around=World(host=HOST, copies={where: None})).notices


def test_what_needs_a_person_is_not_counted_as_declared():
    """An output that is left alone with a warning counts as none, one with a step and a warning as its step."""
    assert (0, 0) == told(plan(OLD, {OLD.address: record(OLD, "suspect", output=None, error="black")}))


def told(made):
    """How many outputs a plan says that it encodes, and that are as declared."""
    numbers = summary(made)
    return numbers.encode, numbers.unchanged
