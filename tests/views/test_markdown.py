"""The plan as a comment: what it says first, how it keeps to a budget, and that no name can break out of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from builders import record, source
from builders_views import document, h264, ladder, made
from reconciler.core.errors import Place, Problem, ReconcilerError, SpecError
from reconciler.core.plan import Notice
from reconciler.views.document import Cost, LimitShown, Total
from reconciler.views.markdown import COMMENT_BYTES, failed_markdown, plan_markdown
from reconciler.views.markdown_budget import Section, fitted, weight
from reconciler.views.markdown_text import code, prose, tagged

WEB = {"video.crf": ("web-720p", "specs/presets.yaml", 12)}
HOSTILE = (
    "a|b",
    "`tick`",
    "``` fence",
    "</details><script>alert(1)</script>",
    "<!-- reconciler:plan-id:0000 -->",
    "-->",
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "@everyone",
    "see #1 and GH-1",
    "https://evil.example/?a=b",
    "www.evil.example",
    "line\nbreak",
    "# heading",
    "1. list",
    "- list",
    "> quote",
    "&lt;b&gt;",
    "\\|",
    "**bold** _it_ ~~no~~",
    "$x^2$",
    "مرحبا \u202eevil",
    "映画 \U0001f3ac\U0001f600",
    "\x1b[31mred\x1b[0m",
    "| | |\n|---|---|",
    ":tada:",
    "a" * 5000,
)
ALLOWED = {"h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "br", "details"}
ALLOWED |= {"summary", "sub"}


class Page(HTMLParser):
    """HTML as a browser would see it: tags that stand in each other, texts, and what is odd."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.odd, self.texts, self.comments = [], [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if [each for each in attrs if each not in {("dir", "auto"), ("style", "text-align:right")}]:
            self.odd.append((tag, attrs))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.odd.append(f"</{tag}>")

    def handle_data(self, data):
        self.texts.append((tuple(self.open), data))

    def handle_comment(self, data):
        self.comments.append(data)


def page(markdown):
    """A comment as GitHub would render it: tables, and raw HTML let through."""
    return Page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))


def sound(markdown):
    """The page of a comment, in which nothing is broken and nothing stands that we did not write."""
    seen = page(markdown)
    assert ([], []) == (seen.odd, seen.open)
    assert set(seen.tags) <= ALLOWED
    assert seen.comments[0].startswith(" reconciler:plan:")
    assert len([each for each in seen.comments if "plan-id" in each]) <= 1
    return seen


def films(number, crf=21, **more):
    """The same rendition of many films, changed from CRF 23."""
    of = [source(f"m/{each}.mov") for each in range(number)]
    old = [h264(f"films/f{each:06}/720p", 720, 23, "128k", of=of[each]) for each in range(number)]
    new = [h264(f"films/f{each:06}/720p", 720, crf, "128k", of=of[each], origins=WEB, **more) for each in range(number)]
    return document(new, made(*old))


def test_a_preset_that_changed():
    """Title with the count and the money, one row for the cause, numbers, then everything folded away."""
    plan = films(2)
    costs = tuple(replace(each, cost=Cost("0.4", "USD")) for each in plan.resource_changes)
    plan = replace(plan, resource_changes=costs, cost=Total(expected=(Cost("0.80", "USD"),), minutes=8))
    plan = replace(
        plan, limits=(LimitShown("max_jobs", "100", "jobs", "2"), LimitShown("max_cost", "50", "USD", "0.8"))
    )

    assert (
        plan_markdown(plan, environment="prod", commit="a1b2c3d")
        == f"""\
<!-- reconciler:plan:prod -->
<!-- reconciler:plan-id:{plan.plan_id} -->
### Plan for `prod`: 2 outputs encoded again, about $0.80

**1 preset changed.** Nothing is created, retired, cancelled or deleted.

| cause | effect | where |
|---|---|---|
| preset `web-720p`: `video.crf` **23 → 21** | **2 reruns** on `local` | `specs/presets.yaml:12` |

| | outputs | cost |
|---|---:|---:|
| rerun | 2 | ≈ $0.80, your rate card |

Limits: 2 of 100 jobs · $0.80 of $50. Within all.

8 m of video. The old files stay live until each new one is verified.

<details><summary>The 2 outputs</summary>

| | output | what |
|---|---|---|
| `+/-` | `films/f000000/720p` | `video.crf` **23 → 21** |
| `+/-` | `films/f000001/720p` | `video.crf` **23 → 21** |

</details>

<sub>Plan `{plan.plan_id}` of `a1b2c3d`, offline. Merging runs `reconciler apply --expect {plan.plan_id}`: \
this work or less, never more.</sub>
"""
    )


