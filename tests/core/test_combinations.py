"""What the given parameters cannot mean, and what they can."""

from __future__ import annotations

import pytest

from builders_specs import complaints, one, problems, said, write
from reconciler.core.codecs import AUDIO, CONTAINERS, DEFAULT_ENCODERS, ENCODERS

_MP4 = "container: mp4, audio: {codec: none}"


def _video(text):
    return f"{{{_MP4}, video: {{{text}}}}}"


def _audio(text):
    return f"{{container: mkv, video: {{codec: none}}, audio: {{{text}}}}}"


CANNOT = {
    # containers and sections
    "{video: {codec: h264, crf: 23}, audio: {codec: aac}}": "no container is set",
    "{container: mp4, video: {codec: h264, crf: 23}}": "nothing is said about audio",
    "{container: mkv, audio: {codec: aac}}": "nothing is said about video",
    "{container: m4a, video: {codec: none}}": "nothing is said about audio",
    "{container: mp4, video: {codec: none}, audio: {codec: none}}": "neither picture nor sound",
    "{container: webm, video: {codec: h264, crf: 23}, audio: {codec: none}}": "webm cannot hold h264",
    "{container: webm, video: {codec: vp9, crf: 30}, audio: {codec: aac}}": "webm cannot hold aac",
    "{container: mov, video: {codec: av1, crf: 30}, audio: {codec: none}}": "mov cannot hold av1",
    "{container: mov, video: {codec: h264, crf: 30}, audio: {codec: opus}}": "mov cannot hold opus",
    "{container: m4a, video: {codec: h264, crf: 23}, audio: {codec: aac}}": "m4a cannot hold h264",
    "{container: m4a, audio: {codec: opus}}": "m4a cannot hold opus",
    "{container: mkv, faststart: true, video: {codec: h264, crf: 23}, audio: {codec: none}}": (
        '"faststart" says nothing for mkv'
    ),
    "{container: mp4, video: {codec: none, crf: 23, height: 720}, audio: {codec: aac}}": (
        '"crf", "height" say nothing beside "codec: none"'
    ),
    "{container: mp4, video: {codec: h264, crf: 23}, audio: {codec: none, missing: silence}}": (
        '"missing" says nothing beside "codec: none"'
    ),
    "{container: mp4, video: {crf: 23}, audio: {codec: none}}": "video has no codec",
    "{container: mp4, video: {codec: h264, crf: 23}, audio: {bitrate: 96k}}": "audio has no codec",
    # encoders and their words
    _video("codec: hevc, crf: 23, encoder: libx264"): "libx264 makes h264, not hevc",
    _video("codec: h264, crf: 23, preset: quick"): 'libx264 has no preset "quick"',
    _video("codec: vp9, crf: 30, preset: 6"): 'libvpx-vp9 has no preset "6"',
    _video("codec: av1, crf: 30, preset: 12"): 'libsvtav1 has no preset "12"',
    _video("codec: av1, crf: 30, preset: medium"): 'libsvtav1 has no preset "medium"',
    _video("codec: hevc, crf: 28, tune: film"): 'libx265 has no tune "film"',
    _video("codec: h264, crf: 23, profile: main10"): 'libx264 has no profile "main10"',
    _video("codec: h264, crf: 23, level: 6.3"): 'libx264 has no level "6.3"',
    _video("codec: av1, encoder: libaom-av1, crf: 30, level: 4.1"): 'libaom-av1 would ignore "level"',
    _video("codec: av1, crf: 30, pixel_format: yuv444p"): "libsvtav1 cannot make yuv444p",
    _video("codec: h264, crf: 23, profile: high, pixel_format: yuv420p10le"): '"profile: high" is not for yuv420p10le',
    _video("codec: h264, crf: 23, profile: main, pixel_format: yuv444p"): '"profile: main" is not for yuv444p',
    _video("codec: h264, crf: 23, profile: high10"): '"profile: high10" is not for yuv420p, the default',
    _video("codec: vp9, crf: 30, profile: 2"): '"profile: 2" is not for yuv420p, the default',
    _video("codec: h264, crf: 23, autocrop: true, crop: {top: 2}"): '"crop" and "autocrop" cannot both be set',
    "{container: mp4, video: {codec: h264, crf: 23}, audio: {codec: none}, subtitles: {track: 0}}": (
        '"track" says nothing for mp4'
    ),
    "{container: vtt, audio: {codec: aac}}": "vtt cannot hold aac",
    "{container: vtt, subtitles: {burn_in: eng}}": "vtt has no picture to burn into",
    "{container: m4a, audio: {codec: aac}, subtitles: {burn_in: 0}}": "there is no picture to burn subtitles into",
    "{container: hls, video: {codec: none}, audio: {codec: aac}, subtitles: {burn_in: 0}}": (
        "there is no picture to burn subtitles into"
    ),
    # watermarks
    _video("codec: h264, crf: 23, watermark: {opacity: 0.5}"): "watermark has no image",
    _video("codec: h264, crf: 23, watermark: {image: a.png, width: 0%}"): "a watermark of no width",
    _video("codec: h264, crf: 23, watermark: {image: a.png, position: center, margin: 2%}"): (
        '"margin" says nothing for a watermark in the center'
    ),
    _video("codec: h264, crf: 23, watermark: {image: a.png, start: 5s, end: 5s}"): (
        "a watermark that ends before it starts"
    ),
    "{container: jpg, stills: {at: 10%, watermark: {opacity: 1}}}": "watermark has no image",
    # qualities
    _video("codec: h264, quality: {}"): "quality says nothing",
    _video("codec: h264, quality: {vmaf: 94}, crf: 23"): ('two rate controls: "quality" and "crf" cannot both be set'),
    _video("codec: h264, bitrate: 1M, quality: {vmaf: 94}"): (
        'two rate controls: "quality" and "bitrate" cannot both be set'
    ),
    _video("codec: h264, quality: {vmaf: 94}, passes: 2"): '"passes: 2" is for an average bitrate',
    # stills
    "{container: jpg}": "nothing is said about the stills of a jpg",
    "{container: jpg, stills: {width: 160}}": "stills has neither a time nor an interval",
    "{container: jpg, stills: {at: 1s, every: 2s}}": '"at" and "every" cannot both be set',
    "{container: png, stills: {at: 1s, grid: 2x2}}": '"grid" says nothing for one picture',
    "{container: png, stills: {every: 1s, grid: 2x2}}": "a sheet of pictures of full size",
    "{container: webp, stills: {at: 10%, width: 161}}": "width: 161 is odd, which stills cannot be",
    "{container: jpg, stills: {at: 10%}, video: {codec: h264, crf: 23}}": "jpg cannot hold h264",
    "{container: m4a, audio: {codec: aac}, stills: {at: 10%}}": '"stills" says nothing for m4a',
    # rate control
    _video("codec: h264, crf: 23, passes: 2"): '"passes: 2" is for an average bitrate',
    _video("codec: h264, bitrate: 1M, mode: cbr, passes: 2"): '"passes: 2" is for an average bitrate',
    _video("codec: h264"): 'no rate control: neither "crf" nor "bitrate" is set',
    _video("codec: h264, max_bitrate: 4M"): '"max_bitrate" alone is no rate control',
    _video("codec: h264, crf: 23, bitrate: 4M"): 'two rate controls: "crf" and "bitrate" cannot both be set',
    _video("codec: h264, crf: 23, mode: cbr"): '"mode: cbr" needs a "bitrate"',
    _video("codec: h264, mode: cbr"): '"mode: cbr" needs a "bitrate"',
    _video("codec: h264, crf: 52"): "crf: 52 is beyond what libx264 takes",
    _video("codec: av1, crf: 30.5"): "libsvtav1 takes whole numbers only, not crf: 30.5",
    _video("codec: h264, crf: 0, profile: high"): '"crf: 0" is lossless, which "profile: high" cannot hold',
    _video("codec: h264, crf: 23, max_bitrate: 4M"): '"max_bitrate" needs a "buffer_size"',
    _video("codec: h264, crf: 23, buffer_size: 4M"): '"buffer_size" needs a "max_bitrate"',
    _video("codec: h264, bitrate: 4M, max_bitrate: 5M"): '"max_bitrate" needs a "buffer_size"',
    _video("codec: h264, bitrate: 4M, buffer_size: 5M"): '"buffer_size" needs a "max_bitrate"',
    _video("codec: h264, crf: 23, min_bitrate: 1M"): '"min_bitrate" goes with "bitrate", not with "crf"',
    _video("codec: h264, bitrate: 4M, min_bitrate: 1M"): 'libx264 would ignore "min_bitrate" here',
    _video("codec: h264, bitrate: 4M, mode: cbr, max_bitrate: 4M"): '"max_bitrate" says nothing beside "mode: cbr"',
    _video("codec: vp9, crf: 30, max_bitrate: 4M, buffer_size: 8M"): 'libvpx-vp9 would ignore "buffer_size" here',
    _video("codec: vp9, bitrate: 4M, max_bitrate: 5M"): 'libvpx-vp9 keeps no "max_bitrate" beside "bitrate"',
    _video("codec: av1, bitrate: 4M, max_bitrate: 5M"): 'libsvtav1 keeps no "max_bitrate" beside "bitrate"',
    _video("codec: vp9, bitrate: 4M, min_bitrate: 5M"): '"min_bitrate" (5000k) is above "bitrate" (4000k)',
    _video(
        "codec: h264, bitrate: 6M, max_bitrate: 5M, buffer_size: 5M"
    ): '"bitrate" (6000k) is above "max_bitrate" (5000k)',
    # pictures
    _video("codec: h264, crf: 23, height: 721"): "height: 721 is odd, which yuv420p cannot be",
    _video("codec: h264, crf: 23, width: 641, pixel_format: yuv422p"): "width: 641 is odd, which yuv422p cannot be",
    _video("codec: h264, crf: 23, avoid_upscaling: false"): '"avoid_upscaling" says nothing without a width or height',
    _video("codec: h264, crf: 23, crop: {}"): "a crop that takes nothing off",
    _video("codec: h264, crf: 23, crop: {top: 21}"): "crop.top: 21 is odd: colours are shared by two pixels",
    _video("codec: h264, crf: 23, pad: {color: black}"): "pad has no aspect",
    _video("codec: h264, crf: 23, pad: {aspect: 16:9, color: blurple}"): 'unknown colour "blurple"',
    # sound
    _audio("codec: opus, sample_rate: 44100"): "opus cannot have 44100 samples a second",
    _audio("codec: aac, sample_rate: 192k"): "aac cannot have 192000 samples a second",
    _audio("codec: aac, channels: 7"): "aac cannot have 7 channels",
    _audio("codec: opus, channels: 1, bitrate: 300k"): "opus cannot use 300k for 1 channel",
    _audio("codec: aac, channels: 2, sample_rate: 22050, bitrate: 320k"): "aac cannot use 320k for 2 channels",
    _audio("codec: aac, bitrate: 128"): '"bitrate" is 128 bits a second',
    _audio("codec: mp3, channels: 6"): "mp3 cannot have 6 channels",
    _audio("codec: mp3, bitrate: 100k"): "mp3 has no 100k",
    _audio("codec: mp3, bitrate: 144k"): "mp3 has no 144k",
    _audio("codec: mp3, sample_rate: 22050, bitrate: 192k"): "mp3 cannot use 192k for 2 channels",
    _audio("codec: flac, bitrate: 500k"): "flac loses nothing, so it has no bitrate to choose",
    _audio("codec: aac, loudness: {true_peak: -1}"): "loudness has no target",
    _audio("codec: aac, copy_if: {}"): "copy_if has no condition",
    _audio("codec: aac, copy_if: {max_bitrate: 192k}, loudness: {target: -16}"): (
        "copied sound keeps its loudness: copy_if and loudness cannot both be set"
    ),
    _audio("codec: aac, track: 1, tracks: all"): '"track" and "tracks" cannot both be set',
    _audio("codec: copy, bitrate: 96k"): '"bitrate" says nothing for sound that is copied',
    _audio("codec: copy, loudness: {target: -16}"): '"loudness" says nothing for sound that is copied',
    _audio("codec: copy, missing: silence"): "silence cannot be copied",
    "{container: mp3, audio: {codec: aac}}": "mp3 cannot hold aac",
    "{container: mp3, audio: {codec: mp3, tracks: [eng, nld]}}": "mp3 holds one track of sound",
    "{container: ogg, audio: {codec: opus, tracks: all}}": "ogg holds one track of sound",
    "{container: flac, faststart: true, audio: {codec: flac}}": '"faststart" says nothing for flac',
    "{container: m4a, audio: {codec: aac, copy_if: {codec: mp3}}}": "m4a cannot hold mp3, so it would never be copied",
    "{container: hls, video: {codec: none}, audio: {codec: copy}}": "hls cannot hold copy",
    "{container: hls, video: {codec: none}, audio: {codec: aac, copy_if: {max_bitrate: 1M}}}": (
        "hls is cut into segments, so its sound cannot be copied"
    ),
}


