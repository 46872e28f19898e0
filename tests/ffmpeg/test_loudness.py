"""Loudness: measured, changed, and measured again by another filter than the one that changed it."""

from __future__ import annotations

import re
import subprocess

import pytest

from builders_ffmpeg import AAC, H264, PROGRAM, encode, ended, job, local, made, output, provider
from builders_media import ffmpeg
from reconciler.core.ports import Done, Suspect, Verified
from reconciler.core.sound_fields import Loudness
from reconciler.ffmpeg import loudness
from reconciler.ffmpeg.loudness import Measured
from reconciler.ffmpeg.probe import probe

SOUND = {"container": "m4a", "video": None}


def heard(path, track=0):
    """Loudness in LUFS, range in LU and true peak in dBTP, by ffmpeg's ebur128."""
    words = ["-hide_banner", "-nostats", "-i", str(path), "-map", f"0:a:{track}", "-af", "ebur128=peak=true"]
    said = subprocess.run([PROGRAM, *words, "-f", "null", "-"], capture_output=True, check=True, text=True).stderr
    summary = said[said.rindex("Summary:") :]
    return tuple(float(re.search(rf"{name}:\s+(\S+)", summary)[1]) for name in ("I", "LRA", "Peak"))


def wish(**fields):
    """A sound of an output that is to be so loud."""
    return {**AAC, "bitrate": "128k", "loudness": {"target": -16, **fields}}


@pytest.mark.parametrize("target", [-16, -23])
@pytest.mark.parametrize("gain", [-20, 0])
def test_sound_becomes_as_loud_as_is_asked(clips, tmp_path, target, gain):
    """Within half a unit of the target, from quieter and from louder sources, with its range kept."""
    source = clips.loud(f"gain{gain}", gain)
    result, file = made(tmp_path, local(source), **SOUND, audio=wish(target=target))
    assert isinstance(result, Verified), result
    assert heard(file)[0] == pytest.approx(target, abs=0.5)
    assert heard(file)[1] == pytest.approx(heard(source)[1], abs=0.5)
    assert any("it is changed by" in note for note in result.notes)


@pytest.mark.parametrize("kind", ["mp3", "ogg", "flac"])
def test_every_kind_of_sound_can_be_loud(clips, tmp_path, kind):
    """MP3, Opus and FLAC come out as loud as AAC does."""
    codec = {"mp3": "mp3", "ogg": "opus", "flac": "flac"}[kind]
    sound = {"codec": codec, "channels": 2, "loudness": {"target": -18}}
    result, file = made(tmp_path, local(clips.loud("gain-20", -20)), container=kind, video=None, audio=sound)
    assert isinstance(result, Verified), result
    assert heard(file)[0] == pytest.approx(-18, abs=0.5)


def test_what_is_measured_is_the_trimmed_and_mixed_sound(clips, tmp_path):
    """A part of a surround source, as mono: other parts and other channels do not count."""
    result, file = made(tmp_path, local(clips.surround(), start=0.5, end=1.8), **SOUND, audio={**wish(), "channels": 1})
    assert isinstance(result, Verified), result
    assert heard(file)[0] == pytest.approx(-16, abs=0.5)


def test_peaks_in_the_way_are_a_note(clips, tmp_path):
    """Where one gain would push the peaks too high the change is dynamic, that is said, and the peaks stay low."""
    source = clips.loud("peaks", -20, peaks=",aeval=val(0)+0.8*lt(mod(t\\,2)\\,0.002)*sin(2*PI*2000*t)")
    sound = {"codec": "flac", "loudness": {"target": -14}}
    result, file = made(tmp_path, local(source), container="flac", video=None, audio=sound)
    assert isinstance(result, Verified), result
    assert any("it is changed dynamically" in note for note in result.notes), result.notes
    assert heard(file)[2] <= -1.4
    (reached,) = [note for note in result.notes if "came out as" in note]
    assert reached.endswith("LUFS instead of -14")


