"""One sentence for every field of a spec, shown by editors beside the field."""

from __future__ import annotations

from collections.abc import Mapping

DESCRIPTIONS: Mapping[str, Mapping[str, str]] = {
    "Spec": {
        "version": "The version of the spec language; 1.",
        "project": "The project's name, once in all files: state and jobs belong to it.",
        "providers": "Who runs jobs, by name. `local`, this machine, is always there.",
        "defaults": "How all outputs are treated that do not say otherwise.",
        "limits": "The most that a plan may do; apply refuses one that does more.",
        "presets": "Named, reusable sets of output parameters.",
        "variables": "Values for ${var.NAME}; --var NAME=VALUE overrides them.",
        "encodes": "What to make, by name.",
    },
    "LimitsSpec": {
        "max_cost": "The most that a plan may cost: 50 USD.",
        "max_jobs": "The most jobs that a plan may start; 100 for jobs that cost money.",
        "max_minutes": "The most minutes of output that a plan may encode.",
        "max_rerun_percent": "The most finished outputs encoded again, in percent; 30 where it costs money.",
        "min_existing": "From how many finished outputs on the percentage counts; 10 if left out.",
        "max_failures": "After how many failures an apply starts nothing more.",
    },
    "ProviderOptions": {
        "type": "What kind of provider this is.",
        "parallelism": "How many of its jobs run at once.",
    },
    "Policy": {
        "enabled": "false pauses it: nothing is done about it, and nothing is retired.",
        "protect": "true: never rerun or retired without a named override.",
        "attempts": "How often a failing encode is tried; 2 if left out.",
        "labels": "Words of your own, recorded with the output.",
        "deliver": "Where finished files are copied to: a folder, or s3:// gs:// az:// BUCKET/PATH.",
        "checks": "What a finished file must meet before it counts as complete.",
        "on_expiry": "keep (a warning) or rerun, when a provider has deleted a file that was not delivered.",
        "on_remove": "keep or delete: what becomes of the files of an output that is declared no longer.",
    },
    "DeliverSpec": {
        "to": "A folder, or s3://BUCKET/PATH, gs://..., az://...",
        "path": "The path below it: {encode}/{output}.{ext}, also {fingerprint8}, {container}, {height}.",
        "public_url": "Where the place is seen in public: https://HOST/PATH.",
    },
    "ChecksSpec": {
        "duration_tolerance": "How far the end of a track may be from its source's, in seconds.",
        "decode": "tail, or full: decode all of it, without an error.",
        "max_size": "The largest size: bytes, or a share of the source such as 80%.",
        "max_bitrate": "The highest average bit rate.",
        "min_vmaf": "The least mean VMAF against the source.",
        "min_vmaf_p1": "The least VMAF that 99 of 100 frames reach.",
        "min_ssim": "The least mean SSIM against the source.",
        "max_gap": "The widest gap between two time stamps, in seconds.",
    },
    "PlacedPolicy": {"provider": "Who runs the jobs."},
    "EncodeSpec": {
        "source": "An http(s) URL, a path in the project folder, or lavfi: test pictures.",
        "for_each": "One encode a name: a list, a mapping of values, a table or files.",
        "outputs": "What is made of the source: names of presets, or outputs by name.",
        "template": "A ByteNite parameter document (JSON), whose outputs become the outputs.",
        "params": "The same document, written here.",
    },
    "SourceSpec": {
        "url": "Where it is; with an id it may be ${env.NAME}, read at apply only.",
        "path": "A path in the project folder.",
        "id": "What it is known by, where the URL changes.",
        "trim": "The part that is encoded.",
        "sha256": "The digest that the content must have.",
        "ignore_query": "Query parameters that say nothing about the content.",
        "watch": "content: --refresh looks whether a remote source changed, and a change encodes again.",
        "username": "Who asks for the URL, where it needs a login.",
        "password": "The password of that login: ${env.NAME}, read at apply only.",
    },
    "TrimSpec": {
        "start": "Where it begins: 2s, 00:01:30.",
        "end": "Where it ends, counted from the source's start.",
        "duration": "How long it is, instead of an end.",
    },
    "ForEachFile": {
        "file": "A .csv, .json or .yaml file in the project folder.",
        "key": "The column that holds the names.",
    },
    "ForEachGlob": {"glob": "Files in the project folder; ${each.value.path} is a file's path."},
    "PresetSpec": {"extends": "A preset, or several of which later ones win, that this one changes."},
    "Parameters": {
        "container": "The kind of file; hls, dash and cmaf (both of them) are folders of segments and playlists.",
        "video": "The picture; {codec: none} for none.",
        "audio": "The sound; {codec: none} for none.",
        "faststart": "Whether an mp4, mov or m4a plays before it is loaded; true if left out.",
        "segment": "How an hls, dash or cmaf package is cut up.",
        "variants": "The renditions of a package by name, each on top of the output's own video and audio.",
    },
    "Segment": {
        "type": "fmp4 or, for old players of hls, ts; fmp4 if left out.",
        "duration": "How long a segment is; 6s if left out.",
    },
    "Variant": {
        "video": "What its picture has different.",
        "audio": "What its sound has different.",
    },
    "Video": {
        "codec": "The codec; h265 is hevc.",
        "encoder": "ffmpeg's encoder, where not the usual one of the codec.",
        "crf": "Constant quality; lower is better and larger.",
        "bitrate": "Average bits a second.",
        "min_bitrate": "The least bits a second, beside bitrate.",
        "max_bitrate": "The most bits a second.",
        "buffer_size": "Over how many bits the most is counted.",
        "mode": "vbr (an average) or cbr (constant), beside bitrate.",
        "passes": "2: look at all of it first, so that the average is met and bits go where they are needed.",
        "preset": "The encoder's effort: medium for x264 and x265, a number for VP9 and AV1.",
        "tune": "What the encoder cares for: film, animation, grain ...",
        "profile": "The codec's profile.",
        "level": "The codec's level, such as 4.1.",
        "pixel_format": "Colour resolution and depth; yuv420p if left out.",
        "width": "Pixels; alone it keeps the shape.",
        "height": "Pixels; alone it keeps the shape.",
        "avoid_upscaling": "Whether smaller sources stay small; true if left out.",
        "crop": "Pixels taken off the source's edges.",
        "pad": "Bars that bring the picture to a shape.",
        "deinterlace": "auto: if the source is interlaced; on; off if left out.",
        "tonemap": "How HDR is brought down to SDR: hable, mobius or reinhard.",
        "rotate": "Degrees, clockwise.",
        "flip": "Mirror the picture.",
        "fps": "Frames a second, or {max: 30} for a ceiling.",
        "keyframe_interval": "The time between keyframes: 2s.",
    },
    "Crop": {
        "top": "Pixels off the top.",
        "bottom": "Pixels off the bottom.",
        "left": "Pixels off the left.",
        "right": "Pixels off the right.",
    },
    "Pad": {"aspect": "The shape: 16:9.", "color": 'A name or "#rrggbb", in quotes; black if left out.'},
    "FrameRateLimit": {"max": "The most frames a second."},
    "Audio": {
        "codec": "The codec; copy takes the source's sound as it is.",
        "bitrate": "Bits a second: 128k.",
        "channels": "1, 2, 6 or mono, stereo, 5.1.",
        "sample_rate": "Samples a second: 48k.",
        "track": "Which of the source's audio tracks, counted from 0.",
        "tracks": "Several of them: all, numbers, or languages such as [eng, nld].",
        "missing": "What to do without it: skip (with a note), silence or error.",
        "loudness": "How loud it becomes, by EBU R128, measured in a pass of its own.",
        "copy_if": "When a track is copied instead of encoded.",
    },
    "Loudness": {
        "target": "The loudness of the whole, in LUFS: -16 for the web, -23 for television.",
        "true_peak": "The highest true peak, in dBTP; -1.5 if left out.",
        "range": "The most loudness range, in LU; left out, the range stays as it is.",
    },
    "CopyIf": {
        "codec": "The source's codec; that of the output if left out.",
        "max_bitrate": "The most bits a second that the source's track may have.",
    },
}


def description(model: str, field: str) -> str:
    """A field's sentence; fields of a base model are described there."""
    own = DESCRIPTIONS.get(model, {}).get(field)
    return own or next((fields[field] for fields in DESCRIPTIONS.values() if field in fields), "")
