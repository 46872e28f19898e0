"""Until when files live that only their provider holds, told before anybody starts them."""

from __future__ import annotations

import pytest

from builders_views import document, h264
from reconciler.bytenite.kind import ByteniteOptions
from reconciler.core.delivery import Deliver
from reconciler.core.encode import ProviderSettings
from reconciler.views.keeping import kept_sentences
from reconciler.views.markdown import plan_markdown
from reconciler.views.plan_text import plan_text


def planned(*delivered, **said):
    """The plan of an output for each of `delivered`, which is whether it is copied to a place of one's own."""
    options = ByteniteOptions.model_validate({"type": "bytenite", **said})
    cloud = ProviderSettings("cloud", "bytenite", options, paid=True, holds=True)
    wanted = [
        h264(f"bbb/{n}p", 90 + n, 23, "128k", provider="cloud", deliver=Deliver("s3://site/t") if copied else None)
        for n, copied in enumerate(delivered)
    ]
    return document(wanted, providers={"cloud": cloud})


def test_the_plan_says_when_files_are_deleted():
    """In text and in Markdown, and how many outputs nobody copies until then."""
    said = "cloud deletes files 2 d after their job; 2 outputs without deliver: will be gone then."
    plan = planned(False, True, False)

    assert [said] == list(kept_sentences(plan))
    assert said in " ".join(plan_text(plan).split())
    assert said in plan_markdown(plan, environment="prod").replace("\\", "")
    assert (172800.0, 1) == (plan.jobs[0].kept_seconds, plan.jobs[0].copied)


@pytest.mark.parametrize(
    "plan",
    [
        planned(True, True),
        planned(False, destination="s3://mine/out", stores={"s3": {"secret_id": "x"}}),
        document([h264("bbb/720p", 720, 23, "128k")]),
    ],
    ids=["copied", "a bucket of one's own", "this machine"],
)
def test_what_stays_is_not_worth_a_word(plan):
    """Copies, what is written to one's own bucket, and what is made here."""
    assert [] == list(kept_sentences(plan))


def test_another_retention_is_told_as_it_is():
    """The spec says how long this server keeps files."""
    assert ["cloud deletes files 20 s after their job; 1 output without deliver: will be gone then."] == list(
        kept_sentences(planned(False, retention="20s"))
    )
