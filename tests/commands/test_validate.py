"""`reconciler validate` beyond problems: what is odd about good specs."""

from __future__ import annotations

from builders_commands import Desk
from builders_specs import encode


def test_a_pattern_that_matches_nothing_is_said(tmp_path):
    """A fan-out over nothing is valid, and a warning names the encode and its pattern."""
    made = Desk(tmp_path)
    made.write("specs/a.yaml", encode("for_each: {glob: 'm/*.mvo'}\nsource: m/x.mov\noutputs: [web-720p]"))
    result = made.run("validate").ok()

    assert 'Warning: encodes.a wants nothing: for_each glob "m/*.mvo" matches no file\n' == result.err
    assert "Success! The specs are valid: 0 outputs of 0 encodes in 1 file.\n" == result.out
