"""Makes the document of a plan: every step with its reason, its changes and where they were written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from reconciler.core.approval import Refusal, plan_id, plan_lines
from reconciler.core.cost import Money, total
from reconciler.core.encode import Output, ProviderSettings, Source
from reconciler.core.estimates import FREE, NO_QUOTES, Estimate, Estimator, Quotes, amounts
from reconciler.core.guards import Guard
from reconciler.core.jobs import PlannedJob, plan_jobs
from reconciler.core.manifest import Difference
from reconciler.core.plan import Plan, counts
from reconciler.core.provider_types import ProviderOptions
from reconciler.core.state import Record
from reconciler.core.steps import (
    Create,
    Delete,
    EncodeStep,
    Move,
    Redeliver,
    Rerun,
    Resume,
    Retire,
    Retry,
    Reuse,
    ReuseTwin,
    Step,
    Supersede,
    Update,
)
from reconciler.views.document import (
    FORMAT,
    FORMAT_VERSION,
    VERSION,
    Basis,
    Change,
    ChangedField,
    Cost,
    JobShown,
    LimitShown,
    PlanDocument,
    ResourceChange,
    SourceShown,
    Summary,
    Total,
)
from reconciler.views.money import FARNESS


def plan_document(
    plan: Plan,
    *,
    providers: Mapping[str, ProviderSettings],
    records: Mapping[str, Record],
    basis: Basis,
    timestamp: str,
    tool_version: str,
    refused: Sequence[Refusal] = (),
    guards: Sequence[Guard] = (),
    findings: Sequence[str] = (),
    remarks: Sequence[str] = (),
    quotes: Quotes = NO_QUOTES,
) -> PlanDocument:
    """The whole plan as a document; `findings` are what `--refresh` saw, in sentences, `quotes` what providers said."""
    lines = plan_lines(plan)
    planned = plan_jobs(plan.project, encode_steps(plan))
    together = [job.request.outputs for job in planned]
    estimator = Estimator(providers, records, quotes=quotes, together=together)
    estimates = {step.address: estimator.estimate(step) for step in plan.steps}
    coming = {step.address for step in plan.steps if isinstance(step, EncodeStep | ReuseTwin)}
    return PlanDocument(
        format=FORMAT,
        version=VERSION,
        format_version=FORMAT_VERSION,
        tool_version=tool_version,
        timestamp=timestamp,
        project=plan.project,
        plan_id=plan_id(lines),
        lines=lines,
        selection=plan.selection,
        basis=basis,
        resource_changes=tuple(
            resource_change(step, providers, estimates[step.address], _upstream(step, coming)) for step in plan.steps
        ),
        jobs=tuple(_jobs(planned, providers, estimator, quotes)),
        summary=summary(plan),
        relinks=tuple(relink.address for relink in plan.relinks),
        warnings=plan.notices,
        refusals=tuple(refused),
        findings=tuple(findings),
        remarks=tuple(remarks),
        cost=total_cost(estimates.values()),
        limits=tuple(map(_limit, guards)),
        applyable=bool(plan.steps) and not refused,
        complete=not (plan.selection.targets or plan.selection.excludes),
    )


def encode_steps(plan: Plan) -> list[EncodeStep]:
    """The steps that run jobs."""
    return [step for step in plan.steps if isinstance(step, EncodeStep)]


def summary(plan: Plan) -> Summary:
    """The numbers of a plan. What only a person can decide about is not counted as unchanged."""
    number = counts(plan)
    told = {notice.address for notice in plan.notices} - {step.address for step in plan.steps}
    new, rerun, retry = number["create"], number["rerun"] + number["supersede"], number["retry"]
    return Summary(
        encode=new + rerun + retry,
        new=new,
        rerun=rerun,
        retry=retry,
        resume=number["resume"],
        retire=number["retire"],
        moved=number["move"],
        reused=number["reuse"] + number["reusetwin"],
        updated=number["update"],
        delivered=number["redeliver"],
        deleted=number["delete"],
        unchanged=plan.unchanged - len(told),
        left=plan.left,
        paused=plan.paused,
        declared=plan.declared,
        recorded=plan.recorded,
    )


def resource_change(
    step: Step, providers: Mapping[str, ProviderSettings], estimate: Estimate, upstream: str | None = None
) -> ResourceChange:
    """One step as OpenTofu would write it; `upstream` is what has to be encoded before it."""
    output = None if isinstance(step, Retire | Delete) else step.output
    return ResourceChange(
        address=step.address,
        type="output",
        name=step.address.rpartition("/")[2],
        provider_name=output.provider if output is not None else _recorded_provider(step),
        action_reason=step.reason.code,
        change=Change(actions=step.actions, before=_before(step), after=output.manifest if output else None),
        step=type(step).__name__.lower(),
        step_class=step.step_class,
        symbol=step.symbol,
        phrase=step.phrase,
        reason=step.reason.sentence,
        changes=changed_fields(step),
        encode=output.encode if output is not None else step.address.rpartition("/")[0],
        cost=_cost(estimate),
        path=_path(step, output, providers),
        reuse_of=step.of if isinstance(step, Reuse | ReuseTwin | Move) else None,
        previous_address=step.of if isinstance(step, Move) else None,
        upstream=upstream,
    )


def _upstream(step: Step, coming: Container[str]) -> str | None:
    """What a step's output is made from, if this plan encodes that, too."""
    if not isinstance(step, EncodeStep) or step.output.source.kind != "encode":
        return None
    address = step.output.source.location
    return address if address in coming else None


