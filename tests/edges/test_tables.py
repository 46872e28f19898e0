"""Tables that fan-outs read: CSV, JSON and YAML say the same things."""

from __future__ import annotations

import pytest

from builders_specs import encode, problems, write
from reconciler.edges.spec_files import load

BODY = """\
for_each: {file: TABLE}
source: https://x.org/${each.key}-${each.value.lang}.mp4
labels: {id: "${each.value.id}"}
outputs:
  x: {extends: web-720p, video: {height: "${each.value.height}"}}
"""
REST = "source: https://x.org/${each.key}.mp4\noutputs: [web-720p]"
TABLES = {
    "t.csv, key: slug": 'slug,lang,id,height\nbbb,en,007,480\n\ntos, nl ,"1,5",360\n',
    "t.json, key: slug": """[
        {"slug": "bbb", "lang": "en", "id": "007", "height": 480},
        {"slug": "tos", "lang": "nl", "id": "1,5", "height": 360}
    ]""",
    "t.json": '{"bbb": {"lang": "en", "id": "007", "height": 480}, "tos": {"lang": "nl", "id": "1,5", "height": 360}}',
    "t.yaml, key: slug": """
        - {slug: bbb, lang: en, id: "007", height: 480}
        - {slug: tos, lang: nl, id: "1,5", height: 360}
    """,
    "t.yml": 'bbb: {lang: en, id: 007, height: 480}\ntos: {lang: nl, id: "1,5", height: 360}\n',
}


@pytest.mark.parametrize("table", TABLES)
def test_every_kind_of_table(table, tmp_path):
    """Keys, columns, text that looks like a number and numbers come out alike."""
    write(tmp_path, {"specs/a.yaml": encode(BODY.replace("TABLE", table)), table.partition(",")[0]: TABLES[table]})
    found = {
        output.address: (output.source.identity, output.labels["id"], output.parameters.video.height)
        for output in load(tmp_path).desired.outputs
    }
    assert {
        "a/bbb/x": ("https://x.org/bbb-en.mp4", "007", 480),
        "a/tos/x": ("https://x.org/tos-nl.mp4", "1,5", 360),
    } == found


@pytest.mark.parametrize("name", ["names.json", "names.yaml"])
def test_a_list_of_names(name, tmp_path):
    """A file may be nothing but names."""
    body = f"for_each: {{file: {name}}}\n{REST}"
    write(tmp_path, {"specs/a.yaml": encode(body), name: '["bbb",\n"tos"]'})
    assert ["a/bbb/web-720p", "a/tos/web-720p"] == [output.address for output in load(tmp_path).desired.outputs]


def test_an_empty_cell_sets_nothing(tmp_path):
    """A cell without text is null: the preset's height stays away, as if it were not written."""
    table = "slug,lang,id,height\nbbb,en,1,\n"
    write(tmp_path, {"specs/a.yaml": encode(BODY.replace("TABLE", "t.csv, key: slug")), "t.csv": table})
    [output] = load(tmp_path).desired.outputs
    assert output.parameters.video.height is None


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("t.csv", "slug,lang,id,height\nbbb,en,1,480\na b,en,1,480\n", "t.csv:3:1"),
        ("t.json", '[\n  {"slug": "bbb"},\n  {"slug": "a b"}\n]', "t.json:3:3"),
        ("t.yaml", "- {slug: bbb}\n- {slug: a b}\n", "t.yaml:2:10"),
    ],
)
def test_a_row_has_its_place(name, text, place, tmp_path):
    """A problem of a row points into the table, whose line is shown."""
    body = f"for_each: {{file: {name}, key: slug}}\n{REST}"
    write(tmp_path, {"specs/a.yaml": encode(body), name: text})
    [problem] = problems(tmp_path)
    assert ('"a b" cannot be a name: it holds a space', place) == (problem.message, str(problem.place))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.json", '{"a": {}, "a": {}}', 'not usable JSON: key "a" is written twice'),
        ("t.json", '[{"slug": NaN}]', "not usable JSON: NaN is no number"),
        ("t.json", '["\\ud800"]', "not usable JSON: "),
        ("t.json", "[" * 100_000, "not usable JSON: nested too deeply"),
        ("t.json", "5", "for_each cannot be 5"),
        ("t.csv", "slug,slug\na,b\n", 'column "slug" is there twice'),
        ("t.csv", 'slug\n"a"b"\n', "not CSV: "),
        ("t.csv", "slug,lang\n,en\n", 'column "slug" is empty in this row'),
        ("t.csv", "slug\n" + "".join(f"s{n}\n" for n in range(100_001)), "t.csv has more than 100,000 rows"),
        ("t.yaml", "a: [", 'a "{" or "[" that is never closed'),
        ("t.yaml", "a: 1\n", "the values of a name are a mapping, not 1"),
    ],
    ids=range(11),
)
def test_tables_gone_wrong(name, text, message, tmp_path):
    """What is wrong with a table is told like what is wrong with a spec."""
    key = ", key: slug" if name == "t.csv" else ""
    body = f"for_each: {{file: {name}{key}}}\n{REST}"
    write(tmp_path, {"specs/a.yaml": encode(body), name: text})
    assert problems(tmp_path)[0].message.startswith(message)


def test_a_header_alone_is_an_empty_fan_out(tmp_path):
    """A table without rows is no mistake by itself."""
    body = f"for_each: {{file: t.csv, key: slug}}\n{REST}"
    write(tmp_path, {"specs/a.yaml": encode(body), "t.csv": "slug\n"})
    assert ("a",) == load(tmp_path).desired.empty


def test_references_are_not_read_out_of_tables(tmp_path):
    """A table is data: what looks like a reference in it is refused where it would be used."""
    body = "for_each: {file: t.csv, key: slug}\nsource: ${each.value.url}\noutputs: [web-720p]"
    write(tmp_path, {"specs/a.yaml": encode(body), "t.csv": "slug,url\nb,${env.HOME}\n"})
    [problem] = problems(tmp_path)
    assert "a source cannot hold control characters or a literal ${" == problem.message
