"""The plan as people read it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from builders import record, source
from builders_views import REMOTE, URL, document, h264, ladder, made, rendition
from reconciler.core.encode import ProviderSettings, Trim
from reconciler.core.state import JobRecord, OutputRecord
from reconciler.ffmpeg.kind import FfmpegOptions
from reconciler.views.cells import width
from reconciler.views.colour import coloured
from reconciler.views.plan_text import plan_text

WEB = {"video.crf": ("web-720p", "specs/presets.yaml", 12)}

# How tfcmt finds its way through a plan (pkg/terraform/parser.go).
PASS = re.compile(r"(?m)^(Plan: \d|No changes.)")
FAIL = re.compile(r"(?m)^([│|] )?(Error: )")
WARNING = re.compile(r"(?m)^([│|] )?(Warning: )")
DESTROY = re.compile(r"(?m)([1-9][0-9]* to destroy.)")
NO_CHANGES = re.compile(r"(?m)^(No changes\.|Plan: (\d+ to import, )?0 to add, 0 to change, 0 to destroy\.)")
CREATED = re.compile(r"(?m)^ *# (.*) will be created$")
UPDATED = re.compile(r"(?m)^ *# (.*) will be updated in-place$")
REPLACED = re.compile(r"(?m)^ *# (.*?)(?: is tainted, so)? must be replaced$")
MOVED = re.compile(r"(?m)^ *# (.*?) has moved to (.*?)$")


def films(crf, *, count=14, **more):
    """The same rendition of many films."""
    return [
        h264(f"films/f{number:02}/720p", 720, crf, "128k", of=source(f"m/{number}.mov"), **more)
        for number in range(count)
    ]


def test_first_plan():
    """The first plan says what is new, what is asked, where it goes, what it costs and what to do next."""
    assert (
        plan_text(document(ladder()))
        == f"""\
specs/ (1 file), no state yet: everything below is new.

  + bbb/480p   h264  480p crf 24, aac  96k   to outputs/bbb/480p.mp4
  + bbb/720p   h264  720p crf 23, aac 128k   to outputs/bbb/720p.mp4
  + bbb/1080p  h264 1080p crf 21, aac 192k   to outputs/bbb/1080p.mp4

  One job on this machine (ffmpeg), one decode for all three.
  Source {URL}
  Not contacted: plan is offline. To look at it now: reconciler plan --refresh

Plan: 3 to encode (3 new, 0 rerun), 0 to retire.
Cost: nothing to pay. Time: known after the first run. Plan id: {document(ladder()).plan_id}

Nothing has started. To run it: reconciler apply
"""
    )


def test_first_plan_in_sixty_columns():
    """On a narrow terminal paths go below, commands stay whole, and only URLs may be longer than a line."""
    text = plan_text(document(ladder()), columns=60)

    assert (
        text
        == f"""\
specs/ (1 file), no state yet: everything below is new.

  + bbb/480p   h264  480p crf 24, aac  96k
      to outputs/bbb/480p.mp4
  + bbb/720p   h264  720p crf 23, aac 128k
      to outputs/bbb/720p.mp4
  + bbb/1080p  h264 1080p crf 21, aac 192k
      to outputs/bbb/1080p.mp4

  One job on this machine (ffmpeg), one decode for all
  three.
  Source
    {URL}
  Not contacted: plan is offline. To look at it now:
  reconciler plan --refresh

Plan: 3 to encode (3 new, 0 rerun), 0 to retire.
Cost: nothing to pay. Time: known after the first run.
Plan id: {document(ladder()).plan_id}

Nothing has started. To run it: reconciler apply
"""
    )
    assert [] == [line for line in text.splitlines() if width(line) > 60 and URL not in line]


def test_every_kind_of_step():
    """Each kind of step has its symbol and its sentence, changed fields stand below, and the summary counts all."""
    local = source("masters/a.mov")
    again = h264("a/720p", 720, 21, "128k", of=local, origins=WEB)
    labelled = h264("b/720p", 720, 23, "128k", of=source("masters/b.mov"), labels={"team": "web"})
    retried = h264("c/720p", 720, 23, "128k", of=source("masters/c.mov"))
    moved = h264("new/720p", 720, 23, "128k", of=source("masters/d.mov"))
    flying = h264("e/720p", 720, 23, "128k", of=source("masters/e.mov"))
    twin = h264("twin/720p", 720, 21, "128k", of=local)
    gone = h264("gone/720p", 720, 23, "128k", of=source("masters/g.mov"))
    records = {
        "a/720p": record(
            h264("a/720p", 720, 23, "128k", of=local), job=JobRecord(id="job-a", phase="started", seconds=348)
        ),
        "b/720p": record(h264("b/720p", 720, 23, "128k", of=source("masters/b.mov"))),
        "c/720p": record(retried, status="failed", failures=1),
        "old/720p": record(h264("old/720p", 720, 23, "128k", of=source("masters/d.mov"))),
        "e/720p": record(flying, status="running", job=JobRecord(id="0123456789", phase="started")),
        "gone/720p": record(gone),
    }
    plan = document([again, labelled, retried, moved, flying, twin], records, files=2)

    assert (
        plan_text(plan)
        == f"""\