@pytest.mark.parametrize("end", [3.95, 3.913])
def test_sound_that_is_changed_dynamically_keeps_its_length(clips, tmp_path, end):
    """Left to itself, loudnorm sets the clock of the end forward."""
    source = clips.loud("peaks", -20, peaks=",aeval=val(0)+0.8*lt(mod(t\\,2)\\,0.002)*sin(2*PI*2000*t)")
    sound = {"codec": "flac", "loudness": {"target": -14}}
    result, file = made(tmp_path, local(source, end=end), container="flac", video=None, audio=sound)
    assert isinstance(result, Verified), result
    assert any("it is changed dynamically" in note for note in result.notes), result.notes
    assert probe(str(file)).audio[0].end == pytest.approx(end, abs=0.001)


def test_what_is_measured_is_what_ebur128_says(clips, tmp_path):
    """And not what loudnorm says, which is another thing in a few seconds of uneven sound."""
    source = clips.loud("uneven", -20, seconds=5)
    result, _ = made(tmp_path, local(source, end=4.2), **SOUND, audio=wish())
    (said,) = [note for note in result.notes if note.startswith("the loudness is")]
    cut = clips.folder / "uneven.wav"
    ffmpeg("-i", source, "-t", "4.2", "-c:a", "pcm_s24le", cut)
    assert said.startswith(f"the loudness is {heard(cut)[0]:.1f} LUFS")


def test_too_much_range_is_changed_dynamically():
    """A range that is asked for is kept to, though one gain would do for the level."""
    measured = Measured(-20, -12, 15, -30, 0)
    assert loudness.gain(Loudness(target=-16), measured) == 4
    assert loudness.gain(Loudness(target=-16, range=11), measured) is None
    (note,) = loudness.notes(Loudness(target=-16, range=11), measured)
    assert note == "the loudness is -20.0 LUFS with a range of 15.0 LU: it is changed dynamically"


def test_a_gain_that_just_fits():
    """The peak may reach the limit, and not a hair more."""
    assert loudness.gain(Loudness(target=-16), Measured(-20, -5.5, 5, -30, 0)) == 4
    assert loudness.gain(Loudness(target=-16), Measured(-20, -5.4, 5, -30, 0)) is None


def test_silence_stays_silence(clips, tmp_path):
    """There is nothing to raise, and that is said."""
    source = clips.loud("nothing", -200, seconds=2)
    result, _ = made(tmp_path, local(source), **SOUND, audio=wish())
    assert isinstance(result, Verified), result
    assert "the sound is silent: its loudness is left alone" in result.notes


def test_one_measuring_serves_all_outputs_of_a_sound(clips, tmp_path):
    """Two outputs of the same sound are measured once, before the one encode."""
    record = tmp_path / "calls"
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\ncase "$*" in *progress*) echo "$*" >> {record};; esac\nexec {PROGRAM} "$@"\n')
    program.chmod(0o755)
    source = local(clips.plain("four.mp4", seconds=4))
    outputs = [output(source, str(size), video={**H264, "height": size}, audio=wish()) for size in (120, 60)]
    results = encode(tmp_path, source, *outputs, program=str(program))
    assert all(isinstance(result, Verified) for result in results.values()), results
    calls = record.read_text().splitlines()
    assert 1 == sum("print_format=json" in call and "four.mp4" in call for call in calls)
    assert 1 == sum("libx264" in call for call in calls)


def test_an_output_that_is_not_as_loud_is_suspect(clips, tmp_path):
    """What one gain should have made exact and did not is not called whole."""
    source = local(clips.loud("gain-20", -20))
    (result,) = encode(tmp_path, source, output(source, **SOUND, audio=wish()), program=str(raised(tmp_path))).values()
    assert isinstance(result, Suspect), result
    assert "LUFS instead of -16" in result.error


