"""Bodies that /docs shows: the guide's, and one of its templates."""

from __future__ import annotations

CREATE = {"name": "Big Buck Bunny SD H.264", "templateId": "video-transcoding@v0.2"}

SOURCE = {
    "dataSource": {
        "dataSourceDescriptor": "url",
        "params": {
            "@type": "type.googleapis.com/bytenite.data_source.HttpDataSource",
            "url": "https://storage.googleapis.com/video-test-public/input/bbb.mp4",
        },
    },
    "dataDestination": {"dataSourceDescriptor": "bucket"},
}

ENCODING = {
    "data": {
        "output_template": "{{.job_name}}_{{.output_params.Aspect.Resolution.Height}}",
        "outputs": [
            {
                "output_type": "mp4",
                "output_params": {
                    "aspect": {"resolution": {"height": "480p", "avoid_upscaling": True}},
                    "audio": {
                        "audio_codec": "AAC",
                        "audio_bitrate": "192k",
                        "audio_channel": "2.0",
                        "audio_sample_rate": "48khz",
                    },
                    "video": {
                        "codec": "libx264",
                        "codec_params": {"preset": "slow"},
                        "bitrate": {"rate_control_mode": "constant_quality", "crf": 23},
                    },
                },
            }
        ],
    }
}
