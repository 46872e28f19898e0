"""What is told of a mistake."""

from __future__ import annotations

from reconciler.ffmpeg import mistakes


def test_a_mistake_tells_no_signature():
    """The text of an exception that nobody expected may hold a link; its query is cut off."""
    told = mistakes.where(KeyError("https://media.example.com/a.mp4?X-Amz-Signature=5ecre7"))
    assert "KeyError" in told
    assert "https://media.example.com/a.mp4" in told
    assert "5ecre7" not in told