@pytest.mark.parametrize("text", CANNOT)
def test_cannot(text, tmp_path):
    """What could not be encoded, or would be ignored, is told, and nothing else with it."""
    assert [CANNOT[text]] == complaints(tmp_path, text)


CAN = [
    _video("codec: h264, crf: 23.5, profile: baseline, level: 3"),
    _video("codec: h264, crf: 0"),
    _video("codec: h264, crf: 0, profile: high444"),
    _video("codec: h264, crf: 0, profile: high10, pixel_format: yuv420p10le"),
    _video("codec: h264, crf: 51, tune: grain, preset: placebo"),
    _video("codec: h264, crf: 21, max_bitrate: 4M, buffer_size: 8M"),
    _video("codec: h264, bitrate: 4M, mode: vbr"),
    _video("codec: h264, bitrate: 4M, max_bitrate: 5M, buffer_size: 8M"),
    _video("codec: h264, bitrate: 4M, mode: cbr"),
    _video("codec: h265, bitrate: 4M, mode: cbr, buffer_size: 4M"),
    _video("codec: hevc, crf: 28, profile: main10, pixel_format: yuv420p10le, level: 5.1"),
    _video("codec: vp9, crf: 30, max_bitrate: 4M, preset: 0, profile: 0"),
    _video("codec: vp9, bitrate: 4M, min_bitrate: 1M, tune: film"),
    _video("codec: av1, crf: 30, max_bitrate: 4M, buffer_size: 8M, preset: -1, tune: vq"),
    _video("codec: av1, bitrate: 4M, min_bitrate: 1M, mode: vbr"),
    _video("codec: av1, encoder: libaom-av1, crf: 63, pixel_format: yuv422p10le, profile: professional"),
    _video("codec: h264, crf: 23, width: 641, height: 481, pixel_format: yuv444p, crop: {left: 3}"),
    _video("codec: h264, crf: 23, height: 721, pixel_format: yuv422p"),
    _video("codec: h264, crf: 23, height: 720, avoid_upscaling: false, crop: {top: 0}"),
    _video("codec: h264, crf: 23, pad: {aspect: 16:9, color: '#102030'}"),
    _video("codec: h264, crf: 23, fps: {max: 30}, rotate: 90, flip: both, keyframe_interval: 2s"),
    _audio("codec: opus, channels: 6, bitrate: 512k, sample_rate: 48k, track: 1, missing: error"),
    _audio("codec: aac, channels: 1, bitrate: 288k"),
    _audio("codec: mp3, sample_rate: 22050, bitrate: 144k"),
    _audio("codec: copy, tracks: all"),
    _audio("codec: aac, tracks: [en, nl], copy_if: {codec: ac3, max_bitrate: 640k}"),
    _audio("codec: flac, loudness: {target: -23 LUFS, true_peak: -1 dBTP, range: 15 LU}"),
    "{container: mp3, audio: {codec: mp3, bitrate: 320k, tracks: [eng]}}",
    "{container: flac, audio: {codec: flac, channels: 6, sample_rate: 96k}}",
    "{container: ogg, audio: {codec: opus, bitrate: 96k}}",
    "{container: jpg, stills: {at: 10%}}",
    "{container: jpg, stills: {at: 10%}, subtitles: {burn_in: nl}}",
    "{container: hls, video: {codec: h264, crf: 23}, audio: {codec: aac}, subtitles: {burn_in: 1}}",
    "{container: vtt}",
    "{container: srt, subtitles: {track: en}, video: {codec: none}, audio: {codec: none}}",
    _video("codec: h264, quality: {vmaf: 94}"),
    _video("codec: hevc, quality: {vmaf: 90.5}, max_bitrate: 4M, buffer_size: 8M"),
    "{container: png, stills: {at: 00:01:30, height: 720}, video: {codec: none}, audio: {codec: none}}",
    "{container: webp, stills: {every: 10s, width: 160, grid: 10x10}}",
    "{container: mp3, video: {codec: none}, audio: {codec: copy}}",
    _audio("codec: aac, bitrate: 512k, sample_rate: 44.1k"),
    "{container: m4a, audio: {codec: aac}, faststart: false}",
    "{container: webm, video: {codec: av1, crf: 30}, audio: {codec: opus}}",
    "{container: mp4, video: {codec: vp9, crf: 30}, audio: {codec: opus}}",
]


