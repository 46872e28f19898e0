"""`plan`, `apply` and `show`: what they print, save, refuse and return."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import shutil
import subprocess
import threading
import time

from builders_commands import Desk, applied, desk
from builders_project import generated, ladder_spec, tiny
from reconciler.store.lock import Lock
from reconciler.views.document import read_document


def test_exit_codes_of_plan(tmp_path):
    """A plan exits 0; with --detailed-exitcode 2 when there are changes and 0 when there are none."""
    made = desk(tmp_path)

    assert (0, 2) == (made.run("plan").code, made.run("plan", "--detailed-exitcode").code)
    made.run("apply", "--auto-approve").ok()
    assert (0, 0) == (made.run("plan").code, made.run("plan", "--detailed-exitcode").code)
    assert "No changes. 2 outputs are as declared.\n" == made.run("plan").out


def test_free_steps_are_changes(tmp_path):
    """Renaming, labelling and removing cost nothing, and --detailed-exitcode still says 2."""
    made = applied(tmp_path)
    made.write("specs/encodes.yaml", ladder_spec(name="renamed"))
    result = made.run("plan", "--detailed-exitcode")

    assert 2 == result.code
    assert "Plan: 0 to encode (0 new, 0 rerun), 0 to retire, 2 moved.\n" in result.out


def test_plan_writes_nothing(tmp_path):
    """`validate` and `plan` leave no file behind."""
    made = desk(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for arguments in (("validate",), ("plan",), ("plan", "--json"), ("plan", "--detail"), ("status",), ("output",)):
        made.run(*arguments).ok()

    assert before == [path for path in sorted(tmp_path.rglob("*")) if ".cache" not in path.parts]


def test_show_commands_prints_what_would_run(tmp_path):
    """--show-commands adds the command of each job, with all of its outputs."""
    out = desk(tmp_path).run("plan", "--show-commands").ok().out
    shown = out.partition("# clip: big small\n")[2]

    assert "-crf 30" in shown
    assert "file:outputs/clip/big.mp4" in shown
    assert "file:outputs/clip/small.mp4" in shown


def test_the_shown_commands_run_as_they_are(tmp_path):
    """Pasted into a shell in a fresh project they make the outputs, folders included."""
    out = desk(tmp_path).run("plan", "--show-commands").ok().out
    shown = out.partition("# clip: big small\n")[2]

    assert "mkdir -p outputs/clip" == shown.partition("\n")[0]
    subprocess.run(["sh", "-ec", shown], cwd=tmp_path, check=True, capture_output=True)
    assert ["big.mp4", "small.mp4"] == sorted(path.name for path in (tmp_path / "outputs/clip").iterdir())


def test_the_shown_passes_run_as_they_are(tmp_path):
    """What is measured and looked at first stands before the encode, and can be pasted as well."""
    made = Desk(tmp_path)
    picture = "{codec: h264, preset: ultrafast, bitrate: 200k, passes: 2}"
    sound = "{codec: aac, bitrate: 64k, loudness: {target: -20}}"
    source = "lavfi:testsrc2=size=160x90:duration=1[out0];sine=frequency=440:duration=1[out1]"
    lines = ["version: 1", "project: shown", "encodes:", f'  clip: {{source: "{source}", outputs: {{']
    lines += [f"    x: {{container: mp4, video: {picture}, audio: {sound}}}}}}}", ""]
    made.write("specs/a.yaml", "\n".join(lines))
    shown = made.run("plan", "--show-commands").ok().out.partition("# clip: x\n")[2]

    assert ["print_format=json" in shown, "-pass 1" in shown, "-pass 2" in shown] == [True] * 3
    subprocess.run(["sh", "-ec", shown], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "outputs/clip/x.mp4").stat().st_size > 0


def test_detail_and_targets(tmp_path):
    """--detail words each output as OpenTofu does; --target leaves the others out."""
    out = desk(tmp_path).run("plan", "--detail", "--target", "clip/big").ok().out

    assert "  # clip/big will be created\n" in out
    assert "clip/small" not in out


def test_json_ends_with_the_document_that_out_saves(tmp_path):
    """The last line of plan --json is the saved document, but for its time."""
    made = desk(tmp_path)
    made.run("plan", "--out", "plan.json").ok()
    *events, last = made.events("plan")
    saved = json.loads((tmp_path / "plan.json").read_text())

    assert ["version", "planned_change", "planned_change", "change_summary"] == [each["type"] for each in events]
    assert "plan" == last["type"]
    assert {**saved, "timestamp": ""} == {**last["plan"], "timestamp": ""}


def test_a_saved_plan_is_shown_and_applied(tmp_path):
    """`show` prints a saved plan as plan did; apply FILE runs it without asking."""
    made = desk(tmp_path)
    planned = made.run("plan", "--target", "clip/big", "--out", "plan.json").ok().out

    assert planned == made.run("show", "plan.json").ok().out
    assert "To run it: reconciler apply plan.json\n" in planned
    assert "  # clip/big will be created\n" in made.run("show", "plan.json", "--detail").ok().out
    assert json.loads((tmp_path / "plan.json").read_text()) == made.json("show", "plan.json")
    assert "Apply complete! 1 encoded, 0 failed, in " in made.run("apply", "plan.json").ok().out
    assert {"clip/big"} == set(made.records())


def test_a_saved_plan_that_is_done_says_so(tmp_path):
    """Nothing left of an approved plan is no error."""
    made = desk(tmp_path)
    made.run("plan", "--out", "plan.json").ok()
    made.run("apply", "plan.json").ok()

    assert "No changes. 2 outputs are as declared.\n" == made.run("apply", "plan.json").ok().out


def test_a_plan_that_changed_is_refused(tmp_path):
    """Work beyond what was approved exits 5, with both ids, and starts nothing."""
    made = desk(tmp_path)
    made.run("plan", "--out", "plan.json").ok()
    approved = read_document((tmp_path / "plan.json").read_bytes(), "plan.json").plan_id
    made.write("specs/encodes.yaml", ladder_spec(crf=20))
    now = made.events("plan")[-1]["plan"]["plan_id"]
    for arguments in (("plan.json",), ("--expect", approved)):
        result = made.run("apply", *arguments)
        assert 5 == result.code
        assert f"expected {approved}, now {now}" in result.err
        assert "  encode clip/big " in result.err
        assert not (tmp_path / "outputs").exists()


def test_an_expected_plan_runs(tmp_path):
    """--expect with the plan's id needs nobody to ask, and can be finished in several applies."""
    made = desk(tmp_path)
    identifier = made.events("plan")[-1]["plan"]["plan_id"]
    made.run("apply", "--expect", identifier, "--target", "clip/small")

    assert 0 == made.run("apply", "--expect", identifier).code
    assert {"clip/big", "clip/small"} == set(made.records())


