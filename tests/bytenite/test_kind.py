"""The provider type `bytenite`, offline: its options, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from pydantic import ValidationError

from builders_ffmpeg import asked, generated, local
from builders_server import document
from reconciler.bytenite.access import Access
from reconciler.bytenite.data_sources import data_source
from reconciler.bytenite.kind import KIND, ByteniteOptions, read_document
from reconciler.bytenite.stores import Place, read_place
from reconciler.core.encode import Native, Source
from reconciler.core.errors import CredentialsError
from reconciler.core.provider_types import environment_fields

WEB = Source("http", "https://cdn.example.com/a.mp4", "https://cdn.example.com/a.mp4")
BUCKET = Source("store", "s3://masters/films/a.mov", "s3://masters/films/a.mov")
STORES = {"s3": {"secret_id": "my_aws_secret", "region": "us-east-2"}}


def options(**said):
    """Options as a spec would write them."""
    return ByteniteOptions.model_validate({"type": "bytenite", **said})


def refused(source, parameters=None, native=None, **said):
    """The fields that are refused."""
    return [one.field for one in KIND.refusals(options(**said), source, parameters or asked(), native)]


class TestOptions:
    """What may stand under `providers: NAME:`."""

    def test_only_the_type_must(self):
        """All else has a default."""
        said = options()
        assert ("auto", "raw", "customer", "auto") == (said.generation, said.auth, said.segment, said.document)
        assert ("video-transcoding@v0.2", 48 * 3600, "temporary") == (
            said.template_id,
            said.retention,
            said.destination,
        )
        assert {} == said.stores

    def test_what_may_come_from_the_environment(self):
        """Where the server is, and the key."""
        assert {"api_url", "api_key"} == environment_fields(ByteniteOptions)

    @pytest.mark.parametrize(("written", "seconds"), [("72h", 72 * 3600), ("1h30m", 5400), (600, 600)])
    def test_retention_is_a_duration(self, written, seconds):
        """In any spelling."""
        assert seconds == options(retention=written).retention

    @pytest.mark.parametrize("destination", ["temporary", "s3://bucket/folder", "gs://bucket/", "storj://bucket"])
    def test_destinations(self, destination):
        """ByteNite's own bucket, or one of the user's."""
        assert destination == options(destination=destination).destination

    @pytest.mark.parametrize(
        "wrong",
        [
            {"api_key": "a-key-in-a-spec"},
            {"generation": "2025"},
            {"auth": "basic"},
            {"segment": "billing"},
            {"destination": "ftp://x/y"},
            {"destination": "s3:///folder"},
            {"retention": 0},
            {"stores": {"azure": {"secret_id": "x"}}},
            {"stores": {"s3": {"secret_key": "SECRET"}}},
            {"stores": {"s3": {}}},
            {"requests_per_second": 0},
            {"document": "wrapped"},
            {"parallelism": 0},
            {"template": "x"},
        ],
    )
    def test_what_is_refused(self, wrong):
        """With its name."""
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            options(**wrong)

    def test_a_plan_imports_no_network(self):
        """The type is looked at by every plan."""
        code = "import sys, reconciler.bytenite.kind; print('requests' in sys.modules, 'urllib3' in sys.modules)"
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert "False False" == said.strip()


class TestRefusals:
    """What ByteNite cannot do is found offline."""

    def test_what_it_can_do(self):
        """Nothing is refused."""
        assert [] == refused(WEB)
        assert [] == refused(local("a.mp4"))
        assert [] == refused(BUCKET, stores=STORES)
        assert [] == refused(BUCKET)
        assert [] == refused(Source("store", "az://films/a.mov", "az://films/a.mov"), stores=STORES)

    def test_what_its_document_cannot_say(self):
        """By field."""
        assert ["video.codec"] == refused(WEB, asked(video={"codec": "av1", "crf": 30}))

    def test_generated_pictures(self):
        """Only ffmpeg makes them."""
        assert ["source"] == refused(generated("testsrc2"))

    @pytest.mark.parametrize(
        ("source", "said", "field"),
        [
            (Source("store", "storj://x/y", "storj://x/y"), {"stores": STORES}, "source"),
            (WEB, {"destination": "s3://bucket/folder"}, "destination"),
        ],
    )
    def test_a_store_without_a_secret(self, source, said, field):
        """Says what to write."""
        assert [field] == refused(source, **said)

    def test_a_digest_that_nobody_would_check(self):
        """ByteNite reads the source itself; a local file is checked before it is uploaded."""
        pinned = Source("http", "https://x.example.com/a", "https://x.example.com/a", sha256="0" * 64)
        assert ["source.sha256"] == refused(pinned)
        assert [] == refused(local("a.mp4", sha256="0" * 64))

    def test_a_native_output_is_not_judged(self):
        """It is sent as it stands; but its source is."""
        native = Native({}, {})
        wanted = asked(video={"codec": "av1", "crf": 30})
        assert [] == refused(WEB, wanted, native)
        assert ["source"] == refused(generated("testsrc2"), wanted, native)


class TestDocuments:
    """A template's outputs, or what is wrong with it."""

    def test_outputs(self):
        """Each with its original."""
        read, problems = read_document(document(360, 720))
        assert [["360p", "720p"], 0] == [[one.name for one in read], len(problems)]
        assert 720 == read[1].parameters["video"]["height"]
        assert read[1].native.output == document(360, 720)["data"]["outputs"][1]

    def test_problems(self):
        """With the way to them."""
        read, problems = read_document({"data": {"outputs": [{"output_params": 7}]}})
        assert () == tuple(read)
        assert ("data", "outputs", 0, "output_params") == problems[0].path


