"""Tables that fan-outs read: CSV, JSON and YAML say the same things."""

from __future__ import annotations

import os

import pytest

from builders_specs import encode, load, problems, write

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


def test_a_bad_cell_is_told_for_every_row(tmp_path):
    """Rows that are wrong in the same words, at the same place of the spec, are several problems."""
    table = "slug,lang,id,height\nbbb,en,1,99999\ntos,nl,2,99999\nok,nl,3,480\n"
    write(tmp_path, {"specs/a.yaml": encode(BODY.replace("TABLE", "t.csv, key: slug")), "t.csv": table})
    found = problems(tmp_path)
    assert ["a/bbb", "a/tos"] == [problem.member for problem in found]
    assert ['For "bbb", at t.csv:2:1.', 'For "tos", at t.csv:3:1.'] == [problem.hints[-1] for problem in found]


def test_what_no_row_says_is_told_once(tmp_path):
    """A mistake beside `${each...}` is one mistake, however many rows there are."""
    body = BODY.replace("TABLE", "t.csv, key: slug").replace("video: {", "video: {crf: 99, ")
    write(tmp_path, {"specs/a.yaml": encode(body), "t.csv": "slug,lang,id,height\na,en,1,480\nb,en,2,480\n"})
    [problem] = problems(tmp_path)
    assert "encodes.a.outputs.x.video.crf" == problem.path


def test_a_missing_column_is_marked_at_its_name(tmp_path):
    """The name that is wrong is marked, not the file."""
    text = encode(f"for_each: {{file: t.csv, key: slog}}\n{REST}")
    write(tmp_path, {"specs/a.yaml": text, "t.csv": "slug\na\nb\n"})
    [problem] = problems(tmp_path)
    line = text.splitlines()[problem.place.line - 1]
    assert "slog" == line[problem.place.column - 1 :][: problem.place.length]


@pytest.mark.parametrize(
    ("for_each", "sentence"),
    [
        ("{file: t.csv, key: slug}", 'encodes.a wants nothing: for_each file "t.csv" has no rows'),
        ('{glob: "m/*.mvo"}', 'encodes.a wants nothing: for_each glob "m/*.mvo" matches no file'),
        ("[]", "encodes.a wants nothing: its for_each has no names"),
    ],
)
def test_a_fan_out_over_nothing_is_a_warning(for_each, sentence, tmp_path):
    """It may be meant, and it may be a typing error: it is said."""
    write(tmp_path, {"specs/a.yaml": encode(f"for_each: {for_each}\n{REST}"), "t.csv": "slug\n"})
    assert (sentence,) == load(tmp_path).warnings


def test_null_is_no_fan_out_and_no_preset(tmp_path):
    """`for_each: null` and `extends: null` are as if they were not written."""
    body = "for_each: null\nsource: https://x.org/a.mp4\noutputs: {x: OUTPUT}"
    output = "{extends: null, container: mkv, video: {codec: h264, crf: 20}, audio: {codec: none}}"
    write(tmp_path, {"specs/a.yaml": encode(body.replace("OUTPUT", output))})
    assert ["a/x"] == [output.address for output in load(tmp_path).desired.outputs]


def test_what_is_no_file_is_no_table(tmp_path):
    """A pipe that nobody writes to is not waited for, nor is a file of its own name offered in its place."""
    write(tmp_path, {"specs/a.yaml": encode(f"for_each: {{file: rows.json}}\n{REST}")})
    os.mkfifo(tmp_path / "rows.json")
    [problem] = problems(tmp_path)
    assert ("rows.json is no regular file", ("Put a file in its place.",)) == (problem.message, problem.hints)