def test_options_that_contradict_a_saved_plan(tmp_path):
    """A saved plan has settled the selection, and has one id."""
    made = desk(tmp_path)
    made.run("plan", "--out", "plan.json").ok()

    assert 64 == made.run("apply", "plan.json", "--target", "clip/big").code
    assert 64 == made.run("apply", "plan.json", "--expect", "0123456789abcdef").code
    assert 1 == made.run("apply", "missing.json").code
    made.write("other.json", '{"format": "encode-reconciler-plan", "version": 7}')
    result = made.run("apply", "other.json")
    assert (1, True) == (result.code, "other.json is a plan of version 7" in result.err)


def test_a_plan_that_cannot_be_saved(tmp_path):
    """A folder that is not there is an error with the path, not a traceback."""
    result = desk(tmp_path).run("plan", "--out", "missing/plan.json")

    assert (1, "") == (result.code, result.out)
    assert "Error: missing/plan.json: the plan cannot be saved: No such file or directory\n" == result.err


def test_without_approval_and_terminal_nothing_starts(tmp_path):
    """`apply` says who could approve, exits 1, and leaves no file."""
    made = desk(tmp_path)
    result = made.run("apply")
    identifier = made.events("plan")[-1]["plan"]["plan_id"]

    assert 1 == result.code
    assert result.out.endswith(f"Plan id: {identifier}\n\n")
    assert "Nothing has started" not in result.out
    assert (
        f"""\
Error: nobody approved this plan, and there is no terminal to ask on. Nothing was started.
To approve just this plan:        reconciler apply --expect {identifier}
To approve whatever is planned:   reconciler apply --auto-approve
To approve a plan that was saved: reconciler apply FILE, from reconciler plan --out FILE
"""
        == result.err
    )
    assert not (tmp_path / "outputs").exists()


def test_progress_without_a_terminal_is_lines_on_stderr(tmp_path):
    """The result is on stdout, what happens meanwhile on stderr, a line each with its time."""
    result = desk(tmp_path).run("apply", "--auto-approve").ok()

    assert result.out.count("Apply complete! 2 encoded, 0 failed, in ") == 1
    assert "started   clip: big small\n" in result.err
    assert "verified  clip/big  " in result.err
    assert "\x1b" not in result.out + result.err


def test_apply_as_events(tmp_path):
    """`apply --json` prints only events, from the version to the outcome; nothing is on stderr."""
    made = desk(tmp_path)
    events = made.events("apply", "--auto-approve")
    types = [each["type"] for each in events]

    assert "version" == types[0]
    assert (2, 2, 2) == tuple(types.count(name) for name in ("planned_change", "apply_start", "apply_complete"))
    assert ["change_summary", "outcome"] == types[-2:]
    assert (0, ["clip/big", "clip/small"]) == (events[-1]["exit_code"], sorted(events[-1]["encoded"]))
    assert ["version", "change_summary", "change_summary", "outcome"] == [
        each["type"] for each in made.events("apply", "--auto-approve")
    ]


