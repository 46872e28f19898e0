"""Everything that commands print as JSON is described by the schemas that `reconciler schema` prints."""

from __future__ import annotations

import inspect
import json
import signal
import time

import jsonschema
import pytest

from builders import output, record, source
from builders_commands import desk
from builders_project import Project, generated, ladder_spec, tiny
from builders_remote import instant_clip, remote_project
from builders_schemas import meets
from builders_server import serving_api
from builders_views import document
from reconciler.commands.kinds import Types
from reconciler.core import steps
from reconciler.core.delivery import Deliver
from reconciler.core.schema import spec_schema
from reconciler.core.state import JobRecord
from reconciler.views.document import write_document
from reconciler.views.document_schema import PRINTED, document_schema
from reconciler.views.event_types import LINES


@pytest.mark.parametrize("name", PRINTED)
def test_every_field_is_described_and_no_other_is_known(name):
    """A field without a sentence, or one that a reader could not expect, has no place in a published schema."""
    schema = document_schema(name, "1.2.3")
    jsonschema.Draft202012Validator.check_schema(schema)
    classes = schema["$defs"].values()

    assert [] == [each["title"] for each in classes if each["additionalProperties"] is not False]
    assert [] == [
        (each["title"], field)
        for each in classes
        for field, said in each["properties"].items()
        if not said["description"]
    ]
    assert "reconciler 1.2.3" in schema["description"]


def test_the_schemas_are_printed_by_name(tmp_path):
    """`reconciler schema` alone is that of specs; its help lists all others, and an unknown name is bad usage."""
    made = desk(tmp_path)
    told = {name: json.loads(made.run("schema", name).ok().out) for name in ("spec", *PRINTED)}
    listed = made.run("schema", "--help").ok().out

    assert spec_schema(Types()) == told["spec"] == json.loads(made.run("schema").ok().out)
    assert [f"reconciler {name}" for name in ("spec", *PRINTED)] == [each["title"] for each in told.values()]
    assert [] == [name for name in told if f"\n    {name} " not in listed]
    assert 64 == made.run("schema", "nothing").code


def test_editors_of_any_age_read_the_schema_of_specs():
    """Draft 07 and nothing newer: older language servers refuse what they do not know."""
    text = json.dumps(spec_schema(Types()))

    assert "http://json-schema.org/draft-07/schema#" == json.loads(text)["$schema"]
    assert [] == [word for word in ("$defs", "prefixItems", "unevaluated", "dependentSchemas") if f'"{word}' in text]


def every_step():
    """A plan with a step of every kind, a renewed link apart."""
    of = [source(f"m/{number}.mov") for number in range(12)]
    was = [output(f"e{number:02}/a", of=each, crf=30) for number, each in enumerate(of)]
    now = [output(f"e{number:02}/a", of=each, crf=20) for number, each in enumerate(of)]
    job = JobRecord(id="job-1", phase="started")
    before = record(was[5]).output
    wanted = {
        "create": now[0], "twin": output("zz/a", of=of[0], crf=20), "rerun": now[1], "retry": was[2],
        "resume": was[3], "supersede": now[4], "reuse": output("rr/a", of=of[5], crf=30), "kept": was[5],
        "move": output("mm/a", of=of[6], crf=30), "update": output("e07/a", of=of[7], crf=30, labels={"a": "b"}),
        "redeliver": output("e08/a", of=of[8], crf=30, deliver=Deliver(to="copies")),
    }  # fmt: skip
    records = {
        "e01/a": record(was[1]),
        "e02/a": record(was[2], "failed"),
        "e03/a": record(was[3], "running", job=job),
        "e04/a": record(was[4], "running", job=job),
        "e05/a": record(was[5], output=before),
        "e06/a": record(was[6]),
        "e07/a": record(was[7]),
        "e08/a": record(was[8]),
        "e09/a": record(was[9], protect=True),
        "e10/a": record(was[10], on_remove="delete"),
        "e11/a": record(was[11], "lost"),
    }
    return document([*wanted.values(), was[11]], records)


def test_a_plan_with_a_step_of_every_kind():
    """Whatever a plan can hold is in its schema: each kind of step, warnings and refusals."""
    plan = every_step()
    kinds = {name.lower() for name, each in vars(steps).items() if inspect.isclass(each) and hasattr(each, "symbol")}
    kinds -= {"newstep", "replacingstep", "updatingstep"}

    assert kinds == {each.step for each in plan.resource_changes}
    assert (["lost"], ["protect"]) == ([each.code for each in plan.warnings], [each.code for each in plan.refusals])
    meets("plan", json.loads(write_document(plan)))


