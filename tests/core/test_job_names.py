"""What jobs are called at their providers."""

from __future__ import annotations

import pytest

from reconciler.core.jobs import job_name

KEY = "8c9f1c62-2b3c-5d0e-9d55-6b1f6a7c0f3a"


@pytest.mark.parametrize(
    ("expected", "project"),
    [
        ("rc-talks-site-8c9f1c62", "talks-site"),
        ("rc-a-very-long-p-8c9f1c62", "a-very-long-project"),
        ("rc-v1-2-8c9f1c62", "v1.2"),
        ("rc--berlange_-8c9f1c62", "überlange_"),
        ("rc------8c9f1c62", "сайт"),
    ],
)
def test_names_are_short_and_plain(expected, project):
    """At most 25 letters, digits, hyphens and underscores, whatever the project is called; the key stays whole."""
    assert expected == job_name(project, KEY)
    assert 25 >= len(expected)
