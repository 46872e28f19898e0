"""`source: {encode: E/O}`: what is made from is in the fingerprint; mistakes are told where they are."""

from __future__ import annotations

import pytest

from builders_specs import HEAD, WEB, desired, outputs, problems, write

CHAIN = f"""
{WEB}
encodes:
  ladder:
    for_each: [bbb, tos]
    source: {{encode: "mezz/${{each.key}}/master", trim: {{start: 2s, end: 5s}}}}
    outputs: [web-720p]
  mezz:
    for_each: [bbb, tos]
    source: https://cdn.example.com/${{each.key}}.mov
    outputs: {{master: {{extends: web-720p, container: mov, video: {{crf: CRF}}}}}}
"""


def chain(tmp_path, crf=12, name="one"):
    """The outputs of a fan-out whose ladder is declared before its mezzanine."""
    return outputs(tmp_path / name, CHAIN.replace("CRF", str(crf)))


def test_a_source_may_be_an_output_of_another_encode(tmp_path):
    """Its identity is that output's fingerprint, its place that output's address, wherever it is declared."""
    found = chain(tmp_path)
    source = found["ladder/tos/web-720p"].source

    assert ("encode", "mezz/tos/master") == (source.kind, source.location)
    assert f"encode:{found['mezz/tos/master'].fingerprint}" == found["ladder/tos/web-720p"].manifest["source"]
    assert (2, 5) == (source.trim.start, source.trim.end)
    assert found["mezz/tos/master"] is source.upstream


def test_what_changes_a_mezzanine_changes_its_ladder(tmp_path):
    """Another crf upstream is another fingerprint downstream; the same one is the same."""
    address = "ladder/bbb/web-720p"
    before, same, after = (chain(tmp_path, crf, name)[address] for crf, name in ((12, "a"), (12, "b"), (10, "c")))

    assert before.fingerprint == same.fingerprint != after.fingerprint


def test_renaming_a_mezzanine_is_no_change(tmp_path):
    """Names are not in a fingerprint, so neither is that of the output that something is made from."""
    before = outputs(tmp_path / "a", CHAIN.replace("CRF", "12"))
    after = outputs(tmp_path / "b", CHAIN.replace("CRF", "12").replace("mezz", "masters"))

    assert before["ladder/bbb/web-720p"].fingerprint == after["ladder/bbb/web-720p"].fingerprint
    assert "masters/bbb/master" == after["ladder/bbb/web-720p"].source.location


def test_chains_may_have_many_links(tmp_path):
    """An output may be made from one that is made from another one; more than twenty in a row are refused."""
    links = ["a00: {source: https://cdn.example.com/a.mov, outputs: [web-720p]}"]
    links += [f"a{n:02}: {{source: {{encode: a{n - 1:02}/web-720p}}, outputs: [web-720p]}}" for n in range(1, 21)]
    text = f"{HEAD}{WEB}encodes:\n" + "".join(f"  {link}\n" for link in reversed(links[:20]))
    assert 20 == len(desired(tmp_path / "a", text.removeprefix(HEAD)).outputs)

    longer = text + f"  {links[20]}\n"
    (problem,) = problems(write(tmp_path / "b", {"specs/a.yaml": longer}))
    assert "the last of 20 outputs in a row" in problem.message


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("{encode: mez/master}", 'no encode is called "mez"', 'Did you mean "mezz/master"?'),
        ("{encode: mezz/mastre}", '"mezz" has no output "mezz/mastre"', 'Did you mean "mezz/master"?'),
        ("{encode: mezz}", '"mezz" is an encode; a source is one output of it', "Its outputs: mezz/master"),
        ("{encode: mezz/pack}", '"mezz/pack" is a folder of files (hls); a source is one file', "mp4, mov or mkv"),
        ("{encode: mezz/sheets}", '"mezz/sheets" is a folder of files (jpg); a source is one file', "mp4"),
        ("{encode: mezz/poster}", '"mezz/poster" is no video or sound (jpg)', "mp4"),
        ("{encode: a/x}", '"a" would be made from its own outputs', "ENCODE/OUTPUT"),
        ("{encode: mezz/master, watch: content}", '"watch" says nothing for a source that is an output', "Leave it"),
        ("{encode: mezz/master, url: https://x.test/a.mp4}", "a source has a url or an encode, not both", ""),
        ("'encode:mezz/master'", "an output of another encode is named in a mapping", "source: {encode: mezz/master}"),
        ("{encode: {a: b}}", "encode", ""),
    ],
)
def test_mistakes_are_told_at_their_place(tmp_path, source, message, hint):
    """Every wrong source of a chain is one problem, at the line where it is written, with what would be right."""
    text = f"""{HEAD}{WEB}encodes:
  a:
    source: {source}
    outputs: {{x: web-720p}}
  mezz:
    source: https://cdn.example.com/bbb.mov
    outputs:
      master: web-720p
      pack: {{extends: web-720p, container: hls}}
      poster: {{container: jpg, stills: {{at: 10%}}}}
      sheets: {{container: jpg, stills: {{every: 1s}}}}
"""
    (problem,) = problems(write(tmp_path, {"specs/a.yaml": text}))

    assert message in problem.message
    assert hint in " ".join(problem.hints)
    assert 10 == problem.place.line


