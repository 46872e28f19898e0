"""HLS from ByteNite's own documents: the folder of a package opens by its link, playlist by segment."""

from __future__ import annotations

import io
from urllib.parse import urljoin

import av
import m3u8
import requests

from builders_http import Page, serving
from builders_server import serving_api


def test_a_published_hls_document_gives_packages_that_play(tmp_path, clips, body):
    """Each entry is a package with one variant; everything that its playlists name is there under the same link."""
    document = body("params.request.hls_x264_vbr_custom_height")
    with (
        serving({"/tos.mp4": Page(clips.plain("packed.mp4", seconds=1, rate=10))}) as site,
        serving_api(tmp_path) as api,
    ):
        client = api.client()
        job_id = client.draft(site.url("/tos.mp4"), document)
        client.run(job_id)
        assert "JOB_STATE_COMPLETE" == client.ended(job_id)[0]["state"]
        results = client.ask("GET", f"/jobs/{job_id}/results")["results"]

        assert ["out_0/360p @365kbps", "out_1/720p @4.5Mbps"] == sorted(result["name"] for result in results)
        for result in results:
            assert opened(result["link"]) > 5


def opened(link):
    """How many pictures there are behind the link of a package, fetched as a player would."""
    master = m3u8.loads(fetched(link).decode(), uri=link)
    (variant,) = master.playlists
    assert variant.stream_info.codecs.startswith("avc1.")
    at = urljoin(link, variant.uri)
    playlist = m3u8.loads(fetched(at).decode(), uri=at)
    init = fetched(urljoin(at, playlist.segment_map[0].uri))
    count = 0
    for segment in playlist.segments:
        with av.open(io.BytesIO(init + fetched(urljoin(at, segment.uri)))) as container:
            count += len(list(container.decode(video=0)))
    return count


def fetched(link):
    """What is behind a link."""
    answer = requests.get(link, timeout=30)
    answer.raise_for_status()
    return answer.content
