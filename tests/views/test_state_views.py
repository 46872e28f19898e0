"""What is recorded, as people read it: status, outputs, records, explanations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from builders import desired, file_of, output, record, source, world
from builders_views import URL, h264
from reconciler.core.cost import Money
from reconciler.core.delivery import Deliver
from reconciler.core.encode import Origin
from reconciler.core.errors import Place
from reconciler.core.estimates import Estimate
from reconciler.core.plan import make_plan
from reconciler.core.presets import BUILT_IN
from reconciler.core.selection import Selection
from reconciler.core.state import Delivered, EndedAttempt, JobRecord, OutputRecord
from reconciler.core.transitions import own_attempt
from reconciler.views.explain import explain_text, presets_text
from reconciler.views.output_text import output_text
from reconciler.views.show import record_list, record_text
from reconciler.views.state_text import moved_text, removed_text
from reconciler.views.status import expiring_text, status_text
from reconciler.views.status_expiry import Declared

NOW = datetime(2026, 9, 23, 14, 10, tzinfo=UTC)
BEFORE = "2026-09-21T14:12:00Z"


def test_status_says_first_what_needs_a_hand():
    """Failed, suspect, lost and missing outputs come first, each with the command that helps; then the rest."""
    old_file = record(output("f/sintel"), job=JobRecord(id="j"))
    records = {
        "f/sintel": record(
            output("f/sintel"),
            "failed",
            failures=2,
            error="input stream 0 is corrupt",
            previous=(attempt_of(old_file),),
        ),
        "f/tos": record(output("f/tos"), "failed", failures=1),
        "gone/720p": record(output("gone/720p")),
        "odd/720p": record(output("odd/720p"), "suspect", error="ends 4 s early (kept for a look: outputs/odd/x)"),
        "lost/720p": record(output("lost/720p"), "lost", error="the provider does not know the job any more"),
        "now/720p": record(
            output("now/720p"),
            "running",
            job=JobRecord(id="91be0712", phase="started", started_at="2026-09-23T14:01:00Z"),
        ),
        **{f"ok/{number}p": record(output(f"ok/{number}p"), updated_at=BEFORE) for number in (480, 720)},
        "far/720p": record(output("far/720p"), output=file_of(output("far/720p"), host="render-2")),
        "off/720p": record(output("off/720p")),
        "was/720p": record(output("was/720p"), "retired"),
    }
    declared = Declared(
        attempts=dict.fromkeys([*records.keys() - {"was/720p"}, "new/720p"], 2), paused=frozenset({"off/720p"})
    )
    text = status_text(
        "talks-site", records, declared, world(*records.values(), missing=("outputs/gone/720p.mp4",)), NOW
    )

    assert (
        text
        == """\
talks-site: 10 outputs. Last change Mon 21 Sep 14:12 UTC.

Needs you
  ! f/sintel   failed, 2 of 2 attempts: "input stream 0 is corrupt"
      not tried again until its spec or source changes; the old file is live
      try again:  reconciler apply --rerun f/sintel
  ! f/tos      failed, attempt 1 of 2: "it broke"
      the next apply tries again:  reconciler apply
  ! gone/720p  outputs/gone/720p.mp4 is gone
      make it again:  reconciler apply
  ! odd/720p   suspect: "ends 4 s early (kept for a look: outputs/odd/x)"
      not used until somebody looks at it
      try again:  reconciler apply --rerun odd/720p
  ! lost/720p  lost: "the provider does not know the job any more"
      try again:  reconciler apply --rerun lost/720p

Running, or left behind by an apply that was stopped
  > now/720p  local job 91be0712, started 9 m ago
      To go on with what nobody attends: reconciler apply

Fine
  2 outputs in outputs/, no expiry
  1 output in outputs/, made on render-2, not here