@pytest.mark.parametrize("text", CAN)
def test_can(text, tmp_path):
    """What an encoder does is not refused."""
    assert "a/x" == one(tmp_path, text).address


@pytest.mark.parametrize("container", [name for name, facts in CONTAINERS.items() if facts.audio])
def test_containers_hold_what_they_say(container, tmp_path):
    """Each container takes every codec of its list, and tells of every other."""
    facts = CONTAINERS[container]
    sound = f"audio: {{codec: {facts.audio[0]}}}"
    for codec in DEFAULT_ENCODERS:
        text = f"{{container: {container}, video: {{codec: {codec}, crf: 30}}, {sound}}}"
        if codec in facts.video:
            assert codec == one(tmp_path, text).parameters.video.codec
        else:
            assert [f"{container} cannot hold {codec}"] == complaints(tmp_path, text)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_word_of_an_encoder_is_taken(encoder, tmp_path):
    """The tables are what is asked: presets, tunes, profiles with their pixel formats, levels."""
    facts = ENCODERS[encoder]
    base = f"codec: {facts.codec}, encoder: {encoder}, crf: 30"
    words = [f"{base}, preset: {preset}" for preset in facts.presets]
    words += [f"{base}, tune: {tune}" for tune in facts.tunes] + [f"{base}, level: {level}" for level in facts.levels]
    words += [
        f"{base}, profile: {name}, pixel_format: {each}" for name, able in facts.profiles.items() for each in able
    ]
    outputs = "".join(f"\n  o{index}: {_video(text)}" for index, text in enumerate(words))
    text = said("web-720p").replace("\n      x: web-720p", outputs.replace("\n", "\n    "))
    write(tmp_path, {"specs/a.yaml": text + "    protct: 1\n"})
    assert ['unknown key "protct"'] == [problem.message for problem in problems(tmp_path)]