def test_apply_as_events_never_asks(tmp_path):
    """Without approval apply --json ends with a diagnostic."""
    made = desk(tmp_path)
    events = made.events("apply")

    assert ("diagnostic", 1) == (events[-1]["type"], made.run("apply", "--json").code)


def test_a_failure_exits_3(tmp_path):
    """An output that cannot be made fails, the others are made, and stdout says what happens next."""
    made = desk(tmp_path)
    video = "video: {codec: h264, crf: 30, preset: ultrafast}"
    silent = f"{{container: mp4, {video}, audio: {{codec: aac, missing: error}}}}"
    made.write(
        "specs/encodes.yaml",
        f"""\
version: 1
project: test
encodes:
  clip:
    source: "lavfi:testsrc2=size=160x96:rate=25:duration=1"
    outputs:
      loud: {silent}
      fine: {tiny()}
""",
    )
    result = made.run("apply", "--auto-approve")

    assert 3 == result.code
    assert "Error: 1 of 2 outputs failed, 1 encoded in " in result.out
    assert "\n  failed  clip/loud  attempt 1 of 2\n" in result.out
    assert "          the next apply tries once more\n" in result.out
    assert "Exit 3: part done, safe to run again, nothing is\npaid twice.\n" in result.out
    assert 3 == made.run("apply", "--auto-approve").code
    assert "No changes. 1 output is as declared, 1 needs you (see above).\n" in made.run("plan").ok().out


def test_a_protected_output_is_refused(tmp_path):
    """A rerun of what is protected exits 4 and names both ways out; --allow lets it through."""
    protect = "outputs: [big, small]\n    protect: true"
    made = desk(tmp_path)
    made.write("specs/encodes.yaml", ladder_spec().replace("outputs: [big, small]", protect))
    made.run("apply", "--auto-approve").ok()
    made.write("specs/encodes.yaml", ladder_spec(crf=20).replace("outputs: [big, small]", protect))

    assert 0 == made.run("plan").code
    assert "Warning: apply will refuse this: clip/big is protected" in made.run("plan").out
    refused = made.run("apply", "--auto-approve")
    assert (4, True) == (refused.code, "--exclude clip/big" in refused.err)
    assert 0 == made.run("apply", "--auto-approve", "--allow", "rerun:clip/big").code


def test_a_locked_state_is_refused(tmp_path):
    """While somebody else writes, apply and what mends the state exit 6 and name the holder; plan does not care."""
    made = applied(tmp_path)
    lock = Lock(tmp_path / "state/.lock")
    lock.acquire()
    try:
        for arguments in (("apply", "--auto-approve"), ("state", "rm", "clip/big"), ("state", "prune")):
            result = made.run(*arguments)
            assert (6, True) == (result.code, "state is locked by " in result.err), arguments
        assert 0 == made.run("plan").code
    finally:
        lock.release()
    assert 0 == made.run("apply", "--auto-approve").code


