"""What a plan will cost: by a rate card, else about what earlier jobs came to, else unknown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from msgspec.structs import replace as changed

from builders import desired, output, record, source, world
from reconciler.core.cost import Money
from reconciler.core.encode import ProviderSettings
from reconciler.core.estimates import FREE, Estimate, Estimator, Quote, amounts
from reconciler.core.guards import guards
from reconciler.core.limits import Limits
from reconciler.core.plan import make_plan
from reconciler.core.selection import Selection
from reconciler.core.state import EndedAttempt, JobRecord, OutputRecord
from reconciler.core.steps import Create, Reason
from reconciler.ffmpeg.kind import FfmpegOptions


def paid(price=None):
    """A provider that costs money, by a rate card or not."""
    return {"cloud": ProviderSettings("cloud", "ffmpeg", FfmpegOptions(), paid=True, holds=True, price=price)}


def made(address, job, *, crf=23, of=None, seconds=120.0, cost="6 BYC", took=30.0):
    """A finished output, what its job cost and how long it took."""
    wanted = output(address, crf=crf, of=of, provider="cloud")
    file = OutputRecord(name=wanted.name, link="https://cdn.test/x", duration=seconds)
    return record(wanted, output=file, job=JobRecord(job, cost=cost, seconds=took))


def step(address="new/a", *, of=None, crf=23):
    """A first encode of a source of which nothing but a trim is known."""
    return Create(output(address, crf=crf, of=of, provider="cloud"), Reason("new", "new"))


TRIMMED = replace(source("masters/new.mov"), trim=replace(source().trim, end=60))
PAST = {
    "a/x": made("a/x", "j1"),
    "a/y": made("a/y", "j1", crf=26),
    "b/x": made("b/x", "j2", seconds=60.0, cost="4 BYC"),
}


def test_a_rate_card_is_a_fact():
    """What the user declared wins over whatever earlier jobs came to."""
    found = Estimator(paid(Money(Decimal("0.05"), "USD")), PAST).estimate(step(of=TRIMMED))

    assert Estimate(Money(Decimal("0.0500"), "USD"), 60.0) == found


def test_without_one_jobs_that_made_the_same_are_gone_by():
    """The one job that made just this rendition cost 4 BYC for its minute; the one that made two is not like it."""
    found = Estimator(paid(), PAST).estimate(step(of=TRIMMED))

    assert Estimate(Money(Decimal("4.0000"), "BYC"), 60.0, jobs=1, likeness="same") == found


def test_outputs_of_one_job_are_compared_with_jobs_that_made_the_same_together():
    """Both renditions in one job: 6 BYC for four minutes of output."""
    both = [output(f"new/{name}", crf=crf, of=TRIMMED, provider="cloud") for name, crf in (("a", 23), ("b", 26))]
    found = Estimator(paid(), PAST, together=[both]).estimate(Create(both[0], Reason("new", "new")))

    assert Estimate(Money(Decimal("1.5000"), "BYC"), 60.0, jobs=1, likeness="same") == found


def test_then_jobs_of_the_same_codecs_and_sizes():
    """Another crf: all jobs whose outputs are as large and of these codecs, told as such."""
    found = Estimator(paid(), PAST).estimate(step(of=TRIMMED, crf=30))

    assert Estimate(Money(Decimal("2.0000"), "BYC"), 60.0, jobs=2, likeness="alike") == found


def test_then_all_jobs_of_the_provider():
    """Another container: two jobs made five minutes of other things for 10 BYC; not those of another provider."""
    wanted = Create(output("new/a", container="mkv", of=TRIMMED, provider="cloud"), Reason("new", "new"))
    elsewhere = {"e/x": made("e/x", "j9", cost="900 BYC")}
    elsewhere = {"e/x": changed(elsewhere["e/x"], provider="other")}
    found = Estimator(paid(), {**PAST, **elsewhere}).estimate(wanted)

    assert Estimate(Money(Decimal("2.0000"), "BYC"), 60.0, jobs=2, likeness="other") == found


def test_a_quote_is_what_the_provider_said():
    """Of all outputs of a job together, whatever a rate card or earlier jobs say; it counts once."""
    quote = Quote(Money(Decimal(124), "BYC"), ("new/a", "new/b"))
    quotes = dict.fromkeys(quote.addresses, quote)
    estimator = Estimator(paid(Money(Decimal("0.05"), "USD")), PAST, quotes=quotes)
    found = [estimator.estimate(step(address, of=TRIMMED)) for address in ("new/a", "new/b", "new/c")]

    assert [Estimate(seconds=60.0, quote=quote)] * 2 == found[:2]
    assert [Money(Decimal("0.0500"), "USD"), Money(Decimal(124), "BYC")] == list(amounts(found))


def test_without_either_nothing_is_guessed():
    """No rate card and no job that said what it cost: the price is unknown. A free provider costs nothing."""
    silent = {"a/x": made("a/x", "j1", cost=None), "b/x": made("b/x", "j2", cost="much")}

    assert "price" == Estimator(paid(), silent).estimate(step(of=TRIMMED)).unknown
    assert "duration" == Estimator(paid(), PAST).estimate(step(of=source("masters/who-knows.mov"))).unknown
    free = Create(output("new/a"), Reason("new", "new"))
    assert FREE == Estimator(desired().providers, PAST).estimate(free)


def test_a_job_of_which_an_output_has_no_known_length_says_nothing():
    """What was paid for an output that failed must not make the others look dear."""
    half = made("a/x", "j1", cost="10 BYC")
    failed = record(
        output("a/y", crf=26, provider="cloud"),
        "failed",
        history=(EndedAttempt(1, "2026-01-01T00:00:00Z", "failed", provider="cloud", job="j1", cost="10 BYC"),),
    )

    assert "price" == Estimator(paid(), {"a/x": half, "a/y": failed}).estimate(step(of=TRIMMED)).unknown


def test_attempts_whose_files_are_gone_are_gone_by_too():
    """The history of an output tells what its earlier jobs came to."""
    past = EndedAttempt(1, "2026-01-01T00:00:00Z", "complete", provider="cloud", job="j0", cost="2 BYC", duration=120.0)
    known = {"a/x": record(output("a/x", provider="cloud"), "retired", output=None, history=(past,))}

    assert (Money(Decimal("1.0000"), "BYC"), 1) == (
        (found := Estimator(paid(), known).estimate(step(of=TRIMMED))).money,
        found.jobs,
    )


def test_a_limit_rests_on_no_guess():
    """max_cost cannot be computed without a rate card, whatever earlier jobs came to."""
    wanted = replace(desired(step(of=TRIMMED).output), providers=paid())
    plan = make_plan(wanted, PAST, world(), Selection(limits=Limits(max_cost=(Money(Decimal(50), "BYC"),))))
    (cost,) = [guard for guard in guards(plan, wanted, PAST) if guard.key == "max_cost"]

    said = "providers.cloud.price is not declared, and no quote is known (--quote asks for one)"
    assert (None, said) == (cost.used, cost.missing)


def test_a_limit_rests_on_a_quote():
    """max_cost counts what the provider said that the job will cost."""
    wanted = replace(desired(step(of=TRIMMED).output), providers=paid())
    plan = make_plan(wanted, PAST, world(), Selection(limits=Limits(max_cost=(Money(Decimal(50), "BYC"),))))
    quote = Quote(Money(Decimal("50.5"), "BYC"), ("new/a",))
    (cost,) = [guard for guard in guards(plan, wanted, PAST, {"new/a": quote}) if guard.key == "max_cost"]

    assert (Decimal("50.5"), True) == (cost.used, cost.breached)


def test_time_is_learnt_from_jobs_that_made_the_same():
    """Half a minute of work for two minutes of source, by the one job that made just these renditions."""
    both = [
        output("new/a", crf=23, of=TRIMMED, provider="cloud"),
        output("new/b", crf=26, of=TRIMMED, provider="cloud"),
    ]
    estimator = Estimator(paid(), PAST)

    def work(outputs, provider="cloud"):
        seconds, rate = estimator.work(provider, outputs)
        return round(seconds, 3), rate.jobs, rate.likeness

    assert (15.0, 1, "same") == work(both)
    assert (30.0, 1, "same") == work(both[:1])
    assert (20.0, 2, "alike") == work([output("new/c", crf=40, of=TRIMMED, provider="cloud")])
    assert (20.0, 2, "other") == work([output("new/c", container="mkv", of=TRIMMED, provider="cloud")])
    assert estimator.work("local", both) is None