@pytest.mark.parametrize("codec", AUDIO)
def test_every_number_of_an_audio_codec_is_taken(codec, tmp_path):
    """Sample rates and channel counts of the table are asked for without complaint."""
    facts = AUDIO[codec]
    for rate in facts.sample_rates:
        assert rate == one(tmp_path, _audio(f"codec: {codec}, sample_rate: {rate}")).parameters.audio.sample_rate
    for channels in facts.channels:
        assert channels == one(tmp_path, _audio(f"codec: {codec}, channels: {channels}")).parameters.audio.channels


RATES = {
    "{extends: web-720p, video: {bitrate: 900k}}": [
        '"crf: 23" comes from preset web-720p, specs/a.yaml:6:39.',
        "For a quality with a ceiling write  max_bitrate: 900k, buffer_size: 1800k",
        "For a fixed bitrate write           crf: null, bitrate: 900k",
    ],
    "{extends: 720p-h264, video: {bitrate: 0.9M}}": [
        '"crf: 23" comes from the built-in preset 720p-h264.',
        "For a quality with a ceiling write  max_bitrate: 0.9M, buffer_size: 1.8M",
        "For a fixed bitrate write           crf: null, bitrate: 0.9M",
    ],
    _video("codec: h264, bitrate: 900k, crf: 24"): [
        '"bitrate: 900k" is at specs/a.yaml:12:70.',
        "For a quality with a ceiling write  crf: 24, max_bitrate: 900k, buffer_size: 1800k",
        "For a fixed bitrate write           bitrate: 900k",
    ],
    _video("codec: vp9, crf: 24, bitrate: 900k"): [
        '"crf: 24" is at specs/a.yaml:12:69.',
        "For a quality with a ceiling write  crf: 24, max_bitrate: 900k",
        "For a fixed bitrate write           bitrate: 900k",
    ],
}


@pytest.mark.parametrize("text", RATES)
def test_two_rate_controls_are_told_with_both_ways_out(text, tmp_path):
    """The hint says where the other one comes from and writes out what to write instead."""
    write(tmp_path, {"specs/a.yaml": said(text)})
    [problem] = problems(tmp_path)
    assert RATES[text] == list(problem.hints)


def test_the_output_itself_is_blamed_before_its_preset(tmp_path):
    """Of two fields that contradict, the place is the one that the output says itself."""
    head = """\
        presets:
          p: {container: mp4, video: {codec: h264, bitrate: 4M}, audio: {codec: aac}}
    """
    write(tmp_path, {"specs/p.yaml": head, "specs/a.yaml": said("{extends: p, video: {crf: 23}}")})
    [problem] = problems(tmp_path)
    assert ("encodes.a.outputs.x.video.crf", "specs/a.yaml:12:31") == (problem.path, str(problem.place))
    assert '"bitrate: 4M" comes from preset p, specs/p.yaml:2:44.' == problem.hints[0]
