"""Limits: which ones hold, what a plan comes to, and what cannot be computed."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec.structs import replace as changed

from builders import desired, file_of, output, record, source, world
from reconciler.core.cost import Money
from reconciler.core.encode import ProviderSettings, Trim
from reconciler.core.errors import UsageError
from reconciler.core.guards import default_canary, guards, limit_refusals
from reconciler.core.limits import Limits, strictest
from reconciler.core.plan import make_plan
from reconciler.core.selection import Selection
from reconciler.core.state import JobRecord
from reconciler.ffmpeg.kind import FfmpegOptions

PRICE = Money(Decimal("0.10"), "USD")


def usd(text):
    """An amount that limits may hold."""
    return (Money(Decimal(text), "USD"),)


def minute(number, *, provider="cloud", crf=23, minutes=1):
    """An output of its own encode, one minute long."""
    of = replace(source(f"m/{number}.mov"), trim=Trim(0, 60 * minutes))
    return output(f"e{number:03}/720p", of=of, provider=provider, crf=crf)


def judged(outputs, records=None, *, limits=None, price=PRICE, **selection):
    """The guards of a plan on one provider that costs money and one that does not."""
    records = records or {}
    paid = ProviderSettings("cloud", "bytenite", FfmpegOptions(), paid=True, price=price)
    wanted = desired(*outputs)
    wanted = replace(wanted, providers={**wanted.providers, "cloud": paid}, limits=limits or Limits())
    plan = make_plan(wanted, records, world(*records.values()), Selection(**selection))
    return guards(plan, wanted, records)


def breached(*arguments, **more):
    """The keys of the limits that are breached."""
    return [guard.key for guard in judged(*arguments, **more) if guard.breached]


def reruns(number, of, *, provider="cloud"):
    """So many finished outputs, of which some are wanted otherwise."""
    made = [minute(each, provider=provider) for each in range(of)]
    wanted = [minute(each, provider=provider, crf=20) if each < number else made[each] for each in range(of)]
    return wanted, {each.address: record(each) for each in made}


@pytest.mark.parametrize(("expected", "number"), [([], 99), ([], 100), (["max_jobs"], 101)])
def test_a_hundred_paid_jobs_by_default(expected, number):
    """Without a word in the specs a plan may start a hundred jobs that cost money."""
    assert expected == breached([minute(each) for each in range(number)])


def test_free_jobs_are_not_limited_by_default():
    """Jobs on this machine count only where somebody sets a limit, and then all jobs count."""
    outputs = [minute(each, provider="local") for each in range(101)]

    assert () == judged(outputs)
    assert ["max_jobs"] == breached([*outputs[:2], minute(900)], limits=Limits(max_jobs=2))


def test_a_declared_limit_replaces_the_default():
    """Who writes 200 gets 200, and who writes 5 gets 5."""
    outputs = [minute(each) for each in range(150)]

    assert [] == breached(outputs, limits=Limits(max_jobs=200))
    assert ["max_jobs"] == breached(outputs[:6], limits=Limits(max_jobs=5))


@pytest.mark.parametrize(("expected", "number"), [([], 2), ([], 3), (["max_jobs"], 4)])
def test_max_jobs(expected, number):
    """Jobs are counted, not outputs; a limit itself may be reached."""
    outputs = [minute(each) for each in range(number)]
    beside = [output(f"{each.encode}/480p", of=each.source, provider="cloud", crf=30) for each in outputs]

    assert expected == breached([*outputs, *beside], limits=Limits(max_jobs=3))


@pytest.mark.parametrize(("expected", "number"), [([], 4), ([], 5), (["max_cost"], 6)])
def test_max_cost(expected, number):
    """Ten cents a minute: five minutes are just fifty cents."""
    assert expected == breached([minute(each) for each in range(number)], limits=Limits(max_cost=usd("0.50")))


def test_money_in_another_currency_is_never_compared():
    """A plan in a currency without a limit refuses, and says so."""
    (_, guard) = sorted(
        judged([minute(1)], limits=Limits(max_cost=(Money(Decimal(9), "EUR"),))),
        key=lambda guard: guard.key != "max_jobs",
    )

    assert (None, True) == (guard.used, guard.breached)
    assert "the plan costs USD, for which no max_cost is set" == guard.missing


@pytest.mark.parametrize(("expected", "minutes"), [([], 9), ([], 10), (["max_minutes"], 10.01)])
def test_max_minutes(expected, minutes):
    """Minutes of output, wherever they are encoded."""
    outputs = [minute(1, provider="local", minutes=5), minute(2, minutes=minutes - 5)]

    assert expected == breached(outputs, limits=Limits(max_minutes=10))


@pytest.mark.parametrize(("expected", "number"), [([], 2), ([], 3), (["max_rerun_percent"], 4)])
def test_thirty_percent_of_ten_by_default(expected, number):
    """Of ten finished outputs three may be encoded again for money."""
    assert expected == breached(*reruns(number, 10))


@pytest.mark.parametrize(("expected", "existing"), [([], 9), (["max_rerun_percent"], 10), (["max_rerun_percent"], 11)])
def test_few_outputs_are_not_guarded(expected, existing):
    """Below ten finished outputs the percentage says nothing."""
    assert expected == breached(*reruns(existing, existing))


@pytest.mark.parametrize(("expected", "existing"), [([], 2), (["max_rerun_percent"], 3), (["max_rerun_percent"], 4)])
def test_min_existing_is_theirs(expected, existing):
    """min_existing moves that line."""
    assert expected == breached(*reruns(existing, existing), limits=Limits(min_existing=3))


@pytest.mark.parametrize(("expected", "number"), [([], 4), ([], 5), (["max_rerun_percent"], 6)])
def test_max_rerun_percent(expected, number):
    """A percentage that somebody gave counts free encodes, too."""
    assert expected == breached(*reruns(number, 10, provider="local"), limits=Limits(max_rerun_percent=50))


def test_new_outputs_are_no_reruns():
    """A catalogue that grows is not one that is encoded again."""
    wanted, records = reruns(0, 10)

    assert [] == breached([*wanted, *(minute(each) for each in range(10, 60))], records)


@pytest.mark.parametrize(
    ("missing", "price", "length"),
    [
        ("providers.cloud.price is not declared, and no quote is known (--quote asks for one)", None, 1),
        (
            "the length of the source of e001/720p is not known before it was encoded once, or trimmed",
            PRICE,
            None,
        ),
    ],
)
def test_a_cost_that_is_not_known_refuses(missing, price, length):
    """What cannot be computed is no zero: the plan is refused, and the missing fact named."""
    wanted = minute(1)
    wanted = wanted if length else replace(wanted, source=source("m/1.mov"))
    (guard,) = (
        guard for guard in judged([wanted], limits=Limits(max_cost=usd("50")), price=price) if guard.key == "max_cost"
    )
    (refusal,) = limit_refusals([guard])

    assert (None, missing) == (guard.used, guard.missing)
    assert f"max_cost is 50 USD, and what the plan comes to cannot be computed: {missing}" == refusal.sentence
    assert refusal.lift.endswith("or let this plan through with --allow max_cost")


def test_unknown_lengths_of_many_are_counted():
    """A long list of what is not known stays a sentence."""
    outputs = [output(f"x{each}/720p", of=source(f"{each}.mov")) for each in range(9)]
    (guard,) = judged(outputs, limits=Limits(max_minutes=1))

    assert "the length of the source of x0/720p, x1/720p, x2/720p and 6 more is not known" in guard.missing


def test_a_length_that_the_state_knows_is_used():
    """What was encoded before says how long its source is."""
    old, new = output(crf=30, provider="cloud"), output(crf=20, provider="cloud")
    known = record(old, output=changed(file_of(old), duration=120.0))
    found = {guard.key: guard.used for guard in judged([new], {old.address: known}, limits=Limits(max_cost=usd("1")))}

    assert Decimal("0.2") == found["max_cost"]


def test_allow_lifts_one_limit_by_its_name():
    """The breach is still told; only the refusal goes, and only of that limit."""
    found = judged([minute(1), minute(2)], limits=Limits(max_jobs=1, max_cost=usd("0.10")), allow=("max_jobs",))

    assert {"max_jobs", "max_cost"} == {guard.key for guard in found if guard.breached}
    assert ["max_cost"] == [refusal.code for refusal in limit_refusals(found)]


def test_the_words_of_refusals():
    """A refusal says what the plan comes to and what the limit is, never rounded to be equal."""
    wanted, records = reruns(4, 10)
    sentences = [
        refusal.sentence
        for refusal in limit_refusals(judged(wanted, records, limits=Limits(max_jobs=1, max_cost=usd("0.39999"))))
    ]

    assert [
        "the plan costs 0.4 USD, and max_cost is 0.39999 USD",
        "the plan starts 4 jobs, and max_jobs is 1 job",
        "the plan encodes again 4 of 10 finished outputs (40 %), and max_rerun_percent is 30 %",
    ] == sentences


def test_the_strictest_value_of_each_key_counts():
    """Specs and flags cannot loosen each other; what nobody gave stays open."""
    specs = Limits(max_cost=usd("50"), max_jobs=10, max_failures=3)
    flags = Limits(max_cost=(*usd("9"), Money(Decimal(5), "EUR")), max_jobs=20, min_existing=4)

    assert Limits(
        max_cost=(Money(Decimal(5), "EUR"), *usd("9")), max_jobs=10, min_existing=4, max_failures=3
    ) == strictest([specs, flags])
    assert Limits() == strictest([])


def test_flags_count_beside_the_specs():
    """--max-jobs may be stricter than the specs, not looser."""
    outputs = [minute(each) for each in range(5)]

    assert ["max_jobs"] == _with_flags(outputs, specs=9, flag=4)
    assert ["max_jobs"] == _with_flags(outputs, specs=4, flag=9)


def _with_flags(outputs, *, specs, flag):
    wanted = replace(desired(*outputs), limits=Limits(max_jobs=specs))
    plan = make_plan(wanted, {}, world(), Selection(limits=Limits(max_jobs=flag)))
    return [guard.key for guard in guards(plan, wanted, {}) if guard.breached]


def test_a_plan_that_encodes_nothing_has_no_limits():
    """Retiring, moving and recording are free and never limited."""
    gone = output(provider="cloud")

    assert () == judged(
        [output("other/720p")], {gone.address: record(gone), "other/720p": record(output("other/720p"))}
    )


def test_allow_names_are_checked():
    """A limit that is not known cannot be lifted."""
    with pytest.raises(UsageError, match="it takes empty, rerun:ADDR, max_cost, max_jobs"):
        judged([minute(1)], allow=("max_everything",))


@pytest.mark.parametrize("name", ["rerun:e0O1/720p", "rerun:", "rerun:e002/*"])
def test_what_is_allowed_to_run_again_is_an_address(name):
    """A name that matches none is a typing error, and is told before anybody waits for what it would let through."""
    with pytest.raises(UsageError, match=rf'--allow "{re.escape(name)}" matches no address'):
        judged([minute(1)], allow=(name,))
    assert judged([minute(1)], allow=("rerun:e001/*",))


def test_a_limit_of_any_size_can_be_told():
    """A number of hundreds of digits is written out, without a digit that it has not."""
    outputs = [minute(number, minutes=10**30) for number in range(2)]
    (refusal,) = limit_refusals(judged(outputs, limits=Limits(max_minutes=1e30, max_jobs=9)))

    assert "and max_minutes is 1000000000000000000000000000000 minutes" in refusal.sentence


@pytest.mark.parametrize(
    ("expected", "phase"), [("0.10", "intended"), ("0.10", "prepared"), ("0.10", "starting"), (None, "started")]
)
def test_a_job_that_was_begun_and_not_started_has_yet_to_be_paid(expected, phase):
    """An apply that stopped before the start has spent nothing: going on counts, until it is known that it started."""
    wanted = minute(1)
    begun = record(wanted, "submitted", output=None, job=JobRecord(id="job-1", phase=phase))
    found = judged([wanted], {wanted.address: begun}, limits=Limits(max_cost=usd("0.05")))

    assert expected == next((f"{guard.used:.2f}" for guard in found if guard.key == "max_cost"), None)
    assert (expected is not None) == any(guard.breached for guard in found)


@pytest.mark.parametrize(
    ("expected", "number", "provider"), [(0, 9, "cloud"), (1, 10, "cloud"), (1, 11, "cloud"), (0, 11, "local")]
)
def test_one_goes_first_where_one_cause_reruns_ten_paid_outputs(expected, number, provider):
    """Nine reruns, or reruns that cost nothing, need no canary."""
    wanted, records = reruns(number, 40, provider=provider)
    paid = ProviderSettings("cloud", "bytenite", FfmpegOptions(), paid=True)
    specs = desired(*wanted)
    specs = replace(specs, providers={**specs.providers, "cloud": paid})
    plan = make_plan(specs, records, world(*records.values()), Selection())

    assert expected == default_canary(plan, specs)
