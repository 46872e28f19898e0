"""The ByteNite provider, held to the contract of all providers against the real server."""

from __future__ import annotations

import pytest

from builders_bytenite import bytenite, fresh, web
from builders_http import serving
from builders_server import serving_api
from reconciler.contract.provider import Bench, ProviderContract


class TestByteniteProvider(ProviderContract):
    """Real encodes of a few frames, over HTTP."""

    @pytest.fixture
    def bench(self, clips, tmp_path):
        """A server that encodes, a site that it fetches from, and a provider in front."""
        pages = {
            "/plain.mp4": clips.plain(),
            "/sound.m4a": clips.sound_only(),
            "/long.mp4": clips.long(),
        }
        with serving(pages) as site, serving_api(tmp_path, parallelism=2) as api:
            own = bytenite(api)
            slow = {"codec": "h264", "crf": 10, "preset": "placebo"}
            long = web(site.url("/long.mp4"))
            yield Bench(
                provider=own,
                quick=lambda: fresh(web(site.url("/plain.mp4"))),
                failing=lambda: fresh(web(site.url("/sound.m4a"))),
                endless=lambda: fresh(long, video=slow),
                restart=lambda: bytenite(api),
                left_behind=list,
            )
            own.close()