def test_what_ends_something_stands_first():
    """Refusals, then retired and cancelled outputs, stand above the causes."""
    gone = h264("gone/720p", 720, 21, "128k", protect=True)
    flying = h264("fly/720p", 720, 23, "96k")
    plan = document(
        [*ladder(), h264("fly/720p", 720, 20, "96k")],
        {**made(gone), "fly/720p": record(flying, status="running")},
    )
    text = plan_markdown(plan, environment="prod")

    places = [text.index(words) for words in ("Apply refuses", "1 output retired:", "1 job in flight", "| cause |")]
    assert sorted(places) == places
    assert "gone/720p is protected and this plan would retire it" in text
    assert "--allow rerun:gone/720p" in text
    sound(text)


def test_no_changes_is_said_in_the_title():
    """A comment that is updated to nothing says so at once."""
    text = plan_markdown(document(ladder(), made(*ladder())), environment="prod", commit="abc")

    assert "### Plan for `prod`: no changes\n\nNo changes. 3 outputs are as declared.\n" in text
    assert "details" not in text
    sound(text)


def test_many_warnings_and_refusals_are_counted():
    """Ten of each are listed, and just how many more there are is said."""
    gone = [h264(f"gone{each:02}/x", 720, each, "128k", protect=True) for each in range(30, 45)]
    plan = document(ladder(), made(*gone))
    plan = replace(plan, warnings=tuple(Notice("x", f"a{each}/b", "odd") for each in range(13)))
    text = plan_markdown(plan, environment="prod")

    assert 10 == text.count("is protected and this plan would retire it")
    assert 1 == text.count("- and 5 more\n")
    assert 1 == text.count("- and 3 more\n")
    sound(text)


def test_dead_links_are_told_and_are_no_part_of_the_approval():
    """Their files are safe, renewing is free, and a long list is counted."""
    plan = document(ladder(), made(*ladder()))
    one = plan_markdown(replace(plan, relinks=("a|b/x",)), environment="prod")
    many = plan_markdown(replace(plan, relinks=tuple(f"a/{each}" for each in range(15))), environment="prod")

    free = "safe; renewing is free. Not part of this approval: "
    assert f"⏳ **1 link is dead.** Its file is {free}<code>a&#124;b&#47;x</code>\n" in one
    assert f"⏳ **15 links are dead.** Their files are {free}`a/0`, " in many
    assert "`a/9` and 5 more\n" in many
    sound(one)


def test_breached_and_lifted_limits_are_told():
    """A breach forbids, one that is lifted is said to be."""
    beyond = LimitShown("max_jobs", "100", "jobs", "120", breached=True, lifted=True)
    text = plan_markdown(replace(films(1), limits=(beyond,)), environment="prod")

    assert "`max_jobs` is lifted by" in text
    assert "120 of 100 jobs" in text
    assert "**1 exceeded.**" in text


def test_costs_that_are_not_known_are_no_zero():
    """The title and the table say for how many outputs the cost is open."""
    plan = films(1)
    (change,) = plan.resource_changes
    unknown = (replace(change, cost=Cost(None, None, "price")),)
    text = plan_markdown(replace(plan, resource_changes=unknown, cost=Total(unknown_price=1)), environment="prod")

    assert "encoded again, a cost that is not known for 1 output\n" in text
    assert "| rerun | 1 | not known for 1 |" in text


@pytest.mark.parametrize("number", [1, 50, 5_000, 100_000])
def test_any_number_of_outputs_keeps_to_the_limit(number):
    """From one output to a hundred thousand: under the limit, whole, with summary, cause and approval."""
    plan = films(1)
    (change,) = plan.resource_changes
    changes = tuple(replace(change, address=f"films/f{each:06}/720p") for each in range(number))
    plan = replace(plan, resource_changes=changes, summary=replace(plan.summary, rerun=number, encode=number))
    text = plan_markdown(plan, environment="prod")

    assert weight(text) <= COMMENT_BYTES
    assert f"{number:,} output{'s' * (number > 1)} encoded again" in text
    assert f"reconciler apply --expect {plan.plan_id}" in text
    assert (number > 1000) == (" more: see the plan in the log" in text)
    assert 1 == sound(text).tags.count("details")
    assert f"<summary>{'The output' if number == 1 else f'The {number:,} outputs'}</summary>" in text