specs/ (2 files) against state/encodes.json (6 outputs recorded).

  +/- a/720p     h264 720p crf 21, aac 128k   to outputs/a/720p.mp4
        video.crf: 23 -> 21 (web-720p at specs/presets.yaml:12)
  ~   b/720p     recorded only, nothing is encoded
        labels.team: not set -> web
  +   c/720p     h264 720p crf 23, aac 128k   to outputs/c/720p.mp4
        attempt 2 of 2; it failed: it broke
  <=  e/720p     an earlier apply began it (job 01234567, started)
  .   gone/720p  no longer declared; its record is kept, its file is not deleted
  ~   new/720p   the same encode under a new name, was old/720p
  ~   twin/720p  the same encode as a/720p, made once

  3 jobs on this machine (ffmpeg); each source is decoded once for all its
  outputs.

Plan: 2 to encode (0 new, 1 rerun, 1 retried), 1 to retire, 1 to resume,
1 moved, 1 reused, 1 updated.
Cost: nothing to pay. Time: more than 5 m 48 s. Plan id: {plan.plan_id}

Nothing has started. To run it: reconciler apply
"""
    )


def test_above_ten_outputs_there_is_one_line_a_cause():
    """A changed preset that touches many outputs is one line, with where it is written."""
    new = [h264(f"talks/t{number}/480p", 480, 24, "96k", of=source(f"t/{number}.mov")) for number in range(3)]
    old = films(23)
    gone = h264("x/720p", 720, 30, "1k", of=source("x.mov"))
    plan = document([*films(21, origins=WEB)[:11], *old[11:], *new], {**made(*old), **made(gone)})

    assert (
        plan_text(plan)
        == f"""\
specs/ (1 file) against state/encodes.json (15 outputs recorded); 3 as declared.

  +/- 11 outputs  video.crf: 23 -> 21 (web-720p at specs/presets.yaml:12)
        films/f00/720p, films/f01/720p, films/f02/720p and 8 more
  +   3 outputs   new, in 3 encodes
        talks/t0/480p, talks/t1/480p and talks/t2/480p
  .   1 output    no longer declared; its record is kept, its file is not
        deleted
        x/720p

  Every output by itself: --detail

  14 jobs on this machine (ffmpeg); each source is decoded once for all its
  outputs.

Plan: 14 to encode (3 new, 11 rerun), 1 to retire.
Cost: nothing to pay. Time: known after the first run. Plan id: {plan.plan_id}

