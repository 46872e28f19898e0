"""Whose a result is: by its name, and never the file of another output."""

from __future__ import annotations

import pytest

from builders_bytenite import output, web
from reconciler.bytenite.collect import matched
from reconciler.bytenite.describing import entry_name
from reconciler.bytenite.wire import Result

SOURCE = web("https://example.com/master.mp4")
A, B = output(SOURCE, "a"), output(SOURCE, "b")


def result(name):
    """A file of a job."""
    return Result(name, f"https://files.example.com/job/{name}?sig=1")


def whose(names, *outputs):
    """The file of each output, by name."""
    return {name: found.name for name, found in matched([result(each) for each in names], outputs, "job").items()}


def test_by_name():
    """In whatever order, in whatever folder."""
    files = [f"out_1/{entry_name(A)}.mp4", f"out_0/{entry_name(B)}.mp4"]
    assert {"a": files[0], "b": files[1]} == whose(files, A, B)


def test_the_only_file_of_a_job_with_one_output():
    """Is that output, whatever its server calls it."""
    assert {"a": "result.mp4"} == whose(["result.mp4"], A)


@pytest.mark.parametrize(
    ("names", "outputs"),
    [
        ([f"{entry_name(B)}.mp4"], (A,)),
        ([f"{entry_name(B)}.mp4", "result.mp4"], (A,)),
        (["result.mp4"], (A, B)),
        (["one.mp4", "two.mp4"], (A,)),
    ],
)
def test_a_file_that_may_be_of_another_output_is_nobodys(names, outputs):
    """A job that is gone on with may make outputs that nobody asks for any more, and lack the one that is asked for."""
    assert {} == {name: file for name, file in whose(names, *outputs).items() if name == "a"}
