"""Whatever stands in a spec, it is read or told: no other error comes out."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from builders_specs import HEAD, URL, WEB
from reconciler.commands.kinds import knowledge
from reconciler.core.errors import Place, SpecError
from reconciler.core.namespace import Document, gather
from reconciler.core.nodes import from_plain
from reconciler.core.resolve import Resolver
from reconciler.core.sources import Trust
from reconciler.edges.yaml_nodes import read_yaml
from reconciler.views.problems import error_text

GOOD = f"""\
{HEAD}{WEB}
  small: {{extends: [web-720p], video: {{height: 480, fps: {{max: 30}}, crop: {{top: 2}}, pad: {{aspect: 16:9}}}}}}
variables: {{cdn: https://x.org, q: 26}}
providers: {{studio: {{type: ffmpeg, threads: 2}}}}
defaults: {{protect: true, labels: {{a: b}}, provider: studio}}
encodes:
  one:
    source: {{url: {URL}, trim: {{start: 2s, end: 00:01:30}}, ignore_query: [t]}}
    outputs: [web-720p, 480p-h264]
  many:
    for_each: {{b: {{lang: en}}, c: {{lang: nl}}}}
    source: ${{var.cdn}}/${{each.key}}.mp4
    labels: {{lang: "${{each.value.lang}}"}}
    outputs: {{x: small, y: {{extends: small, attempts: 1, video: {{crf: "${{var.q}}"}}}}}}
  table:
    for_each: {{file: t.csv, key: slug}}
    source: ${{each.value.url}}
    outputs: {{z: {{container: m4a, audio: {{codec: aac, bitrate: 96k}}}}}}
"""
_VALUE = re.compile(r"(?<=[:\[,] )[^,\]}\n]+")
_SPANS = [match.span() for match in _VALUE.finditer(GOOD)]

ODD = st.sampled_from(
    [
        *("null", "", "[]", "{}", "[1]", "{a: b}", "true", "5", "-1", "1e400", ".nan", "'x'", "none", "0x10", "1:30"),
        *("${var.q}", "${var.nope}", "${each.key}", "${each.value.x}", "${env.HOME}", "$${x}", '"${"', "*a", "&a b"),
        *("'../x'", "https://x/y?z", "s3://a/b", "lavfi:movie=x", "!!str x", '"\\0"', '"\\u202e"', "[[[[]]]]"),
        *("small", "web-720p", "{extends: small}", "[web-720p, 5, null]", "{glob: '*'}", "{file: x.csv, key: 5}"),
        *("999999999999999999999999", "{codec: none}", "720p-h264", "|", "{max: 5}", "h265"),
    ]
)
TABLE = st.sampled_from(
    [None, [], {}, "x", [1, {"slug": "a"}], {"a": {"b": 1}}, [{"slug": None}], [{"slug": "a", "url": URL}], [["x"]]]
)


def _told(text, table):
    """Everything that is wrong with a text, also as a screen; a table answers every request."""
    problems = []
    root, found = read_yaml(text, "specs/a.yaml")
    namespace = gather([Document("specs/a.yaml", root)], problems, incomplete=bool(found))
    resolver = Resolver(namespace, {"q": "3"}, Trust(), knowledge())
    answers = {request: from_plain(table, Place("t.csv", 1, 1)) for request in resolver.requests()}
    problems += [*found, *resolver.resolve(answers).problems]
    assert error_text(SpecError(problems, texts={"specs/a.yaml": text.split("\n")}))
    return problems


def test_the_good_one_is_good():
    """Nothing is wrong with the spec that the others begin with."""
    assert [] == _told(GOOD, [{"slug": "a", "url": URL}])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(_SPANS), ODD), min_size=1, max_size=3, unique_by=lambda each: each[0]), TABLE)
def test_any_value_anywhere(changes, table):
    """A value of any kind in any place is taken or told, and every problem has a place in the file or in a table."""
    text = GOOD
    for (start, end), odd in sorted(changes, reverse=True):
        text = text[:start] + odd + text[end:]
    for problem in _told(text, table):
        assert problem.message
        assert problem.place is None or problem.place.file in {"specs/a.yaml", "t.csv"}
        assert problem.place is None or problem.place.line <= text.count("\n") + 1


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, 9), st.text("\t \n:{}[]-#&*é\x00'\"|>%@?<$0a", max_size=3)),
        min_size=1,
        max_size=4,
    )
)
def test_any_text(edits):
    """Letters lost and added anywhere are YAML or are told; nothing else is raised."""
    text = GOOD
    for position, lost, added in edits:
        text = text[:position] + added + text[position + lost :]
    assert isinstance(_told(text, None), list)