class TestDataSources:
    """Where a job reads and writes, as ByteNite is told."""

    def said(self, source, environment=None, amazon="aws", **given):
        """The two descriptors with their parameters."""
        link = lambda source: replace(source, kind="http", location=f"https://signed.test/?of={source.location}")  # noqa: E731
        body = data_source(source, options(**given), environment or {}, amazon, link)
        return [(one["dataSourceDescriptor"], one["params"]) for one in (body["dataSource"], body["dataDestination"])]

    def test_a_url(self):
        """With a password, where there is one."""
        http = "type.googleapis.com/bytenite.data_source.HttpDataSource"
        assert [("url", {"@type": http, "url": WEB.location}), ("bucket", {})] == self.said(WEB)
        private = Source("http", "id", "${env.MASTER}", username="me", password="${env.PASSWORD}")
        environment = {"MASTER": "https://cdn.example.com/m.mp4?sig=1", "PASSWORD": "word"}
        ((_, params), _) = self.said(private, environment)
        assert ["https://cdn.example.com/m.mp4?sig=1", "me", "word"] == [
            params[name] for name in ("url", "username", "password")
        ]

    @pytest.mark.parametrize("given", [{}, {"stores": {"gs": {"secret_id": "x"}}}])
    def test_an_object_for_which_no_secret_is_named(self, given):
        """Is fetched through a link that we sign."""
        ((kind, params), _) = self.said(BUCKET, **given)
        assert ("url", f"https://signed.test/?of={BUCKET.location}") == (kind, params["url"])

    def test_a_variable_that_is_not_set(self):
        """Is named."""
        with pytest.raises(CredentialsError, match="MASTER is not set"):
            self.said(Source("http", "masters/a", "${env.MASTER}"))

    def test_buckets(self):
        """Source and folder; S3 by the name that the host has for it."""
        given = {"stores": {**STORES, "storj": {"secret_id": "st"}}, "destination": "storj://out/films/"}
        (kind, params), (other, folder) = self.said(BUCKET, **given)
        assert ["aws", "storj"] == [kind, other]
        assert ["films/a.mov", "masters", "us-east-2", "my_aws_secret"] == [
            params[name] for name in ("name", "bucketName", "cloudRegion", "secret_id")
        ]
        assert ["films/", "out", "st"] == [folder[name] for name in ("name", "bucketName", "secret_id")]
        assert "s3" == self.said(BUCKET, amazon="s3", **given)[0][0]

    @pytest.mark.parametrize(
        ("location", "place"),
        [
            ("s3://b-1/x/y.mp4", Place("s3", "b-1", "x/y.mp4")),
            ("gs://bucket", Place("gs", "bucket", "")),
            ("storj://bucket//x", Place("storj", "bucket", "x")),
            ("s3://bucket/x?versionId=1", None),
            ("https://bucket/x", None),
            ("s3://", None),
        ],
    )
    def test_places(self, location, place):
        """Scheme, bucket, path."""
        assert place == read_place(location)


def test_loopback_is_known():
    """Where tokens may go in clear text."""
    assert Access("x", "http://127.0.0.1:1/v1", None).loopback
    assert not Access("x", "https://api.example.com/v1", None).loopback