def test_empty_specs_over_a_state_are_refused(tmp_path):
    """Specs that declare nothing would retire everything: an error, unless allowed by name."""
    made = applied(tmp_path)
    made.write("specs/encodes.yaml", "version: 1\nproject: test\n")

    assert 1 == made.run("plan").code
    assert "2 to retire" in made.run("plan", "--allow", "empty").ok().out


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def served(folder):
    """The folder on loopback; gives its URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def remote(url):
    """A spec whose source is a URL."""
    return ladder_spec(source=url)


def test_refresh_looks_at_remote_sources(tmp_path):
    """--refresh says of each remote source whether it answers and how large it is; the plan id stays the same."""
    made = desk(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files/a.mp4").write_bytes(b"x" * 1234)
    with served(tmp_path / "files") as url:
        made.write("specs/encodes.yaml", remote(f"{url}/a.mp4"))
        offline = made.run("plan").ok().out
        private = made.run("plan", "--refresh").ok().out
        looked = made.run("plan", "--refresh", "--allow-private-sources").ok().out
        made.write("specs/encodes.yaml", remote(f"{url}/missing.mp4"))
        missing = made.run("plan", "--refresh", "--allow-private-sources").ok().out

    assert "Not contacted: plan is offline" in offline
    assert "1,234 bytes" in looked
    assert "Not contacted" not in looked
    assert offline.partition("Plan id: ")[2].split()[0] == looked.partition("Plan id: ")[2].split()[0]
    assert "404" in missing
    assert "--allow-private-sources" in private


def test_refresh_says_when_there_is_nothing_to_look_at(tmp_path):
    """Generated sources and no job in flight: said in one line."""
    assert "no job is in flight and no remote source will be read" in desk(tmp_path).run("plan", "--refresh").ok().out


def test_signatures_appear_nowhere(tmp_path):
    """The signature of a source is in no screen, event, saved plan or error."""
    made = Desk(tmp_path)
    signed = "https://127.0.0.1:9/a.mp4?X-Amz-Signature=S3CRET&X-Amz-Algorithm=a&X-Amz-Credential=S3CRET"
    made.write("specs/encodes.yaml", remote(signed))
    runs = [
        made.run("plan", *more).ok()
        for more in ((), ("--detail",), ("--json",), ("--show-commands",), ("--refresh",), ("--out", "p.json"))
    ]
    runs += [made.run("explain", "clip/big"), made.run("show", "p.json"), made.run("apply", "--auto-approve")]
    made.write("specs/encodes.yaml", remote(signed).replace("outputs: [big", "outputs: [wrong"))
    runs.append(made.run("plan"))

    assert [] == [run for run in runs if "S3CRET" in run.out + run.err]
    assert "S3CRET" not in (tmp_path / "p.json").read_text()
    assert "S3CRET" not in (tmp_path / "state/encodes.json").read_text()


def test_generated_sources_are_planned_offline(tmp_path):
    """A generated source is not called remote."""
    assert "Source " not in desk(tmp_path, source=generated()).run("plan").ok().out


def test_a_saved_rerun_is_done_once(tmp_path):
    """Applying the file again finds nothing left; what was not rerun yet is."""
    made = applied(tmp_path)
    made.run("plan", "--rerun", "clip", "--out", "p.json").ok()
    time.sleep(1.1)  # a plan's time is known to the second
    made.run("apply", "p.json").ok()
    once = made.records()
    again = made.run("apply", "p.json").ok()

    assert (2, 2) == (once["clip/big"]["attempt"], once["clip/small"]["attempt"])
    assert once == made.records()
    assert "No changes." in again.out


def test_detail_of_a_rerun_adds_no_fields(tmp_path):
    """What stays as it is has no sign."""
    out = applied(tmp_path).run("plan", "--detail", "--rerun", "clip/big").ok().out

    assert "        video.crf" in out
    assert "      + " not in out


def test_a_program_that_is_no_ffmpeg_uses_up_no_attempt(tmp_path):
    """It is refused before anything starts; where nothing is encoded it does not matter."""
    made = desk(tmp_path)
    made.environment["RECONCILER_FFMPEG"] = shutil.which("true")
    refused = made.run("apply", "--auto-approve")

    assert (1, True) == (refused.code, "is not ffmpeg" in refused.err)
    assert {} == made.json("state", "list")


def test_an_encode_and_its_master_renamed_in_one_edit(tmp_path):
    """Both names at once are a free Move: nothing is encoded, and the next plan has nothing to do."""
    made = desk(tmp_path)
    work = tmp_path / "outputs/clip/big.mp4"
    made.run("apply", "--auto-approve").ok()
    (tmp_path / "masters").mkdir()
    (tmp_path / "masters/old.mp4").write_bytes(work.read_bytes())
    text = "project: test\nencodes:\n  {name}:\n    source: masters/{file}.mp4\n    outputs: [audio-aac]\n"
    made.write("specs/encodes.yaml", text.format(name="before", file="old"))
    made.run("apply", "--auto-approve").ok()
    (tmp_path / "masters/old.mp4").rename(tmp_path / "masters/new.mp4")
    made.write("specs/encodes.yaml", text.format(name="after", file="new"))

    assert "after/audio-aac" in made.run("plan").ok().out
    made.run("apply", "--auto-approve").ok()
    records = made.records()
    assert "before/audio-aac" not in records
    assert ("complete", 1, "masters/new.mp4") == (
        records["after/audio-aac"]["status"],
        records["after/audio-aac"].get("attempt", 1),
        records["after/audio-aac"]["source"]["identity"],
    )
    assert "No changes" in made.run("plan").ok().out


def test_a_variable_that_is_not_set_uses_up_no_attempt(tmp_path):
    """However often an apply runs without the URL of a source, the output is tried as soon as it is there."""
    made = desk(tmp_path)
    source = '{id: clip, url: "${env.RECONCILER_CLIP}"}'
    made.write("specs/encodes.yaml", f"project: test\nencodes:\n  a: {{source: {source}, outputs: [audio-aac]}}\n")
    for _ in range(3):
        result = made.run("apply", "--auto-approve")
        assert 3 == result.code
        assert "RECONCILER_CLIP is not set" in result.out + result.err
        assert "no attempt was used" in result.out + result.err
    record = made.records()["a/audio-aac"]
    assert ("failed", 0) == (record["status"], record.get("failures", 0))
