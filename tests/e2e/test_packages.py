"""The life of a package: moved, reused, replaced, retired and pruned as a file is."""

from __future__ import annotations

import json

from builders_bodies import H264
from builders_project import Project, generated
from reconciler.io import trees

WEB = "container: cmaf, segment: {duration: 0.5s}, video: {codec: h264, crf: 30, preset: ultrafast}"
WEB = f"{{{WEB}, audio: {{codec: aac, bitrate: 64k}}, variants: {{big: {{}}, small: {{video: {{height: 64}}}}}}}}"


def spec(*encodes):
    """A project of these encodes, each a name and what its output `web` is."""
    source = generated(1)
    lines = [f'  {name}: {{source: "{source}", outputs: {{web: {web}}}}}' for name, web in encodes]
    return "version: 1\nproject: packs\nencodes:\n" + "\n".join(lines) + "\n"


def project(folder, *encodes):
    """A project in which these encodes were applied."""
    made = Project(folder)
    made.write("specs/a.yaml", spec(*encodes))
    made.apply().ok()
    return made


def folders(project):
    """What stands directly in the folders of encodes."""
    return sorted(
        path.relative_to(project.folder / "outputs").as_posix() for path in project.folder.glob("outputs/*/*")
    )


def test_a_renamed_encode_takes_its_package_along(tmp_path):
    """Nothing is encoded, and the old folder is gone."""
    own = project(tmp_path, ("one", WEB))
    before = trees.digest(tmp_path / "outputs/one/web")
    own.write("specs/a.yaml", spec(("two", WEB)))
    assert "0 to encode" in own.run("plan").ok().out
    own.apply().ok()
    assert (["two/web"], before) == (folders(own), trees.digest(tmp_path / "outputs/two/web"))


def test_a_twin_is_a_tree_of_links(tmp_path):
    """Another output that asks for the same shares its files and outlives it."""
    own = project(tmp_path, ("one", WEB))
    own.write("specs/a.yaml", spec(("one", WEB), ("two", WEB)))
    own.apply().ok()
    one, two = (tmp_path / f"outputs/{name}/web/big/segment-00000.m4s" for name in ("one", "two"))
    assert one.samefile(two)
    own.write("specs/a.yaml", spec(("one", WEB.replace("crf: 30", "crf: 40")), ("two", WEB)))
    own.apply().ok()
    assert not one.samefile(two)
    assert ["one/web", "two/web"] == folders(own)


def test_a_changed_variant_encodes_the_package_again_and_the_plan_says_so(tmp_path):
    """One variant changed: the whole package, and the sentence says it; then nothing is left to do."""
    own = project(tmp_path, ("one", WEB))
    own.write("specs/a.yaml", spec(("one", WEB.replace("height: 64", "height: 48"))))
    told = own.run("plan").ok().out
    assert "variants.small.video.height: 64 -> 48" in told
    assert "the whole package is encoded again" in told
    own.apply().ok()
    assert 0 == own.run("plan", "--detailed-exitcode").code


def test_packages_and_files_replace_each_other(tmp_path):
    """Another container has another path; what it replaces goes once it is recorded."""
    own = project(tmp_path, ("one", WEB))
    mp4 = "{container: mp4, video: {codec: h264, crf: 30, preset: ultrafast}, audio: {codec: aac}}"
    own.write("specs/a.yaml", spec(("one", mp4)))
    own.apply().ok()
    assert ["one/web.mp4"] == folders(own)
    own.write("specs/a.yaml", spec(("one", WEB)))
    own.apply().ok()
    assert ["one/web"] == folders(own)


def test_a_segment_that_is_gone_makes_the_package_again(tmp_path):
    """The plan sees that it is not the package that was made."""
    own = project(tmp_path, ("one", WEB))
    (tmp_path / "outputs/one/web/big/segment-00001.m4s").unlink()
    assert 2 == own.run("plan", "--detailed-exitcode").code
    own.apply().ok()
    assert (tmp_path / "outputs/one/web/big/segment-00001.m4s").exists()


def test_a_retired_package_stays_until_it_is_pruned(tmp_path):
    """Retiring deletes nothing; pruning with its files leaves no folder."""
    own = project(tmp_path, ("one", WEB), ("two", WEB.replace("crf: 30", "crf: 35")))
    own.write("specs/a.yaml", spec(("two", WEB.replace("crf: 30", "crf: 35"))))
    own.apply().ok()
    assert ["one/web", "two/web"] == folders(own)
    own.run("state", "prune", "--delete-files").ok()
    assert ["two/web"] == folders(own)


def test_state_mv_renames_the_folder(tmp_path):
    """A record that gets another address takes its package along."""
    own = project(tmp_path, ("one", WEB))
    own.run("state", "mv", "one/web", "two/web.v2").ok()
    assert ["two/web.v2"] == folders(own)
    assert "outputs/two/web.v2" == own.records()["two/web.v2"]["output"]["path"]


def test_an_hls_document_of_bytenite_is_its_twin_in_our_words(tmp_path):
    """One rendition with `output_type: hls` is a package with one variant, and shares its fingerprint."""
    video = {
        "codec": "libx264",
        "codec_params": {"preset": "ultrafast", "tune": "", "profile": "", "level": ""},
        "bitrate": {"rate_control_mode": "constant_quality", "crf": H264["crf"]},
        "frame_rate": {"fps": "", "up_mode": "avoid"},
    }
    entry = {"name": "web", "output_type": "hls", "output_params": {"video": video, "audio": {"audio_codec": "AAC"}}}
    own = Project(tmp_path)
    own.write("templates/hls.json", json.dumps({"data": {"output_template": "{{.name}}", "outputs": [entry]}}))
    source = generated(1)
    ours = f"container: hls, video: {{codec: h264, crf: {H264['crf']}, preset: ultrafast}}, audio: {{codec: aac}}"
    own.write(
        "specs/a.yaml",
        f"version: 1\nproject: packs\nencodes:\n  one: {{source: '{source}', template: templates/hls.json}}\n"
        f"  two: {{source: '{source}', outputs: {{web: {{{ours}}}}}}}\n",
    )
    own.apply().ok()
    records = own.records()
    assert records["one/web"]["fingerprint"] == records["two/web"]["fingerprint"]
    assert (tmp_path / "outputs/one/web/main/index.m3u8").exists()
