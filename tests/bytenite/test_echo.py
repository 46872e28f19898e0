"""Whether a server took what it was sent."""

from __future__ import annotations

import copy

import pytest

from builders_bodies import body, document, entry
from reconciler.bytenite.wire import echo_differences, params_body

SENT = body("params.request.mp4_x264_and_vp9_vbr")


def test_the_seen_echoes_are_the_same():
    """With all that the server adds."""
    assert [] == echo_differences(SENT, body("params.response.2023-03")["job"]["params"])
    assert [] == echo_differences(
        body("params.request.mp4_x264_crf_480p"), body("get_job.response.partitioning.2023-06")["job"]["params"]
    )
    assert [] == echo_differences(
        body("params.request.png_opencv_container"), body("params.response.2023-12")["job"]["params"]
    )
    assert [] == echo_differences(
        body("datasource.request.url_to_bucket.legacy"), body("datasource.response.echo.2023-03")
    )


def test_the_seen_echo_of_a_store():
    """Keys come back in the clear, and are not compared."""
    sent = body("datasource.request.storj.legacy")
    sent["dataSource"]["params"]["secretKey"] = "hunter2"
    echoed = body("create_job.response.storj_full.2023-05")["job"]
    assert [] == echo_differences(sent, echoed)


@pytest.mark.parametrize("wrapped", [False, True])
def test_wrappings_do_not_matter(wrapped):
    """A document counts, wherever the server keeps it."""
    sent = params_body(SENT, "current", "app")
    assert [] == echo_differences(sent, {"params": sent} if wrapped else sent)
    assert [] == echo_differences(sent, SENT)
    assert [] == echo_differences(SENT, sent)


def changed(path, value):
    """The echo of a document with one value changed."""
    echoed = copy.deepcopy(SENT)
    target = echoed
    for key in path[:-1]:
        target = target[key]
    if value is None:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return echoed


BITRATE = ("data", "outputs", 0, "output_params", "video", "bitrate")
HEIGHT = ("data", "outputs", 1, "output_params", "aspect", "resolution", "height")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (
            (*BITRATE, "avg_bitrate"),
            "3001k",
            'data.outputs[0].output_params.video.bitrate.avg_bitrate: "3000k" was sent, "3001k" came back',
        ),
        (
            (*BITRATE, "avg_bitrate"),
            None,
            "data.outputs[0].output_params.video.bitrate.avg_bitrate: is missing",
        ),
        (HEIGHT, "", 'data.outputs[1].output_params.aspect.resolution.height: "480p" was sent, "" came back'),
        (("data", "outputs"), SENT["data"]["outputs"][:1], "data.outputs: 2 were sent, 1 came back"),
        (("data", "outputs"), None, "data.outputs: is missing"),
        (("data",), None, "data: is missing"),
    ],
)
def test_what_is_missing_or_different_is_told(path, value, words):
    """Before anything is paid for."""
    assert [words] == echo_differences(SENT, changed(path, value))


@pytest.mark.parametrize(
    "echoed", [None, {}, [], "x", {"partitioner": {}, "assembler": {}, "app": {}}, {"params": None}]
)
def test_a_dropped_document_is_told(echoed):
    """As a server of the current generation may do with a flat one."""
    assert ["data: is missing"] == echo_differences(SENT, echoed)


def test_spellings_and_numbers_do_not_matter():
    """Nor does a preset, which is deprecated."""
    sent = document(
        entry("a", video={"bitrate": {"crf": 23, "buffer_size": "0", "rate": 0}, "x": ""}), preset="unpackaged"
    )
    echoed = document(entry("a", video={"bitrate": {"crf": "23", "bufferSize": 0, "rate": "0"}}))
    assert [] == echo_differences(sent, echoed)


def test_a_quality_of_zero_is_not_nothing():
    """Lossless is a wish."""
    sent = document(entry("a", video={"crf": 0}))
    assert 1 == len(echo_differences(sent, document(entry("a", video={}))))
    assert 1 == len(echo_differences(sent, document(entry("a", video={"crf": None}))))


def test_truths_are_compared():
    """Also where they are text."""
    sent = document(entry("a", aspect={"avoid_upscaling": False}))
    assert [] == echo_differences(sent, document(entry("a", aspect={"avoid_upscaling": "false"})))
    assert 1 == len(echo_differences(sent, document(entry("a", aspect={"avoid_upscaling": 0}))))


def test_what_stands_beside_app_is_compared_too():
    """A template may say how to cut the source."""
    sent = {"app": SENT, "partitioner": {"chunk": 5}}
    assert [] == echo_differences(sent, {"params": copy.deepcopy(sent)})
    assert ["partitioner.chunk: is missing"] == echo_differences(sent, {"app": SENT, "partitioner": {}})


@pytest.mark.parametrize(("sent", "echoed"), [("aws", "s3"), ("s3", "aws"), ("file", "local")])
def test_a_store_by_its_other_name_is_the_same(sent, echoed):
    """It was renamed in September 2025."""
    assert [] == echo_differences(
        {"dataSource": {"dataSourceDescriptor": sent}}, {"dataSource": {"data_source_descriptor": echoed}}
    )


def test_nothing_secret_is_told():
    """Neither signatures nor credentials, on either side."""
    url = "https://me:hunter2@x.example/a.mp4?X-Goog-Signature=hunter2"
    sent = {"dataSource": {"params": {"url": url, "password": "hunter2", "secretKey": "hunter2"}}}
    (words,) = echo_differences(sent, {"dataSource": {"params": {"url": f"{url}hunter2", "password": ""}}})
    assert words.startswith("dataSource.params.url: ")
    assert "hunter2" not in words
