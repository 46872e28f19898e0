"""A thousand jobs on the API: how often it is called, and how much memory that takes."""

from __future__ import annotations

import subprocess
import time
from collections import Counter

import psutil
import pytest

from builders_remote import instant_clip, remote_project, remote_spec
from builders_server import serving_api

JOBS = 1000
WIDE = f"    type: bytenite\n    parallelism: {JOBS}\n"
SECONDS = 10  # of media in each job; the server encodes nothing


@pytest.mark.timeout(1200)
def test_a_thousand_jobs_cost_few_calls_and_little_memory(tmp_path):
    """1,000 jobs of 10 s: at most 6 calls a job and 0.2 looks a job and second, under 200 MB."""
    clip = instant_clip(tmp_path, seconds=SECONDS)
    names = ", ".join(f"t{number}" for number in range(JOBS))
    spec = remote_spec(outputs=("x",)).replace("  bbb:\n", f"  bbb:\n    for_each: [{names}]\n")
    spec = spec.replace("bbb.mp4", "${each.key}.mp4").replace(
        "    type: bytenite\n", "    type: bytenite\n    parallelism: 1000\n"
    )
    with serving_api(tmp_path, instant=clip, queue=2 * JOBS) as api:
        project = remote_project(tmp_path / "project", api, spec)
        began = time.monotonic()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = project.start("apply", "--auto-approve", "--allow", "max_jobs", **quiet)
        memory = peak(process)
        wall = time.monotonic() - began
        calls = Counter(kind(method, path) for method, path in api.calls)
        starts = api.all_starts()
    looks, others = calls["look"], sum(count for name, count in calls.items() if name not in {"look", "link"})
    print(f"\n{JOBS} jobs in {wall:.0f} s: {dict(calls)}, {others / JOBS:.2f} calls a job, {memory / 1e6:.0f} MB")
    print(f"looks a job and second: {looks / JOBS / wall:.4f}")

    assert 0 == process.returncode
    assert (JOBS, {1}) == (len(starts), set(starts.values()))
    assert others <= 6 * JOBS
    assert looks <= 0.2 * JOBS * wall
    assert memory < 200e6


def kind(method, path):
    """What a request is for: looking at jobs, opening a link, or all that a job needs."""
    if path.startswith("/results/"):
        return "link"
    if method == "GET" and (path.endswith("/jobs") or path.split("/")[-2] == "jobs"):
        return "look"
    return f"{method} {path.rpartition('/')[2] if not path.endswith('/jobs') else 'jobs'}"


def peak(process):
    """The most memory that a process ever took, in bytes, once it has ended."""
    seen = 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            seen = max(seen, watched.memory_info().rss)
        except psutil.Error:
            break
        time.sleep(0.2)
    process.wait()
    return seen
