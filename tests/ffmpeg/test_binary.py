"""Finding ffmpeg and asking what it is."""

from __future__ import annotations

import stat

import pytest

from builders_ffmpeg import PROGRAM
from reconciler.core.errors import ProviderError
from reconciler.ffmpeg import binary


def script(path, text, mode=0o755):
    """A program of a few words."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


def test_the_wheel_brings_one():
    """Without a word in the environment it is the program of the imageio-ffmpeg wheel, and it is executable."""
    assert binary.find({}) == PROGRAM
    assert "imageio_ffmpeg" in PROGRAM


def test_the_environment_names_another(tmp_path):
    """RECONCILER_FFMPEG may be a path, or a name that is looked for in PATH."""
    other = script(tmp_path / "ffmpeg-8", "echo")
    assert str(other) == binary.find({"RECONCILER_FFMPEG": str(other)})
    assert str(other) == binary.find({"RECONCILER_FFMPEG": "ffmpeg-8", "PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "said"),
    [("nothing", "which is not there"), ("folder", "which is a folder"), ("plain", "which may not be executed")],
)
def test_what_cannot_be_run_is_said(tmp_path, name, said):
    """A missing file, a folder and a file without permission each have a sentence of their own."""
    (tmp_path / "folder").mkdir()
    script(tmp_path / "plain", "echo", mode=stat.S_IRUSR)
    with pytest.raises(ProviderError, match=said):
        binary.find({"RECONCILER_FFMPEG": str(tmp_path / name)})


def test_a_build_tells_its_version_and_encoders():
    """The wheel's build has every encoder that a spec may name, and both of sound."""
    found = binary.build(PROGRAM, {})
    wanted = {"libx264", "libx265", "libvpx-vp9", "libsvtav1", "libaom-av1", "aac", "libopus"}
    assert wanted <= found.encoders
    assert found.version.startswith("ffmpeg ")


def test_a_program_that_is_no_ffmpeg_is_refused(tmp_path):
    """What answers with something else, or with an error, is not taken for ffmpeg."""
    with pytest.raises(ProviderError, match="is not ffmpeg"):
        binary.build(str(script(tmp_path / "cat", "echo meow")), {})
    with pytest.raises(ProviderError, match="it ends with 3"):
        binary.build(str(script(tmp_path / "dog", "exit 3")), {})
    with pytest.raises(ProviderError, match="does not run"):
        binary.build(str(tmp_path / "nothing"), {})