def _limit(guard: Guard) -> LimitShown:
    return LimitShown(
        key=guard.key,
        limit=f"{guard.limit.normalize():f}",
        unit=guard.unit,
        used=None if guard.used is None else f"{round(guard.used, 4).normalize():f}",
        missing=guard.missing,
        breached=guard.breached,
        lifted=guard.lifted,
    )


def source_shown(source: Source) -> SourceShown:
    """A source by its identity; the location may hold a signature and is never shown. An output by its address."""
    if source.kind == "encode":
        return SourceShown(source.kind, source.location)
    return SourceShown(source.kind, source.identity, from_environment=source.location.startswith("${env."))


def total_cost(estimates: Iterable[Estimate]) -> Total:
    """What all steps cost together, and of how many that is not known."""
    paid = [each for each in estimates if each != FREE]
    known = [each for each in paid if each.money is not None and not each.jobs]
    quoted = [each for each in paid if each.quote is not None]
    learnt = [each for each in paid if each.money is not None and each.jobs]
    missing = Counter(each.unknown for each in paid)
    return Total(
        expected=_amounts(known),
        minutes=_minutes(known),
        learnt=_amounts(learnt),
        learnt_minutes=_minutes(learnt),
        quoted=tuple(_quoted(money) for money in total(amounts(quoted))),
        quoted_jobs=len({each.quote.addresses for each in quoted if each.quote is not None}),
        unknown_price=missing["price"],
        unknown_duration=missing["duration"],
    )


def _amounts(estimates: Sequence[Estimate]) -> tuple[Cost, ...]:
    jobs = max((each.jobs for each in estimates), default=0)
    likeness = max((each.likeness for each in estimates), key=FARNESS.index, default="same")
    sums = total(amounts(estimates))
    return tuple(Cost(f"{money.amount:.2f}", money.currency, jobs=jobs, likeness=likeness) for money in sums)


def _quoted(money: Money) -> Cost:
    return Cost(f"{money.amount.normalize():f}", money.currency, quoted=True)


def _minutes(estimates: Sequence[Estimate]) -> float:
    return round(sum(each.seconds or 0 for each in estimates) / 60, 2)


def _cost(estimate: Estimate) -> Cost:
    if estimate.quote is not None:
        alone = len(estimate.quote.addresses) == 1
        return _quoted(estimate.quote.money) if alone else Cost(None, None, quoted=True)
    if estimate.money is not None:
        amount, currency = f"{estimate.money.amount:f}", estimate.money.currency
        return Cost(amount, currency, jobs=estimate.jobs, likeness=estimate.likeness)
    return Cost() if estimate.unknown is None else Cost(None, None, estimate.unknown)


def _path(step: Step, output: Output | None, providers: Mapping[str, ProviderSettings]) -> str | None:
    """The file on this machine that a step is about; None where the provider keeps what it makes."""
    if output is None:
        return _recorded_path(step)
    if isinstance(step, Redeliver):
        return step.where
    settings = providers.get(output.provider)
    return None if settings is not None and settings.holds else output.path


def _jobs(
    jobs: Sequence[PlannedJob], providers: Mapping[str, ProviderSettings], estimator: Estimator, quotes: Quotes
) -> Iterator[JobShown]:
    for job in jobs:
        seconds, rate = _last_time(job), None
        if seconds is None:
            seconds, rate = estimator.work(job.provider, job.request.outputs) or (None, None)
        quote = quotes.get(job.steps[0].address)
        yield JobShown(
            provider=job.provider,
            kind=providers[job.provider].type if job.provider in providers else "",
            remote=job.provider in providers and providers[job.provider].holds,
            encode=job.request.encode,
            addresses=tuple(step.address for step in job.steps),
            source=source_shown(job.request.source),
            seconds=seconds,
            like=0 if rate is None else rate.jobs,
            likeness="same" if rate is None else rate.likeness,
            quoted=None if quote is None else _quoted(quote.money),
            kept_seconds=_kept_seconds(providers.get(job.provider)),
            copied=sum(output.deliver is not None for output in job.request.outputs),
        )


def _kept_seconds(settings: ProviderSettings | None) -> float | None:
    options = settings.options if settings is not None and settings.holds else None
    return options.kept_seconds if isinstance(options, ProviderOptions) else None


def _last_time(job: PlannedJob) -> float | None:
    """What the longest of the jobs took that made these outputs before; None if one was never made."""
    known = []
    for step in job.steps:
        recorded = None if isinstance(step, Create) else step.record.job
        if recorded is None or recorded.seconds is None:
            return None
        known.append(recorded.seconds)
    return max(known, default=None)


def _before(step: Step) -> dict[str, str | int | float | bool] | None:
    match step:
        case Rerun() | Supersede() | Update() | Retire() | Delete() | Move() | Resume() | Retry():
            return dict(step.record.manifest)
        case Reuse():
            return dict(step.attempt.manifest)
        case _:
            return None


def changed_fields(step: Step) -> tuple[ChangedField, ...]:
    """The fields that differ, and where their new values are written."""
    match step:
        case Rerun() | Supersede() | Update():
            return tuple(_changed(step.output, change) for change in step.changes)
        case _:
            return ()


def _changed(output: Output, change: Difference) -> ChangedField:
    origin = output.origins.get(change.field)
    place = origin.place if origin is not None else None
    return ChangedField(
        field=change.field,
        before=change.before,
        after=change.after,
        place=f"{place.file}:{place.line}" if place is not None else None,
        preset=origin.preset if origin is not None else None,
    )


def _recorded_provider(step: Step) -> str:
    return step.record.provider if isinstance(step, Retire | Delete) else ""


def _recorded_path(step: Step) -> str | None:
    return step.record.output.path if isinstance(step, Retire | Delete) and step.record.output is not None else None
