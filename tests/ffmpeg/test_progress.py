"""Reading `-progress`."""

from __future__ import annotations

from reconciler.ffmpeg.progress import Progress, ProgressReader

BLOCK = "frame=50\nfps=0.00\ntotal_size=4096\nout_time_us=2000000\nout_time_ms=2000000\nspeed=N/A\nprogress=continue\n"


def test_a_block_is_a_report():
    """Times are microseconds."""
    assert ProgressReader().feed(BLOCK) == [Progress(seconds=2.0, size=4096, frames=50)]


def test_pieces_are_put_together():
    """However the stream is cut, the same reports come out."""
    reader = ProgressReader()
    reports = [report for character in BLOCK * 3 for report in reader.feed(character)]
    assert [Progress(seconds=2.0, size=4096, frames=50)] * 3 == reports


def test_what_is_not_known_is_none():
    """N/A, a missing key and a time before zero are no numbers to count with."""
    reader = ProgressReader()
    assert reader.feed("out_time_us=N/A\ntotal_size=N/A\nprogress=continue\n") == [Progress()]
    assert reader.feed("out_time_us=-21333\nprogress=end\n") == [Progress(seconds=0.0)]
