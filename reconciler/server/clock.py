"""Times as they are told and kept."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond: `2026-06-22T08:00:08.563491Z`; sorts as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_moment(text: str) -> datetime:
    """The time that `moment` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