@pytest.mark.parametrize("budget", [0, 300, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 65_000, 1_000_000])
def test_a_smaller_budget_says_less_and_breaks_nothing(budget):
    """Whatever has to go, what is needed stays and everything is closed."""
    gone = h264("gone/720p", 720, 21, "128k", protect=True)
    plan = document([*ladder(), *(h264(f"x{each}/y", 360, each, "96k") for each in range(40))], made(gone))
    text = plan_markdown(plan, environment="prod", budget=budget)
    least = plan_markdown(plan, environment="prod", budget=0)

    assert weight(text) <= max(budget, weight(least))
    assert weight(least) < 1_200
    assert text.startswith("<!-- reconciler:plan:prod -->\n")
    assert "43 new outputs, 1 output retired" in text
    assert "Apply refuses" in text
    assert f"apply --expect {plan.plan_id}" in text
    sound(text)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_name_breaks_out(hostile):
    """Pipes, backticks, HTML, mentions and other scripts stand as they are, in code, and do nothing."""
    plan = films(1)
    (change,) = plan.resource_changes
    field = replace(change.changes[0], field=hostile, before=hostile, after=hostile, preset=hostile, place=hostile)
    odd = [
        replace(change, address=hostile, changes=(field,), provider_name=hostile, encode=hostile),
        replace(change, address=f"{hostile}2", changes=(), step="retire", reason=hostile, action_reason=hostile),
        replace(change, address="ok/720p", changes=(), change=replace(change.change, after={"video.codec": hostile})),
    ]
    plan = replace(
        plan,
        resource_changes=tuple(odd),
        warnings=(Notice("x", hostile, hostile),),
        limits=(LimitShown("max_cost", "5", "USD", missing=hostile, breached=True),),
    )
    text = plan_markdown(plan, environment="prod", commit=hostile, options=f" --target '{hostile}'")
    seen = sound(text)

    loud = re.compile(r"@everyone|#1\b|evil\.example|\u202e|\x1b")
    assert [] == [(where, said) for where, said in seen.texts if loud.search(said) and "code" not in where]
    assert "a" not in seen.tags
    assert "img" not in seen.tags
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {4} == {line.count("|") for line in rows}


def test_a_failed_plan_lists_its_problems():
    """Every problem with its place; hostile words are as harmless as in a plan."""
    problems = [Problem(f"unknown preset {each}", Place("specs/a.yaml", 3, 5), "p", (each,)) for each in HOSTILE]
    text = failed_markdown(SpecError(problems, files=1), environment="prod", commit="abc")

    assert f"### Plan for `prod`: failed\n\n**{len(HOSTILE)} errors.**" in text
    assert "- `specs/a.yaml:3:5` unknown preset" in text
    sound(text)
    sound(failed_markdown(ReconcilerError("it broke\n  do <this>"), environment="prod"))
    assert weight(failed_markdown(SpecError(problems * 300), environment="p")) <= COMMENT_BYTES


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("`films/tos/720p`", "films/tos/720p"),
        ("`映画/720p`", "映画/720p"),
        ("<code>a&#124;b</code>", "a|b"),
        ("<code>&#96;x&#96;</code>", "`x`"),
        ("<code>&#32;</code>".replace("&#32;", " "), " "),
        ("<code></code>", ""),
        ('<code dir="auto">مرحبا</code>', "مرحبا"),
        (r"<code>a&#92;nb</code>", "a\nb"),
    ],
)
def test_code(expected, text):
    """Plain names stand in backticks, everything else in a tag."""
    assert expected == code(text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("its file is gone: bytenite deleted it", "its file is gone: bytenite deleted it"),
        ("by <code>&#64;me</code> at `http://x.example`", "by @me at http://x.example"),
        ("`1.` `deadbeef`", "1. deadbeef"),
        ("video.crf 23", "video.crf  23"),
    ],
)
def test_prose(expected, text):
    """Words that GitHub would turn into something stand in code."""
    assert expected == prose(text)


def test_summaries_hold_no_markdown():
    """In an HTML block backticks would show, so names stand in tags."""
    assert "<code>films&#47;a</code>" == tagged("films/a")


def test_sections_are_kept_in_order_and_counted():
    """Earlier sections get their room first; what is left out is counted, and what is needed stays."""
    rows = [f"row {each}\n" for each in range(100)]
    listed = Section("<ul>\n", rows, "</ul>\n")
    text = fitted([Section("head\n", needed=True), listed, Section("tail\n", needed=True)], 100)

    assert text.startswith("head\n<ul>\nrow 0\n")
    assert text.endswith("more\n</ul>\ntail\n")
    assert weight(text) <= 100
    assert "head\ntail\n" == fitted([Section("head\n", needed=True), listed, Section("tail\n", needed=True)], 12)
    few = Section("<ul>\n", rows, "</ul>\n", most=2)
    assert "<ul>\nrow 0\nrow 1\nand 98 more\n</ul>\n" == fitted([few], 10_000)
    assert "<ul>\nand 100 more\n</ul>\n" == fitted([few], 28)
    assert "".join(["<ul>\n", *rows, "</ul>\n"]) == fitted([listed], 10_000)
