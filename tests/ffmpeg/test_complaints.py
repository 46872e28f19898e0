"""What ffmpeg's error stream says."""

from __future__ import annotations

import pytest

from reconciler.ffmpeg.complaints import Complaints


def heard(text):
    """What is made of some lines."""
    complaints = Complaints()
    for line in text.splitlines():
        complaints.add(line)
    return complaints


CASES = {
    "Error setting preset/tune bogus/(null).": """\
x264 [error]: invalid preset 'bogus'
[libx264 @ 0x563268f3cac0] [error] Error setting preset/tune bogus/(null).
[vost#0:0/libx264 @ 0x56] [enc:libx264 @ 0x56] [error] Error while opening encoder - maybe incorrect parameters.
[vf#0:0 @ 0x563268f8a0c0] [error] Error sending frames to consumers: Invalid argument
[vf#0:0 @ 0x563268f8a0c0] [error] Task finished with error code: -22 (Invalid argument)
[vf#0:0 @ 0x563268f8a0c0] [error] Terminating thread with return code -22 (Invalid argument)
[vost#0:0/libx264 @ 0x56] [enc:libx264 @ 0x56] [error] Could not open encoder before EOF
[out#0/matroska @ 0x56] [error] Nothing was written into output file
""",
    "Max Bitrate only supported with CRF mode": """\
Svt[error]: Max Bitrate only supported with CRF mode
[libsvtav1 @ 0x5598fb134dc0] [error] Error setting encoder parameters: bad parameter (0x80001005)
[vost#0:0/libsvtav1 @ 0x55] [enc:libsvtav1 @ 0x55] [error] Could not open encoder before EOF
""",
    "Value 99.000000 for parameter 'preset' out of range [-2 - 13]": """\
[libsvtav1 @ 0x55bf00173ac0] [error] Value 99.000000 for parameter 'preset' out of range [-2 - 13]
[libsvtav1 @ 0x55bf00173ac0] [error] Error setting option preset to value 99.
[error] Error opening output file k.mkv.
[fatal] Error opening output files: Numerical result out of range
""",
    "Invalid or incompatible profile set: bogus.": """\
x265 [error]: unknown profile <bogus>
[libx265 @ 0x55898346cd00] [error] Invalid or incompatible profile set: bogus.
""",
    "No space left on device": """\
[out#0/mp4 @ 0x55] [error] Error submitting a packet to the muxer: No space left on device
[out#0/mp4 @ 0x55] [error] Error writing trailer: No space left on device
Conversion failed!
""",
    "moov atom not found": """\
[in#0 @ 0x55] [error] moov atom not found
[in#0 @ 0x55] [error] Error opening input file file:/x.mp4.
""",
}


@pytest.mark.parametrize("reason", CASES)
def test_the_line_that_explains_is_found(reason):
    """Addresses, levels and the lines that only repeat that something failed are left away."""
    assert reason == heard(CASES[reason]).reason()


def test_what_the_output_says_explains_more_than_the_source():
    """A scratch in the source, reported late, is not why the encoder gave up."""
    said = heard("[libx264 @ 0x1] [error] malloc failed\n[h264 @ 0x1] [error] error while decoding MB 1 1")
    assert said.reason() == "malloc failed"


def test_nothing_said_is_no_reason():
    """Warnings and plain talk explain nothing."""
    assert heard("[mp4 @ 0x1] [warning] Timestamps are unset\nhello").reason() is None


def test_errors_of_the_source_are_counted():
    """Errors of demuxers and decoders count, with their repetitions; warnings and the output's own do not."""
    said = heard(
        "[h264 @ 0x1] [error] error while decoding MB 3 3, bytestream -22\n"
        "[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [warning] corrupt decoded frame\n"
        "[in#0/matroska,webm @ 0x1] [error] Invalid track number 15873\n"
        "    Last message repeated 4 times\n"
        "[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [error] Decoding error: Invalid data\n"
        "[aac @ 0x1] [warning] something is not implemented\n"
        "    Last message repeated 9 times\n"
        "[out#0/mp4 @ 0x1] [error] Error closing file\n"
    )
    assert said.source_errors == 7
    assert said.first_source_error == "error while decoding MB 3 3, bytestream -22"


@pytest.mark.parametrize("text", ["File ended prematurely", "stream 1, offset 0x704fd: partial file"])
def test_a_file_that_stops_in_the_middle_is_noticed(text):
    """Demuxers of Matroska and MP4 say so in these words."""
    assert heard(f"[in#0/matroska,webm @ 0x55] [error] {text}").cut_off
    assert not heard("[in#0/matroska,webm @ 0x55] [error] Invalid track number 3").cut_off


def test_a_flood_is_counted_but_not_kept():
    """A hundred thousand lines leave their number and the last ones."""
    said = heard("\n".join(f"[h264 @ 0x1] [error] bad macroblock {n}" for n in range(100_000)))
    assert said.source_errors == 100_000
    assert said.reason() == "bad macroblock 99999"
    assert len(said._kept) == 200


def test_an_echo_is_better_than_nothing():
    """Where ffmpeg says nothing else, the last line that repeats a failure is all there is to tell."""
    said = heard(
        "[error] Error opening output file a.mp4.\n[fatal] Error opening output files: Operation not permitted"
    )
    assert "Error opening output files: Operation not permitted" == said.reason()
