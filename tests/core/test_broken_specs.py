"""Spec problems as people see them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from builders_specs import load, write
from reconciler.core.errors import SpecError
from reconciler.views.problems import error_text


def test_as_a_screen(tmp_path):
    """Two problems in two files read as they do in the design."""
    write(
        tmp_path,
        {
            "specs/presets.yaml": """\
                project: talks-site
                presets:
                  web-1080p: {extends: web-720p, video: {height: 1080}}
                  web-720p:
                    container: mp4
                    video: {codec: h264, height: 720, crf: 23}
                    audio: {codec: aac}
                  web-480p: {extends: web-720p, video: {height: 480, crf: 24}}
            """,
            "specs/trailers.yaml": """\
                encodes:
                  trailer:
                    source: https://cdn.example.com/trailer.mp4
                    outputs:
                      1080p: web-1080p
                      720p: web-720
                  talk:
                    source: https://cdn.example.com/talk.mp4
                    outputs:
                      480p:
                        extends: web-480p
                        video: {bitrate: 900k}
            """,
        },
    )
    with pytest.raises(SpecError) as caught:
        load(tmp_path)
    expected = """\
        Error: unknown preset "web-720"
          specs/trailers.yaml:6:13  encodes.trailer.outputs.720p

             5 |       1080p: web-1080p
             6 |       720p: web-720
               |             ^^^^^^^
          Did you mean "web-720p"? Yours: web-1080p, web-720p, web-480p.
          Built in: reconciler explain --presets

        Error: two rate controls: "crf" and "bitrate" cannot both be set
          specs/trailers.yaml:12:17  encodes.talk.outputs.480p.video.bitrate

            11 |         extends: web-480p
            12 |         video: {bitrate: 900k}
               |                 ^^^^^^^
          "crf: 24" comes from preset web-480p, specs/presets.yaml:8:54.
          For a quality with a ceiling write  max_bitrate: 900k, buffer_size: 1800k
          For a fixed bitrate write           crf: null, bitrate: 900k

        2 errors in 1 of 2 files. Nothing was planned; the state was not touched.
    """
    assert dedent(expected) == error_text(caught.value)