def test_a_circle_is_told_once_with_all_its_names(tmp_path):
    """Outputs that would be made from each other are an error that names the way round."""
    text = f"""{HEAD}{WEB}encodes:
  b: {{source: {{encode: c/web-720p}}, outputs: [web-720p]}}
  c: {{source: {{encode: a/web-720p}}, outputs: [web-720p]}}
  a: {{source: {{encode: b/web-720p}}, outputs: [web-720p]}}
  d: {{source: {{encode: e/web-720p}}, outputs: [web-720p]}}
  e: {{source: {{encode: d/web-720p}}, outputs: [web-720p]}}
"""
    found = problems(write(tmp_path, {"specs/a.yaml": text}))

    assert ['"a" would be made from itself', '"d" would be made from itself'] == sorted(p.message for p in found)
    assert "a from b from c from a" in found[0].hints[0] + found[1].hints[0]


def test_what_is_wrong_upstream_is_told_there_alone(tmp_path):
    """An output that cannot be read is no second problem of what is made from it."""
    text = f"""{HEAD}{WEB}encodes:
  ladder: {{source: {{encode: mezz/master}}, outputs: [web-720p]}}
  mezz: {{source: https://cdn.example.com/bbb.mov, outputs: {{master: {{extends: web-72p}}}}}}
"""
    found = problems(write(tmp_path, {"specs/a.yaml": text}))

    assert ["encodes.mezz.outputs.master.extends"] == [problem.path for problem in found]


def test_a_provider_refuses_what_it_cannot_read_of_a_chain(tmp_path):
    """Trim on ByteNite is refused for a chain as for any other source."""
    text = f"""{HEAD}{WEB}providers: {{away: {{type: bytenite}}}}
encodes:
  ladder: {{source: {{encode: mezz/web-720p, trim: {{end: 2s}}}}, provider: away, outputs: [web-720p]}}
  mezz: {{source: https://cdn.example.com/bbb.mov, outputs: [web-720p]}}
"""
    (problem,) = problems(write(tmp_path, {"specs/a.yaml": text}))

    assert "always encodes the whole source" in problem.message


LACKING = {
    "picture": ("{encode: mezz/sound}", "web-720p", "mezz/sound has no picture"),
    "still": ("{encode: mezz/sound}", "{container: jpg, stills: {at: 1s}}", "mezz/sound has no picture"),
    "package": ("{encode: mezz/sound}", "{extends: web-720p, container: hls}", "mezz/sound has no picture"),
    "sound": ("{encode: mezz/mute}", "{container: m4a, audio: {codec: aac}}", "mezz/mute has no sound"),
    "track": ("{encode: mezz/mute}", "{container: vtt, subtitles: {track: eng}}", "mezz/mute has no subtitles"),
    "burnt": ("{encode: mezz/mute}", "{extends: web-720p, subtitles: {burn_in: 0}}", "mezz/mute has no subtitles"),
    "silence": ("{encode: mezz/mute}", "web-720p", None),
    "spoken": ("{encode: mezz/sound}", "{container: mp3, audio: {codec: mp3}}", None),
}


@pytest.mark.parametrize("case", LACKING)
def test_what_an_output_does_not_hold_is_told_before_anything_is_made(tmp_path, case):
    """No picture is made of sound, no sound of a mute picture, and no output keeps subtitles to be made of."""
    source, wanted, message = LACKING[case]
    text = f"""{HEAD}{WEB}encodes:
  ladder: {{for_each: [a, b], source: {source}, outputs: {{x: {wanted}}}}}
  mezz:
    source: https://cdn.example.com/bbb.mov
    outputs:
      sound: {{container: m4a, audio: {{codec: aac}}}}
      mute: {{extends: web-720p, audio: {{codec: none}}}}
"""
    if message is None:
        assert 4 == len(outputs(tmp_path, text.removeprefix(HEAD)))
    else:
        (problem,) = problems(write(tmp_path, {"specs/a.yaml": text}))
        assert message == problem.message.partition(":")[0]
