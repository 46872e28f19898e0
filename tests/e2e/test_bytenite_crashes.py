"""A paid job is started once: whatever dies or is lost, at every request of a job's life."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import contextmanager

import pytest

from builders_remote import instant_clip, remote_project, remote_spec, without_job_ids
from builders_server import DROP_AFTER, DROP_BEFORE, serving_api

# Requests of a whole apply of one job from a URL: token, list, create, data source, parameters, run, look, results,
# two links that are looked at. Cases beyond the last one find nothing to do and must still converge.
MOST_REQUESTS = 13


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """What every output is a copy of."""
    return instant_clip(tmp_path_factory.mktemp("instant"))


class Trouble:
    """What happens at the n-th request of a client: it is killed, or the connection is cut; before or after it."""

    def __init__(self, at: int, *, kill: bool, before: bool):
        self.at, self.kill, self.before = at, kill, before
        self.seen = 0
        self.process = None
        self.happened = None

    def __call__(self, method, path, _number):
        if self.process is None or self.happened is not None:
            return None
        self.seen += 1
        if self.seen <= self.at:
            return None
        self.happened = (method, path)
        if self.kill:
            os.kill(self.process.pid, signal.SIGKILL)
        return DROP_BEFORE if self.before else None if self.kill else DROP_AFTER


@contextmanager
def troubled(tmp_path, clip, trouble, spec=None):
    """A server with one trouble, and a project that applied into it once."""
    with serving_api(tmp_path, instant=clip, faults=[trouble]) as api:
        project = remote_project(tmp_path / "project", api, spec)
        trouble.process = project.start("apply", "--auto-approve")
        out, err = trouble.process.communicate(timeout=120)
        trouble.happened = trouble.happened or ("", "")
        yield api, project, out + err


def converged(api, project, jobs=1):
    """After one more apply everything is recorded, and the server started each job once."""
    project.apply().ok()
    assert {"complete"} == {record["status"] for record in project.records().values()}
    assert jobs == len(api.all_starts())
    assert {1} == set(api.all_starts().values())
    assert "No changes" in project.run("plan", "--detailed-exitcode").ok().out


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("at", range(MOST_REQUESTS))
def test_killed_at_any_request(at, before, tmp_path, clip):
    """Kill -9 of the client before or after a request takes effect: one start, nothing lost."""
    trouble = Trouble(at, kill=True, before=before)
    with troubled(tmp_path, clip, trouble) as (api, project, _):
        converged(api, project)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("at", range(MOST_REQUESTS))
def test_a_request_or_its_reply_is_lost(at, before, tmp_path, clip):
    """A connection that is cut before the server acts, or before it answers: one start, nothing lost."""
    trouble = Trouble(at, kill=False, before=before)
    with troubled(tmp_path, clip, trouble) as (api, project, said):
        assert "Traceback" not in said
        converged(api, project)


@pytest.mark.parametrize("at", range(4, 8))
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_around_an_upload(at, before, tmp_path, clip):
    """A local master is uploaded; kill -9 around that never starts a job without its source, nor twice."""
    trouble = Trouble(at, kill=True, before=before)
    project = tmp_path / "project/masters"
    project.mkdir(parents=True)
    shutil.copy(clip, project / "bbb.mp4")
    with troubled(tmp_path, clip, trouble, remote_spec(source="masters/bbb.mp4")) as (api, project, _):
        converged(api, project)


def test_a_lost_state_is_found_again(tmp_path, clip):
    """state/ is deleted after the start: the next apply takes the job that is there."""
    with serving_api(tmp_path, instant=clip, instant_seconds=1.0) as api:
        project = remote_project(tmp_path / "project", api)
        project.apply("--no-wait").ok()
        shutil.rmtree(project.folder / "state")
        converged(api, project)


def test_two_machines_with_one_stale_state_buy_once(tmp_path, clip):
    """Both apply at the same time from the same state: one start each job, both end with everything."""
    with serving_api(tmp_path, instant=clip, instant_seconds=1.0) as api:
        projects = [remote_project(tmp_path / name, api) for name in ("one", "two")]
        running = [project.start("apply", "--auto-approve") for project in projects]
        ends = [process.communicate(timeout=120) for process in running]

        assert [0, 0] == [process.returncode for process in running], ends
        for project in projects:
            converged(api, project)


@pytest.mark.parametrize("at", range(2, 9, 2))
def test_a_server_that_gives_ids_of_its_own(at, tmp_path, clip):
    """Where our id is ignored, the job is found by its name: kill -9 buys nothing twice there either."""
    trouble = Trouble(at, kill=True, before=False)
    with serving_api(tmp_path, instant=clip, faults=[trouble], middleware=without_job_ids) as api:
        project = remote_project(tmp_path / "project", api)
        trouble.process = project.start("apply", "--auto-approve")
        trouble.process.communicate(timeout=120)
        trouble.happened = trouble.happened or ("", "")
        converged(api, project)