Nothing has started. To run it: reconciler apply
"""
    )


def test_many_different_causes_are_put_together_by_their_fields():
    """When every output changes to another value, the fields are said and the values left to --detail."""
    wanted = [
        h264(f"films/f{number:02}/720p", 720, 10 + number, "128k", of=source(f"m/{number}.mov")) for number in range(12)
    ]
    text = plan_text(document(wanted, made(*films(40, count=12))))

    assert "  +/- 12 outputs  video.crf changed, not to the same everywhere\n" in text


def test_more_than_six_changed_fields_are_counted():
    """Six changed fields are shown, the others counted."""
    before = rendition("a/b", {"codec": "h264", "crf": 23, "height": 720})
    video = {"codec": "hevc", "crf": 20, "height": 480, "preset": "slow", "tune": "grain", "level": "4.1", "fps": 25}
    text = plan_text(document([rendition("a/b", video, {"codec": "aac", "bitrate": "96k"})], made(before)))

    assert 6 == text.count(" -> ")
    assert "      and 3 more fields: --detail\n" in text


def test_no_changes():
    """A plan without steps is one line."""
    assert "No changes. 3 outputs are as declared.\n" == plan_text(document(ladder(), made(*ladder())))


def test_no_changes_with_something_left_alone():
    """What only a person can decide about stands before, and is not counted as declared."""
    high, *rest = ladder()
    records = {**made(*rest), **made(high, status="failed", failures=2, error="input stream 0 is \x1b[31mcorrupt")}
    text = plan_text(document([high, *rest], records), options=" --specs s")

    assert (
        text
        == r"""Warning: bbb/1080p: failed: input stream 0 is \x1b[31mcorrupt; 2 of 2 attempts
  used, until its spec or source changes or --rerun names it

No changes. 2 outputs are as declared, 1 needs you (see above).
"""
    )


def test_no_changes_counts_paused_outputs_and_says_when_not_all_was_looked_at():
    """Paused outputs and a selection are said, so that "No changes" is not read as more than it is."""
    high, *rest = ladder()
    paused = h264("bbb/1080p", 1080, 21, "192k", enabled=False)
    text = plan_text(document([paused, *rest], made(*rest, high), excludes=("bbb/480p",)))

    assert "No changes. 1 output is as declared, 1 paused. Only what --target and --exclude\nselect was" in text


def test_a_protected_output_says_what_lifts_the_refusal():
    """A refusal stands in the plan, with both ways out."""
    old = h264("bbb/720p", 720, 23, "128k", protect=True)
    text = plan_text(document([h264("bbb/720p", 720, 21, "128k", protect=True)], made(old)))

    assert (
        """\
Warning: apply will refuse this: bbb/720p is protected and this plan would rerun
  it.
  leave it alone with --exclude bbb/720p, or let this one through with --allow
    rerun:bbb/720p
"""
        in text
    )
    assert text.endswith("\n\nNothing has started, and apply refuses this plan as it is (see above).\n")


def test_refresh_says_what_it_found_instead_of_how_to_look():
    """After --refresh the plan holds what was seen."""
    text = plan_text(document(ladder(), findings=["bbb.mp4 answers: 158.0 MB"]))

    assert "  bbb.mp4 answers: 158.0 MB\n" in text
    assert "Not contacted" not in text


def test_commands_repeat_the_flags_that_made_the_plan():
    """A command named on the screen runs as it stands."""
    text = plan_text(document(ladder()), options=" --specs other", apply="reconciler apply --specs other")

    assert "reconciler plan --refresh --specs other\n" in text
    assert "To run it: reconciler apply --specs other\n" in text


def test_wide_and_long_names_are_aligned_and_never_cut():
    """Columns stand under each other in every script, and a long address keeps a line for itself."""
    wide = plan_text(document([h264("映画/高画質", 1080, 21, "192k"), h264("caf\u00e9/720p", 720, 23, "128k")]))
    name = "اسم-طويل-" * 10
    long = plan_text(document([h264(f"{name}/720p", 720, 23, "128k")]), columns=60)

    assert "  + café/720p    h264  720p crf 23, aac 128k   to outputs/café/720p.mp4\n" in wide
    assert "  + 映画/高画質  h264 1080p crf 21, aac 192k   to outputs/映画/高画質.mp4\n" in wide
    assert f"  + {name}/720p\n      h264 720p crf 23, aac 128k\n      to outputs/{name}/720p.mp4\n" in long


def test_nothing_from_a_state_reaches_the_terminal_as_an_escape():
    """Whatever somebody wrote into the state, no control character comes out."""
    nasty = h264("a/b", 720, 23, "128k", of=source("m/\x1b]0;title\x07.mov"))
    records = made(h264("x/\x1b[2Jy", 480, 23, "128k"), h264("a/b", 720, 24, "128k"))
    for detail in (False, True):
        text = plan_text(document([nasty], records), detail=detail)
        assert "\x1b" not in text
        assert r"x/\x1b[2Jy" in text


@pytest.mark.parametrize(
    ("words", "video", "audio"),
    [
        ("h264 1280x720 crf 23 max 900k", {"codec": "h264", "width": 1280, "height": 720, "crf": 23} | {
            "max_bitrate": "900k", "buffer_size": "1800k"}, None),
        ("vp9 640 wide cbr 900k 29.97 fps", {"codec": "vp9", "width": 640, "bitrate": "900k", "mode": "cbr"} | {
            "fps": 29.97}, None),
        ("av1 crf 30 max 25 fps, opus 5.1 256k", {"codec": "av1", "crf": 30, "fps": {"max": 25}},
         {"codec": "opus", "channels": "5.1", "bitrate": "256k"}),
        ("aac mono 64k", {"codec": "none"}, {"codec": "aac", "channels": 1, "bitrate": "64k"}),
        ("h264, no sound", {"codec": "h264"}, {"codec": "none"}),
    ],
)  # fmt: skip
def test_what_is_asked_is_said_in_a_few_words(words, video, audio):
    """Codec, size, rate control and sound, in the units of the specs."""
    no_sound = "" if audio is not None else ", no sound"
    assert f"  + a/b  {words}{no_sound}   to outputs/a/b.mp4" in plan_text(document([rendition("a/b", video, audio)]))


def test_detail_is_worded_as_opentofu_words_it():
    """--detail shows each step as a block with its fields."""
    old = h264("bbb/720p", 720, 23, "128k")
    new = h264("bbb/720p", 720, 21, "128k", origins=WEB)
    text = plan_text(document([new, h264("bbb/480p", 480, 24, "96k")], made(old)), detail=True)

    assert (
        f"""\
Resource actions are indicated with the following symbols:
  +   encode, not made before
  +/- encode again, then replace

  # bbb/480p will be created
  # (new)
  +   output "bbb/480p" {{
      + audio.bitrate = 96k
      + audio.codec   = aac
      + container     = mp4
      + scheme        = 1
      + source        = {URL}
      + video.codec   = h264
      + video.crf     = 24
      + video.height  = 480
        path          = outputs/bbb/480p.mp4
    }}

  # bbb/720p must be replaced
  # (video.crf changed)
  +/- output "bbb/720p" {{
      ~ video.crf     = 23 -> 21 (web-720p at specs/presets.yaml:12)
        path          = outputs/bbb/720p.mp4
        # (7 unchanged fields hidden)
    }}
"""
        in text
    )


def test_tools_that_read_opentofu_plans_read_this_one():
    """Every pattern by which tfcmt understands a plan finds what it should, and nothing it should not."""
    high, middle, _ = ladder()
    low = h264("bbb/480p", 480, 20, "96k")
    moved = h264("tos/720p", 720, 23, "128k", of=source("tos.mov"))
    records = made(high, h264("bbb/480p", 480, 24, "96k"), h264("old/720p", 720, 23, "128k", of=source("tos.mov")))
    labelled = h264("bbb/1080p", 1080, 21, "192k", labels={"a": "b"})
    text = plan_text(document([labelled, middle, low, moved], records), detail=True)

    assert PASS.search(text)
    assert ["bbb/720p"] == CREATED.findall(text)
    assert ["bbb/1080p"] == UPDATED.findall(text)
    assert ["bbb/480p"] == REPLACED.findall(text)
    assert [("old/720p", "tos/720p")] == MOVED.findall(text)
    assert [] == [pattern for pattern in (FAIL, WARNING, DESTROY, NO_CHANGES) if pattern.search(text)]
    assert NO_CHANGES.search(plan_text(document(ladder(), made(*ladder()))))


def test_colour_is_laid_over_a_finished_screen():
    """Colour changes no letter: without its escapes the screen is the same."""
    text = plan_text(document(ladder()))
    painted = coloured(text)

    assert "\x1b[32m  +\x1b[0m bbb/720p" in painted
    assert text == re.sub(r"\x1b\[\d+m", "", painted)


def test_sources_from_the_environment_are_named_by_their_id():
    """A source whose URL comes from the environment is shown by its id, never by its variable."""
    from dataclasses import replace

    private = replace(REMOTE, identity="masters/keynote", location="${env.KEYNOTE_URL}")
    text = plan_text(document([h264("k/720p", 720, 23, "128k", of=private)]))

    assert "  Source masters/keynote\n" in text
    assert "KEYNOTE_URL" not in text


def test_what_is_learnt_from_earlier_jobs_is_told_as_such():
    """Without a rate card the cost is about what earlier jobs came to, and so is the time; both say so."""
    trimmed = replace(REMOTE, trim=Trim(0, 60))
    wanted = [h264("new/720p", 720, 23, "128k", of=trimmed, provider="cloud")]
    before = h264("old/720p", 720, 23, "128k", provider="cloud")
    file = OutputRecord(name="720p", link="https://cdn.test/x", duration=120.0)
    records = {"old/720p": record(before, output=file, job=JobRecord("j1", cost="6 BYC", seconds=30.0))}
    providers = {"cloud": ProviderSettings("cloud", "bytenite", FfmpegOptions(), paid=True, holds=True)}
    text = plan_text(document([*wanted, before], records, providers=providers))

    said = "Cost: about 3.00 BYC going by 1 earlier job that made the same (1 min of output, no rate card)."
    assert said in text.replace("\n  ", " ")
    assert "Time: about 15 s, going by 1 earlier job that made the same." in text.replace("\n  ", " ")