def test_a_field_that_nobody_described_is_found():
    """The schemas are closed: one more field anywhere, and a plan does not meet its own any more."""
    plan = json.loads(write_document(every_step()))
    plan["resource_changes"][0]["cost"]["surprise"] = 1

    with pytest.raises(AssertionError, match="surprise"):
        meets("plan", plan)


def test_the_json_of_a_project_from_its_first_spec_to_its_last(tmp_path):
    """Every command that prints JSON, over new, failing, finished, changed, refused and retired outputs."""
    made = desk(tmp_path)
    said = [made.json("init")]
    made.write("m/broken.mov", "no video")
    made.write("specs/b.yaml", f"encodes: {{b: {{source: m/broken.mov, outputs: {{x: {tiny()}}}}}}}\n")
    kinds = {line["type"] for line in made.events("plan", "--max-jobs", "1", "--out", "plan.json")}
    meets("plan", made.json("show", "plan.json"))
    kinds |= {line["type"] for line in made.events("apply", "--auto-approve", "--canary", "1")}
    kinds |= {line["type"] for line in made.events("apply", "--auto-approve")}
    kinds |= {line["type"] for line in made.events("apply", "--auto-approve", "--max-jobs", "0", "--rerun", "clip")}
    assert {"failed", "complete"} == {each["status"] for each in made.json("status").values()}
    made.write("specs/b.yaml", "")
    made.write("specs/encodes.yaml", ladder_spec(crf=31))
    made.run("apply", "--auto-approve", "--allow", "rerun:clip/*").ok()
    kinds |= {line["type"] for line in made.events("validate")}
    made.write("specs/c.yaml", "encodes: {c: {source: a.mov, outputs: [nothing], extra: 1}}\n")
    for command in (("validate",), ("plan",), ("apply", "--auto-approve")):
        kinds |= {line["type"] for line in made.events(*command)}
    made.write("specs/c.yaml", "")
    said += [
        made.json("output"),
        made.json("show", "clip"),
        made.json("state", "list"),
        made.json("state", "show", "clip"),
        made.json("explain", "*"),
        made.json("explain", "--presets"),
        made.json("state", "mv", "clip/big", "clip/huge", "--dry-run"),
        made.json("state", "rm", "clip/big", "--dry-run"),
        made.json("state", "prune", "--delete-files"),
        made.json("status", "--expiring", "1h"),
    ]
    meets("state", json.loads((tmp_path / "state/encodes.json").read_text()))

    assert {line.__struct_config__.tag for line in LINES} - {"provider", "apply_progress"} == kinds


def test_what_is_retired_is_explained_to_programs_too(tmp_path):
    """An address that is recorded and no longer declared has its history, and no place."""
    made = desk(tmp_path)
    made.run("apply", "--auto-approve").ok()
    made.write("specs/encodes.yaml", ladder_spec().replace("[big, small]", "[big]"))
    told = made.json("explain", "clip/small")["clip/small"]

    assert (None, "retire", "complete") == (told["place"], told["change"]["step"], told["history"][-1]["status"])
    assert 64 == told["fields"]["video.height"]["value"]


def test_an_apply_that_is_stopped_tells_its_end_as_json(tmp_path):
    """Every line before and after the interrupt is in the schema; the last one is the outcome with the exit code."""
    project = Project(tmp_path)
    project.write("specs/encodes.yaml", ladder_spec(seconds=600, source=generated(600, size="640x360")))
    process = project.start("apply", "--auto-approve", "--json")
    lines = [json.loads(process.stdout.readline()) for _ in range(5)]
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    lines += map(json.loads, out.splitlines())

    assert [("outcome", 130, True)] == [
        (line["type"], line["exit_code"], line["interrupted"])
        for line in [meets("events", each) for each in lines][-1:]
    ]


def test_the_json_of_remote_jobs(tmp_path):
    """What is said of providers, links, expiry and money is described, too."""
    with serving_api(tmp_path, instant=instant_clip(tmp_path)) as api:
        project = remote_project(tmp_path / "project", api)
        kinds = set()
        for command in (("validate", "--online"), ("plan",), ("apply", "--auto-approve", "--max-jobs", "9")):
            lines = project.run(*command, "--json").out.splitlines()
            kinds |= {meets("events", json.loads(line))["type"] for line in lines}
        for command in ("status", "output", "explain"):
            meets(
                command, json.loads(project.run(command, "--json", *(["*"] if command == "explain" else [])).ok().out)
            )
        meets("state", json.loads((project.folder / "state/encodes.json").read_text()))

    assert {"provider", "validated", "plan", "apply_start", "apply_complete", "outcome"} <= kinds