Paused (enabled: false): off/720p
Declared and not made yet: 1 output. See: reconciler plan
Retired, files kept: 1 output. To drop: reconciler state prune
Judged from state, files and clock alone, Wed 23 Sep 14:10 UTC.
"""
    )


def attempt_of(made):
    """A finished record as an earlier attempt."""
    return own_attempt(made)


def held(wanted, dies, **changes):
    """A finished output that its provider holds until a moment; its link died before now."""
    file = OutputRecord(
        name=wanted.name,
        link=f"https://cdn.test/{wanted.address}.mp4",
        link_expires_at="2026-09-21T18:12:00Z",
        expires_at=dies,
        duration=2520.0,
    )
    return record(wanted, provider="bytenite", output=file, **{"updated_at": BEFORE, **changes})


def copied(known, where, **changes):
    """The same with a copy."""
    made = Delivered(where=where, size=1, sha256="ab" * 32, fingerprint=known.fingerprint, attempt=1, at=BEFORE)
    return msgspec.structs.replace(known, delivered=msgspec.structs.replace(made, **changes))


TO_SITE = {"deliver": Deliver("s3://site-media/trailers/")}
LATER, TOMORROW, PAST = "2026-09-25T14:10:00Z", "2026-09-23T15:52:00Z", "2026-09-23T14:02:00Z"


def two_days_later():
    """What the specs want, and what is recorded, two days after an apply."""
    wanted = {
        name: output(name, provider="bytenite", **policy)
        for name, policy in {
            "talks/keynote": {},
            "talks/often": {"on_expiry": "rerun", **TO_SITE},
            "talks/panel": TO_SITE,
            "talks/poster": {},
            "talks/week": {},
            "films/a": TO_SITE,
            "films/b": TO_SITE,
            "films/c": TO_SITE,
        }.items()
    }
    ends = {"talks/panel": TOMORROW, "talks/poster": TOMORROW, "talks/week": LATER}
    records = {name: held(each, ends.get(name, PAST)) for name, each in wanted.items()}
    for name in ("films/a", "films/b"):
        records[name] = copied(records[name], f"s3://site-media/trailers/{name}.mp4")
    records["films/c"] = copied(held(wanted["films/c"], LATER), "copies/films/c.mp4", host="studio")
    costs = {"talks/keynote": Estimate(Money(Decimal("2.1"), "USD"), 2520.0), "talks/often": Estimate(unknown="price")}
    return records, Declared(attempts=dict.fromkeys(wanted, 2), outputs=wanted, costs=costs)


def test_status_counts_down():
    """Two days later: what is gone and what it costs, what goes soon and how it is saved, what stays, dead links."""
    records, declared = two_days_later()
    text = status_text("talks-site", records, declared, world(*records.values()), NOW)

    assert (
        text
        == """\
talks-site: 8 outputs. Last change Mon 21 Sep 14:12 UTC.

Needs you
  ! talks/keynote  gone: bytenite deleted it 8 m ago and no copy was kept
      make it again, about $2.10:  reconciler apply --rerun talks/keynote
      keep it next time:           deliver: in specs/test.yaml:1
  ! talks/often    gone: bytenite deleted it 8 m ago and no copy was kept
      the next apply makes it again, at a price that is not known:
        reconciler apply

Soon
  ! talks/panel   bytenite deletes it in 1 h 42 m and no copy was kept
      save it now, free:  reconciler apply --no-spend
  ! talks/poster  bytenite deletes it in 1 h 42 m and no copy was kept
      to keep it:          deliver: in specs/test.yaml:1
      then save it, free:  reconciler apply --no-spend

Fine
  1 output in copies/films/, no expiry
  2 outputs in s3://site-media/trailers/, no expiry
  1 output at bytenite, deleted in 2 d

Not copied to its place yet: 2 outputs. Free: reconciler apply --no-spend
Links: 3 dead, their files live. Free to renew: reconciler output
Judged from state, files and clock alone, Wed 23 Sep 14:10 UTC.
"""
    )


def test_a_copy_that_vanished_while_its_file_lives_is_copied_again_for_nothing():
    """The folder that held a copy is empty: the screen names the copy and the free command."""
    wanted = output("films/c", provider="bytenite", deliver=Deliver("copies"))
    known = copied(held(wanted, LATER), "copies/films/c.mp4", host="studio")
    seen = replace(world(known), copies={"copies/films/c.mp4": None})
    text = status_text("talks", {"films/c": known}, Declared(outputs={"films/c": wanted}), seen, NOW)

    assert "  ! films/c  copies/films/c.mp4 is gone\n      copy it again, free:  reconciler apply --no-spend\n" in text


def test_what_expires_within_a_time():
    """--expiring tells what is deleted within the time and has no copy, the first of them first; else nothing."""
    records, declared = two_days_later()
    now = replace(world(*records.values()), now="2026-09-23T14:10:00Z")

    assert """\
2 outputs are deleted within 2 h and no copy was kept.

  ! talks/panel   bytenite deletes it in 1 h 42 m and no copy was kept
      save it now, free:  reconciler apply --no-spend
  ! talks/poster  bytenite deletes it in 1 h 42 m and no copy was kept
      to keep it:          deliver: in specs/test.yaml:1
      then save it, free:  reconciler apply --no-spend
""" == expiring_text(records, declared, now, 7200)
    assert "Nothing without a copy is deleted within 1 h.\n" == expiring_text(records, declared, now, 3600)


def test_status_of_a_project_in_which_nothing_was_made():
    """Before the first apply status says so, and what to do next."""
    text = status_text("talks", {}, Declared(attempts={"a/b": 2, "a/c": 2}), world(), NOW)

    assert (
        """\
