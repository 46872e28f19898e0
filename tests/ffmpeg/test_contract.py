"""The ffmpeg provider, held to the contract of all providers."""

from __future__ import annotations

import psutil
import pytest

from builders_ffmpeg import ENDLESS, H264, SLOW, generated, hidden_files, job, local, output, provider
from reconciler.contract.provider import Bench, ProviderContract


def processes(project):
    """The processes that write into a project."""
    found = psutil.process_iter(["cmdline"])
    return [" ".join(one.info["cmdline"]) for one in found if f"file:{project}/" in " ".join(one.info["cmdline"] or ())]


class TestFfmpegProvider(ProviderContract):
    """Real encodes of a few frames."""

    @pytest.fixture
    def bench(self, clips, tmp_path):
        """A project folder with a provider."""
        source, endless = local(clips.plain()), generated(ENDLESS)
        own = provider(tmp_path)
        yield Bench(
            provider=own,
            quick=lambda: job(source, output(source, "a"), output(source, "b", video={**H264, "height": 60})),
            failing=lambda: job(local(clips.sound_only()), output(source, "a")),
            endless=lambda: job(endless, output(endless, "a", **SLOW)),
            restart=lambda: provider(tmp_path),
            left_behind=lambda: hidden_files(tmp_path) + processes(tmp_path),
        )
        own.close()
