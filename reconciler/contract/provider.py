"""The sentences of core.ports.Provider as tests, for every provider, ours or anybody's.

Subclass `ProviderContract` in a test module of yours, as `TestMyProvider`, with a pytest fixture `bench` that
gives a `Bench`. The tests run real jobs: one that is soon done, one that fails, one that would run for minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from reconciler.core.ports import (
    Done,
    Draft,
    Failed,
    Held,
    JobRequest,
    Lost,
    NotMade,
    Observation,
    Provider,
    Running,
    Verified,
)

# How long a quick or a failing job may take, in seconds.
SOON = 60.0
# How often a test looks at a job, in seconds.
_LOOK = 0.01


@dataclass(frozen=True, slots=True)
class Bench:
    """What the contract works with.

    `quick`, `failing` and `endless` give a new request each time; an endless job runs for a minute at least, and
    need not run alone. `restart` makes another provider over the same outside world, as the next process would.
    `left_behind` names whatever of unfinished jobs can be seen from outside.
    """

    provider: Provider
    quick: Callable[[], JobRequest]
    failing: Callable[[], JobRequest]
    endless: Callable[[], JobRequest]
    restart: Callable[[], Provider]
    left_behind: Callable[[], list[str]]


def observed(provider: Provider, job_id: str) -> Observation:
    """Where one job stands."""
    return provider.observe([job_id])[job_id]


def ended(provider: Provider, job_id: str) -> tuple[Observation, list[Running]]:
    """What a job ends with, and every observation on the way."""
    seen: list[Running] = []
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        one = observed(provider, job_id)
        if not isinstance(one, Running):
            return one, seen
        seen.append(one)
        time.sleep(_LOOK)
    raise AssertionError(f"the job still runs: {seen[-1]}")


def started(provider: Provider, request: JobRequest) -> str:
    """The id of a job that was prepared and started."""
    job_id = provider.prepare(request)
    provider.start(job_id)
    return job_id


def done(provider: Provider, job_id: str) -> Done:
    """The end of a job that makes what it was asked for."""
    last, _ = ended(provider, job_id)
    assert isinstance(last, Done), last
    return last


def _is_whole(result: object) -> bool:
    return isinstance(result, Verified | Held)


class ProviderContract:
    """What holds for every provider."""

    def test_it_says_what_kind_it_is(self, bench: Bench) -> None:
        """Its traits are two truths, its parallelism and its submissions are at least one."""
        assert {type(bench.provider.traits.paid), type(bench.provider.traits.outlives)} == {bool}
        assert bench.provider.parallelism >= 1
        assert bench.provider.traits.submissions >= 1

    def test_a_prepared_job_is_a_draft(self, bench: Bench) -> None:
        """It is complete and not started, and stays so until it is."""
        job_id = bench.provider.prepare(bench.quick())
        assert observed(bench.provider, job_id) == Draft()
        time.sleep(0.2)
        assert observed(bench.provider, job_id) == Draft()

    def test_preparing_again_adopts(self, bench: Bench) -> None:
        """The same request is the same job: as a draft, running, and done."""
        request = bench.quick()
        job_id = bench.provider.prepare(request)
        assert bench.provider.prepare(request) == job_id
        bench.provider.start(job_id)
        assert bench.provider.prepare(request) == job_id
        assert done(bench.provider, job_id)
        assert bench.provider.prepare(request) == job_id
        assert isinstance(observed(bench.provider, job_id), Done)

    def test_a_started_job_runs_and_is_done(self, bench: Bench) -> None:
        """Between its start and its end it runs; its end has a result for every output."""
        request = bench.quick()
        job_id = started(bench.provider, request)
        last = done(bench.provider, job_id)
        assert {output.name for output in request.outputs} == set(last.outputs)
        assert all(_is_whole(result) for result in last.outputs.values())
        assert last.source.identity == request.source.identity

    def test_fractions_are_fractions(self, bench: Bench) -> None:
        """What is said of progress lies between nothing and all, and time that is left is not negative."""
        _, seen = ended(bench.provider, started(bench.provider, bench.quick()))
        for one in seen:
            assert one.fraction is None or 0 <= one.fraction <= 1
            assert one.remaining is None or one.remaining >= 0

    def test_what_has_ended_stays_ended(self, bench: Bench) -> None:
        """The same result is given again and again, but messages only once."""
        job_id = started(bench.provider, bench.quick())
        first, again = done(bench.provider, job_id), observed(bench.provider, job_id)
        assert isinstance(again, Done)
        assert again.outputs == first.outputs
        assert again.messages == ()

    def test_messages_are_given_once(self, bench: Bench) -> None:
        """No message is in two observations."""
        job_id = started(bench.provider, bench.quick())
        last, seen = ended(bench.provider, job_id)
        assert isinstance(last, Done)
        messages = [message for one in seen for message in one.messages] + list(last.messages)
        assert sorted(set(messages)) == sorted(messages)

    def test_starting_twice_is_no_error(self, bench: Bench) -> None:
        """A second start of a running or of an ended job changes nothing."""
        job_id = started(bench.provider, bench.quick())
        bench.provider.start(job_id)
        first = done(bench.provider, job_id)
        bench.provider.start(job_id)
        assert done(bench.provider, job_id).outputs == first.outputs

    def test_a_failure_is_a_result(self, bench: Bench) -> None:
        """What cannot be made says so, as the job's failure or as each output's."""
        request = bench.failing()
        last, _ = ended(bench.provider, started(bench.provider, request))
        match last:
            case Failed(error=error):
                assert error
            case Done(outputs=outputs):
                assert {output.name for output in request.outputs} == set(outputs)
                assert all(isinstance(result, NotMade) and result.error for result in outputs.values())
            case _:
                raise AssertionError(last)

    def test_an_unknown_job_is_lost(self, bench: Bench) -> None:
        """Every id that is asked for is in the answer."""
        job_id = bench.provider.prepare(bench.quick())
        seen = bench.provider.observe([job_id, "no-such-job"])
        assert seen == {job_id: Draft(), "no-such-job": Lost()}
        assert bench.provider.observe([]) == {}

    def test_a_cancelled_job_ends_within_five_seconds(self, bench: Bench) -> None:
        """It does not run any more, and what it left is cleared away."""
        job_id = started(bench.provider, bench.endless())
        time.sleep(1)
        assert isinstance(observed(bench.provider, job_id), Running)
        began = time.monotonic()
        bench.provider.cancel(job_id)
        while isinstance(observed(bench.provider, job_id), Running):
            time.sleep(0.01)
        assert time.monotonic() - began < 5
        assert isinstance(observed(bench.provider, job_id), Lost | Failed)
        assert bench.left_behind() == []

    def test_cancelling_is_never_an_error(self, bench: Bench) -> None:
        """A draft, an ended job, an unknown one, and the same one twice; what was made stays made."""
        draft = bench.provider.prepare(bench.quick())
        bench.provider.cancel(draft)
        bench.provider.cancel(draft)
        assert not isinstance(observed(bench.provider, draft), Draft | Running)
        job_id = started(bench.provider, bench.quick())
        first = done(bench.provider, job_id)
        bench.provider.cancel(job_id)
        bench.provider.cancel("no-such-job")
        assert done(bench.provider, job_id).outputs == first.outputs

    def test_a_cancelled_job_can_be_prepared_again(self, bench: Bench) -> None:
        """Whoever stops an apply may go on with the next."""
        request = bench.quick()
        bench.provider.cancel(bench.provider.prepare(request))
        assert done(bench.provider, started(bench.provider, request))

    def test_closing_lets_go(self, bench: Bench) -> None:
        """Jobs that do not outlive the provider are ended, all at once; closing twice is no error."""
        jobs = [started(bench.provider, bench.endless()) for _ in range(3)]
        time.sleep(1)
        began = time.monotonic()
        bench.provider.close()
        bench.provider.close()
        assert time.monotonic() - began < 10
        if not bench.provider.traits.outlives:
            assert not any(isinstance(observed(bench.provider, job_id), Running) for job_id in jobs)
            assert bench.left_behind() == []

    def test_the_next_process_finds_its_way(self, bench: Bench) -> None:
        """After a restart the same request gives the same id, and a job that can be run to its end."""
        request = bench.quick()
        job_id = bench.provider.prepare(request)
        other = bench.restart()
        assert other.prepare(request) == job_id
        other.start(job_id)
        assert done(other, job_id)
        other.close()

    def test_attaching_makes_nothing(self, bench: Bench) -> None:
        """A job that was never made is lost, not prepared; attaching again changes nothing."""
        request = bench.quick()
        bench.provider.attach(request)
        bench.provider.attach(request)
        assert observed(bench.provider, request.job_id) == Lost()

    def test_attaching_to_a_job_of_ones_own_changes_nothing(self, bench: Bench) -> None:
        """What was prepared here stays a draft, and what ended here stays ended."""
        request = bench.quick()
        job_id = bench.provider.prepare(request)
        bench.provider.attach(replace(request, job_id=job_id))
        assert observed(bench.provider, job_id) == Draft()
        bench.provider.start(job_id)
        first = done(bench.provider, job_id)
        bench.provider.attach(replace(request, job_id=job_id))
        assert done(bench.provider, job_id).outputs == first.outputs

    def test_the_next_process_attaches(self, bench: Bench) -> None:
        """By the provider's id: a job that outlives its process is observed to its end, any other is lost."""
        request = bench.quick()
        job_id = started(bench.provider, request)
        other = bench.restart()
        other.attach(replace(request, job_id=job_id))
        last, _ = ended(other, job_id)
        if bench.provider.traits.outlives:
            assert isinstance(last, Done)
            assert {output.name for output in request.outputs} == set(last.outputs)
            assert all(_is_whole(result) for result in last.outputs.values())
        else:
            assert last == Lost()
        other.close()

    def test_the_next_process_sees_a_draft_that_was_left(self, bench: Bench) -> None:
        """Where jobs outlive their process, an attached draft is known for one, and can be started."""
        request = bench.quick()
        job_id = bench.provider.prepare(request)
        other = bench.restart()
        other.attach(replace(request, job_id=job_id))
        if bench.provider.traits.outlives:
            assert observed(other, job_id) == Draft()
            other.start(job_id)
            assert done(other, job_id)
        else:
            assert observed(other, job_id) == Lost()
        other.close()

    def test_two_processes_start_one_job_once(self, bench: Bench) -> None:
        """Where jobs cost money, two processes with the same request share one job, and the second start is none."""
        if not bench.provider.traits.paid:
            return
        request = bench.quick()
        other = bench.restart()
        job_id = bench.provider.prepare(request)
        assert other.prepare(request) == job_id
        bench.provider.start(job_id)
        other.start(job_id)
        assert set(done(bench.provider, job_id).outputs) == set(done(other, job_id).outputs)
        other.close()

    def test_as_many_jobs_are_submitted_at_once_as_it_says(self, bench: Bench) -> None:
        """Each in a thread of its own, all of them run to their ends."""
        count = bench.provider.traits.submissions
        with ThreadPoolExecutor(count) as threads:
            jobs = list(
                threads.map(lambda request: started(bench.provider, request), [bench.quick() for _ in range(count)])
            )
        assert count == len(set(jobs))
        assert all(done(bench.provider, job_id) for job_id in jobs)
