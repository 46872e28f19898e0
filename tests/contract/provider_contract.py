"""The sentences of core.ports.Provider as tests. A provider is held to them by a class that says how to make one.

A subclass defines a `bench` fixture. Its tests use real jobs: one that is soon done, one that fails, one that
would run for minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.ports import Done, Draft, Failed, JobRequest, Lost, NotMade, Provider, Running, Verified

SOON = 60.0


@dataclass(frozen=True)
class Bench:
    """What the contract works with.

    `restart` makes another provider over the same outside world, as the next process would. `left_behind` names
    whatever of unfinished jobs can be seen from outside.
    """

    provider: Provider
    quick: Callable[[], JobRequest]
    failing: Callable[[], JobRequest]
    endless: Callable[[], JobRequest]
    restart: Callable[[], Provider]
    left_behind: Callable[[], list[str]]


def observed(provider, job_id):
    """Where one job stands."""
    return provider.observe([job_id])[job_id]


def ended(provider, job_id):
    """What a job ends with, and every observation on the way."""
    seen, until = [], time.monotonic() + SOON
    while time.monotonic() < until:
        seen.append(observed(provider, job_id))
        if not isinstance(seen[-1], Running):
            return seen[-1], seen
        time.sleep(0.01)
    raise AssertionError(f"the job still runs: {seen[-1]}")


def started(provider, request):
    """The id of a job that was prepared and started."""
    job_id = provider.prepare(request)
    provider.start(job_id)
    return job_id


class ProviderContract:
    """What holds for every provider."""

    def test_it_says_what_kind_it_is(self, bench):
        """Its traits are two truths, its parallelism is at least one."""
        assert {type(bench.provider.traits.paid), type(bench.provider.traits.outlives)} == {bool}
        assert bench.provider.parallelism >= 1

    def test_a_prepared_job_is_a_draft(self, bench):
        """It is complete and not started, and stays so until it is."""
        job_id = bench.provider.prepare(bench.quick())
        assert observed(bench.provider, job_id) == Draft()
        time.sleep(0.2)
        assert observed(bench.provider, job_id) == Draft()

    def test_preparing_again_adopts(self, bench):
        """The same request is the same job: as a draft, running, and done."""
        request = bench.quick()
        job_id = bench.provider.prepare(request)
        assert bench.provider.prepare(request) == job_id
        bench.provider.start(job_id)
        assert bench.provider.prepare(request) == job_id
        done, _ = ended(bench.provider, job_id)
        assert isinstance(done, Done)
        assert bench.provider.prepare(request) == job_id
        assert isinstance(observed(bench.provider, job_id), Done)

    def test_a_started_job_runs_and_is_done(self, bench):
        """Between its start and its end it runs; its end has a result for every output."""
        request = bench.quick()
        job_id = started(bench.provider, request)
        last, seen = ended(bench.provider, job_id)
        assert all(isinstance(one, Running) for one in seen[:-1])
        assert isinstance(last, Done)
        assert {output.name for output in request.outputs} == set(last.outputs)
        assert all(isinstance(result, Verified) for result in last.outputs.values())
        assert last.source.identity == request.source.identity

    def test_fractions_are_fractions(self, bench):
        """What is said of progress lies between nothing and all, and time that is left is not negative."""
        _, seen = ended(bench.provider, started(bench.provider, bench.quick()))
        for one in seen[:-1]:
            assert one.fraction is None or 0 <= one.fraction <= 1
            assert one.remaining is None or one.remaining >= 0

    def test_what_has_ended_stays_ended(self, bench):
        """The same result is given again and again, but messages only once."""
        job_id = started(bench.provider, bench.quick())
        first, _ = ended(bench.provider, job_id)
        again = observed(bench.provider, job_id)
        assert again.outputs == first.outputs
        assert again.messages == ()

    def test_messages_are_given_once(self, bench):
        """No message is in two observations."""
        _, seen = ended(bench.provider, started(bench.provider, bench.quick()))
        messages = [message for one in seen for message in one.messages]
        assert sorted(set(messages)) == sorted(messages)

    def test_starting_twice_is_no_error(self, bench):
        """A second start of a running or of an ended job changes nothing."""
        job_id = started(bench.provider, bench.quick())
        bench.provider.start(job_id)
        first, _ = ended(bench.provider, job_id)
        bench.provider.start(job_id)
        assert observed(bench.provider, job_id).outputs == first.outputs

    def test_a_failure_is_a_result(self, bench):
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

    def test_an_unknown_job_is_lost(self, bench):
        """Every id that is asked for is in the answer."""
        job_id = bench.provider.prepare(bench.quick())
        seen = bench.provider.observe([job_id, "no-such-job"])
        assert seen == {job_id: Draft(), "no-such-job": Lost()}
        assert bench.provider.observe([]) == {}

    def test_a_cancelled_job_ends_within_five_seconds(self, bench):
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

    def test_cancelling_is_never_an_error(self, bench):
        """A draft, an ended job, an unknown one, and the same one twice; what was made stays made."""
        draft = bench.provider.prepare(bench.quick())
        bench.provider.cancel(draft)
        bench.provider.cancel(draft)
        assert not isinstance(observed(bench.provider, draft), Draft | Running)
        done = started(bench.provider, bench.quick())
        ended(bench.provider, done)
        bench.provider.cancel(done)
        bench.provider.cancel("no-such-job")
        assert isinstance(observed(bench.provider, done), Done)

    def test_a_cancelled_job_can_be_prepared_again(self, bench):
        """Whoever stops an apply may go on with the next."""
        request = bench.quick()
        bench.provider.cancel(bench.provider.prepare(request))
        last, _ = ended(bench.provider, started(bench.provider, request))
        assert isinstance(last, Done)

    def test_closing_lets_go(self, bench):
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

    def test_the_next_process_finds_its_way(self, bench):
        """After a restart the same request gives the same id, and a job that can be run to its end."""
        request = bench.quick()
        job_id = bench.provider.prepare(request)
        other = bench.restart()
        assert other.prepare(request) == job_id
        other.start(job_id)
        last, _ = ended(other, job_id)
        assert isinstance(last, Done)
        other.close()