talks: no outputs were made yet.

Declared and not made yet: 2 outputs. See: reconciler plan
Judged from state, files and clock alone, Wed 23 Sep 14:10 UTC.
"""
        == text
    )


def test_status_works_without_readable_specs():
    """Broken specs do not hide what is recorded."""
    made = record(output("a/b"))
    text = status_text("talks", {"a/b": made}, Declared(readable=False), world(made), NOW)

    assert "The specs have errors. To see them: reconciler validate\n" in text
    assert "  1 output in outputs/, no expiry\n" in text


def test_outputs():
    """Address, path and size stand under each other; a file made elsewhere says where."""
    records = {
        "bbb/1080p": record(output("bbb/1080p"), output=file_of(output("bbb/1080p"), size=142_800_000)),
        "bbb/720p": record(output("bbb/720p"), output=file_of(output("bbb/720p"), size=1_300, host="render-2")),
        "tos/720p": record(output("tos/720p"), "failed"),
    }

    assert """\
bbb/1080p  outputs/bbb/1080p.mp4  142.8 MB
bbb/720p   outputs/bbb/720p.mp4     1.3 kB  on render-2
""" == output_text(records, "studio")
    assert "bbb/1080p\n  outputs/bbb/1080p.mp4\n  142.8 MB\n" in output_text(records, "studio", columns=40)
    assert "No outputs are finished.\n" == output_text({}, "studio")


def test_a_record():
    """A record is shown whole: its file, its source, its job, what was odd, and every field."""
    wanted = h264("bbb/720p", 720, 23, "128k", of=source("masters/b\x1bb.mov"), labels={"team": "web"})
    made = record(
        wanted,
        job=JobRecord(
            id="91be0712", phase="started", seconds=348, started_at=BEFORE, finished_at="2026-09-21T14:17:48Z"
        ),
        output=msgspec.structs.replace(file_of(wanted, size=71_300_000), summary="10:34, 1280x720"),
        notes=("audio 5.1 is mixed down to stereo",),
        encoder="ffmpeg 7.0.2",
        updated_at="2026-09-21T14:17:48Z",
    )

    assert (
        record_text("bbb/720p", made)
        == rf"""bbb/720p: complete
  file           outputs/bbb/720p.mp4
  size           71.3 MB (71,300,000 bytes)
  sha256         {"ab" * 32}
  content        10:34, 1280x720
  made on        studio
  encoder        ffmpeg 7.0.2
  source         masters/b\x1bb.mov
  source sha256  {"cd" * 32}
  fingerprint    {wanted.fingerprint}
  provider       local
  job            91be0712, started, took 5 m 48 s
  started        Mon 21 Sep 14:12 UTC
  finished       Mon 21 Sep 14:17 UTC
  attempt        1
  note           audio 5.1 is mixed down to stereo
  labels         team=web
  updated        Mon 21 Sep 14:17 UTC

  Encoded from these fields
    audio.bitrate  128k
    audio.codec    aac
    container      mp4
    scheme         1
    source         masters/b\x1bb.mov
    video.codec    h264
    video.crf      23
    video.height   720
"""
    )


def test_a_failed_record():
    """A failure is shown with its words and how often it happened."""
    text = record_text("a/b", record(output("a/b"), "failed", failures=2, attempt=3))

    assert text.startswith("a/b: failed\n  error          it broke\n")
    assert "  attempt        3, 2 failures since the last change\n" in text


def test_the_list_of_records():
    """One line an address: status and what was asked."""
    records = {"bbb/1080p": record(output("bbb/1080p")), "tos/720p": record(output("tos/720p"), "failed")}

    assert """\
bbb/1080p  complete  h264 720p crf 23, aac 128k
tos/720p   failed    h264 720p crf 23, aac 128k
""" == record_list(records)
    assert "The state holds no records.\n" == record_list({})


def test_what_was_mended_is_said():
    """Moving and dropping say what was, or would be, done, and what became of files."""
    assert "Moved a/b to c/d. Its file is now outputs/c/d.mp4.\n" == moved_text(
        "a/b", "c/d", "outputs/c/d.mp4", dry_run=False
    )
    assert "Would move a/b to c/d. Its file stays where it is.\n" == moved_text("a/b", "c/d", None, dry_run=True)
    assert "Dropped 2 records:\n  a/b\n  c/d\nNo file was touched.\n" == removed_text(["c/d", "a/b"], [], dry_run=False)
    assert "Would drop 1 record:\n  a/b\nWould delete 1 file:\n  outputs/a/b.mp4\n" == removed_text(
        ["a/b"], ["outputs/a/b.mp4"], dry_run=True
    )
    assert "Nothing to drop.\n" == removed_text([], [], dry_run=False)


def explained(wanted, *records, **more):
    """The explanation of one output."""
    known = {wanted.address: records[0]} if records else {}
    plan = make_plan(desired(wanted), known, world(*records), Selection())
    step = next(iter(plan.steps), None)
    return explain_text(wanted, known.get(wanted.address), step, plan.notices, **more)


def test_an_explanation():
    """Would it run and why; every field with its value and where it was written; what is as always."""
    wanted = h264("bbb/720p", 720, 21, "128k", origins={"video.crf": ("web-720p", "specs/presets.yaml", 12)})
    wanted = replace(
        wanted,
        origins={
            **wanted.origins,
            "audio.bitrate": Origin(None, "720p-h264"),
            "source": Origin(Place("specs/bbb.yaml", 4, 13)),
        },
    )

    assert (
        explained(wanted, record(h264("bbb/720p", 720, 23, "128k")))
        == f"""\