def raised(tmp_path):
    """An ffmpeg that does not change the loudness by what it is told, but by 3 dB."""
    program = tmp_path / "ffmpeg"
    swap = 'for word; do set -- "$@" "$(echo "$word" | sed s/volume=[-0-9.]*dB/volume=3dB/)"; shift; done'
    program.write_text(f'#!/bin/sh\n{swap}\nexec {PROGRAM} "$@"\n')
    program.chmod(0o755)
    return program


KINDS = [("hls", "fmp4"), ("hls", "ts"), ("dash", "fmp4")]


def heard_stream(folder, stream):
    """How loud all segments of a stream are."""
    files = sorted((folder / stream).glob("*.mp4")) + sorted((folder / stream).glob("segment-*"))
    whole = folder.with_suffix(files[-1].suffix.replace("m4s", "mp4"))
    whole.write_bytes(b"".join(file.read_bytes() for file in files))
    return heard(whole)[0]


@pytest.mark.parametrize(("container", "segment"), KINDS)
def test_packages_are_made_loud_too(clips, tmp_path, container, segment):
    """The sound of a package is changed like that of a file."""
    source = local(clips.plain("long.mp4", seconds=4))
    own = provider(tmp_path)
    package = output(source, container=container, segment={"type": segment}, audio=wish())
    job_id = own.prepare(job(source, package))
    own.start(job_id)
    seen, messages = ended(own, job_id)
    assert isinstance(seen, Done), seen
    stream = "main" if segment == "ts" else "audio"
    assert heard_stream(tmp_path / seen.outputs["web"].path, stream) == pytest.approx(-16, abs=0.5)
    assert any("it is changed by" in message for message in messages)
    assert [] == [note for note in seen.outputs["web"].notes if "came out as" in note]


def test_a_sound_that_all_variants_have_is_told_once(clips, tmp_path):
    """However often it is made."""
    once = {name: {"video": {**H264, "height": size}, "audio": wish()} for name, size in (("a", 60), ("b", 80))}
    parts = {"container": "hls", "segment": {"type": "ts"}, "video": None, "audio": None, "variants": once}
    result, _ = made(tmp_path, local(clips.plain()), **parts)
    assert isinstance(result, Verified), result
    assert 1 == len([note for note in result.notes if note.startswith("the loudness is")])


@pytest.mark.parametrize(("container", "segment"), KINDS)
def test_a_package_that_is_not_as_loud_is_suspect(clips, tmp_path, container, segment):
    """It is measured again as it was made, and nothing of that is left in it."""
    source = local(clips.plain("long.mp4", seconds=4))
    package = output(source, container=container, segment={"type": segment}, audio=wish())
    (result,) = encode(tmp_path, source, package, program=str(raised(tmp_path))).values()
    assert isinstance(result, Suspect), result
    assert "LUFS instead of -16" in result.error
    assert 1 == len(list((tmp_path / "outputs/clip").iterdir()))


@pytest.mark.parametrize("seconds", [0.2, 0.7, 2.9])
@pytest.mark.parametrize("package", [{}, {"container": "hls", "segment": {"type": "ts", "duration": 1}}])
def test_short_sounds_are_made(clips, tmp_path, seconds, package):
    """Under the three seconds that loudness is told by, and under the 0.4 s of one block; the latter is a note."""
    result, file = made(tmp_path, local(clips.loud("gain-20", -20), end=seconds), **{**SOUND, **package}, audio=wish())
    assert isinstance(result, Verified), result
    if seconds < 0.4:
        assert "the sound is too short, or too quiet, for its loudness to be told: it is left alone" in result.notes
    elif not package:
        assert heard(file)[0] == pytest.approx(-16, abs=0.5)


def test_a_silent_package_stays_silent(clips, tmp_path):
    """There is nothing to raise, in the segments neither."""
    source = clips.loud("nothing", -200, seconds=2)
    package = {"container": "hls", "segment": {"type": "ts"}, "video": None}
    result, _ = made(tmp_path, local(source), **package, audio=wish())
    assert isinstance(result, Verified), result
    assert "the sound is silent: its loudness is left alone" in result.notes