bbb/720p: must be replaced (+/-): video.crf changed.
  video.crf: 23 -> 21

  audio.bitrate  128k              built-in preset 720p-h264
  audio.codec    aac
  container      mp4
  scheme         1
  source         {URL}
                 specs/bbb.yaml:4:13
  video.codec    h264
  video.crf      21                specs/presets.yaml:12:7  preset web-720p
  video.height   720

  Not set, so the default: faststart=true, video.avoid_upscaling=true,
    video.mode=vbr, video.passes=1, video.rotate=0, video.deinterlace=off,
    video.autocrop=false, video.crop.top=0, video.crop.bottom=0,
    video.crop.left=0, video.crop.right=0, video.pad.color=black,
    video.pixel_format=yuv420p, audio.missing=skip, audio.track=0,
    source.trim.start=0
  declared at  specs/test.yaml:1:1
  written to   outputs/bbb/720p.mp4
  provider     local
  fingerprint  {wanted.fingerprint}
"""
    )


def test_an_explanation_says_where_the_file_is_to_be():
    """What a provider keeps is nowhere here; a copy is where it is wanted."""
    text = explained(output("a/b", provider="bytenite", deliver=Deliver("s3://site/t")), held=True)
    assert "  written to   nowhere here: bytenite keeps it\n  delivered to s3://site/t/a/b.mp4\n" in text


def test_explanations_of_what_does_not_run():
    """What needs nothing, is paused, or waits for a person says so in its first line."""
    wanted = output("a/b")

    assert explained(wanted, record(wanted)).startswith("a/b: nothing to do; it is as declared.\n")
    assert explained(output("a/b", enabled=False)).startswith("a/b: paused (enabled: false); nothing is done about it.")
    assert explained(wanted, record(wanted, "failed", failures=2)).startswith(
        "a/b: nothing is done about it.\n  failed: it broke; 2 of 2 attempts used, until"
    )
    assert explained(wanted).startswith("a/b: will be created (+): new.\n")


def test_an_explanation_ends_with_the_attempts():
    """When each attempt ended, as what, why it was made, how long it took, what it cost; the newest last."""
    first = EndedAttempt(
        attempt=9, at=BEFORE, status="complete", why="new", provider="local", job="j1", seconds=348.0, duration=60.0
    )
    second = EndedAttempt(
        attempt=10,
        at="2026-09-22T08:00:00Z",
        status="suspect",
        why="source_changed",
        provider="bytenite",
        job="j2",
        cost="28 BYC",
        seconds=61.0,
        error="vmaf is 71.2, at least 90 was asked",
        allowed=("rerun:a/b", "max_jobs"),
    )
    wanted = output("a/b")
    text = explained(wanted, record(wanted, history=(first, second)))

    assert text.endswith(
        """
  Attempts
     9  Mon 21 Sep 14:12 UTC  complete  new             local     5 m 48 s  -
    10  Tue 22 Sep 08:00 UTC  suspect   source_changed  bytenite  1 m 1 s   28 BYC
       vmaf is 71.2, at least 90 was asked
       let through with --allow rerun:a/b --allow max_jobs
"""
    )


def test_built_in_presets_are_shown_with_all_they_hold():
    """Every built-in preset has its sentence and its fields in the units of the specs."""
    text = presets_text(BUILT_IN)

    assert list(BUILT_IN) == [block.partition("  ")[0] for block in text.split("\n\n")]
    assert (
        """\
720p-h264  HD H.264 in MP4, plays everywhere, stereo AAC
  audio.bitrate      128k
  audio.channels     2
  audio.codec        aac
  audio.sample_rate  48k
  container          mp4
  video.codec        h264
  video.crf          23
  video.height       720
  video.preset       medium
  video.profile      high
"""
        in text
    )
