"""Fetching data sets from a server on this computer, from mirrors and from bad archives."""

import gzip
import hashlib
import io
import json
import re
import signal
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
import zipfile
from pathlib import Path

import pytest
import requests
from local_server import serve

from sonotune.data import download as downloading
from sonotune.data import preflight as trying
from sonotune.data.archive import unpack
from sonotune.data.catalogue import RemoteFile, find_entry
from sonotune.data.fetch import fetch, locate
from sonotune.data.preflight import preflight
from sonotune.data.sources import alternatives_to, cannot_train, describe_source
from sonotune.errors import SonotuneError
from sonotune.runtime.limits import use_limits

IMAGES = {f"images/{n}.jpg": bytes([n]) * 4000 for n in range(3)}
MASKS = {f"{n}.png": bytes([n]) * 40 for n in range(3)}


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            # A fixed date, so that the same members give the same bytes.
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            archive.writestr(info, content, compression)
    return buffer.getvalue()


def sha256(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def entry_at(address, files, checksums=True, **keys):
    """A data set of two archives with images and masks, published at an address."""
    remote = tuple(
        RemoteFile(
            address=f"{address}/{name}",
            bytes=len(content) if checksums else None,
            checksum=sha256(content) if checksums else None,
            unpack=True,
            no_https=True,
        )
        for name, content in files.items()
    )
    known = {"name": "pond", "images": 3, "holds": ("images/*.jpg", "masks/*.png"), "stand_ins": ()}
    return find_entry("ecssd").model_copy(update={"files": remote, **known, **keys})


ARCHIVES = {"images.zip": zipped(IMAGES), "masks.zip": zipped(MASKS)}


@pytest.fixture(autouse=True)
def no_proxy_and_no_waiting(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloading, "WAITS", (0.01, 0.01, 0.01))
    yield
    use_limits(None)


@pytest.fixture
def server():
    with serve() as running:
        running.files = {f"/{name}": content for name, content in ARCHIVES.items()}
        yield running


@pytest.fixture
def pond(server):
    return entry_at(server.address, ARCHIVES)


def visible(folder):
    """Everything below a folder but empty lock files."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(p.relative_to(folder)) for p in found if p.suffix != ".lock")


def get(entry, tmp_path, mirror=None):
    lines = []
    return fetch(entry, tmp_path / "resources" / entry.name, mirror, lines.append), lines


def refused(entry, tmp_path, mirror=None):
    """The message of a fetch that fails, after which nothing may look complete."""
    with pytest.raises(SonotuneError) as caught:
        get(entry, tmp_path, mirror)
    assert locate(entry, tmp_path / "resources", None) is None
    assert not list(tmp_path.rglob("*.partial"))
    return str(caught.value)


def test_a_data_set_is_downloaded_verified_and_unpacked(pond, server, tmp_path):
    folder, lines = get(pond, tmp_path)
    assert folder == tmp_path / "resources" / "pond"
    for name, content in IMAGES.items():
        assert (folder / name).read_bytes() == content
    for name, content in MASKS.items():
        assert (folder / "masks" / name).read_bytes() == content
    for name, content in ARCHIVES.items():
        assert (folder / name).read_bytes() == content
    assert any("100 % of" in line for line in lines)
    assert not any("\r" in line for line in lines)
    asked = len(server.asked)
    assert "is already in" in get(pond, tmp_path)[1][0]
    assert len(server.asked) == asked


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_wrong_checksum_keeps_nothing_and_says_both(kind, pond, server, tmp_path):
    first, second = pond.files

    def with_checksum(checksum):
        changed = first.model_copy(update={"checksum": f"{kind}:{checksum}"})
        return pond.model_copy(update={"files": (changed, second)})

    right = hashlib.new(kind, ARCHIVES["images.zip"]).hexdigest()
    wrong = "0" * len(right)
    message = refused(with_checksum(wrong), tmp_path)
    assert f"{server.address}/images.zip: {kind} is {right} where {wrong} is expected" in message
    assert "images.zip" not in visible(tmp_path / "resources")
    get(with_checksum(right), tmp_path)


@pytest.mark.parametrize(
    ("troubles", "tries", "says"),
    [
        ([403, 200], 1, r"the server .*\(403"),
        ([404, 200], 1, r"the server .*\(404"),
        ([500] * 9, 4, r"in 4 tries.*500.*data_mirror"),
    ],
)
def test_what_a_server_refuses_and_a_lasting_trouble_are_final(
    troubles, tries, says, pond, server, tmp_path
):
    server.troubles["/images.zip"] = troubles
    assert re.search(f"{server.address}/images.zip.*{says}", refused(pond, tmp_path), re.DOTALL)
    assert server.asked == ["GET /images.zip"] * tries


@pytest.mark.parametrize("trouble", [500, 503, "close", "stall"])
def test_a_passing_trouble_is_tried_again(trouble, pond, server, tmp_path, monkeypatch):
    if trouble == "stall":
        monkeypatch.setattr(downloading, "TIMEOUT", (20, 2))
    server.troubles["/images.zip"] = [trouble, 200]
    folder, lines = get(pond, tmp_path)
    assert pond.is_complete(folder)
    assert server.asked.count("GET /images.zip") == 2
    assert any("trying again" in line for line in lines)


def test_a_secure_address_is_not_left_for_an_insecure_one():
    answer = requests.Response()
    answer.status_code, answer.url = 302, "https://example.org/a.zip"
    answer.headers["location"] = "/b.zip"
    downloading.refuse_insecure_redirect(answer)
    answer.headers["location"] = "http://example.org/a.zip"
    with pytest.raises(SonotuneError, match="not https; nothing was downloaded"):
        downloading.refuse_insecure_redirect(answer)


def test_a_redirect_is_followed(pond, server, tmp_path):
    server.files["/moved/images.zip"] = server.files["/images.zip"]
    server.files["/images.zip"] = b"/moved/images.zip"
    server.troubles["/images.zip"] = ["elsewhere"]
    assert pond.is_complete(get(pond, tmp_path)[0])


def test_a_first_download_is_recorded_and_a_later_difference_reported(server, tmp_path):
    entry = entry_at(server.address, ARCHIVES, checksums=False)
    folder, _ = get(entry, tmp_path)
    record = json.loads((tmp_path / "resources" / "checksums.json").read_text())
    assert f"sha256:{record['pond/images.zip']['sha256']}" == sha256(ARCHIVES["images.zip"])
    about = describe_source(entry, folder, tmp_path / "resources")
    assert about["files"][0]["checksum"] == sha256(ARCHIVES["images.zip"])

    folder.rename(tmp_path / "old")
    server.files["/images.zip"] = zipped({**IMAGES, "images/3.jpg": b"new"})
    message = refused(entry, tmp_path)
    assert sha256(ARCHIVES["images.zip"])[7:] in message
    assert sha256(server.files["/images.zip"])[7:] in message
    assert "checksums.json" in message


def test_a_web_page_in_place_of_an_archive_is_neither_kept_nor_recorded(server, tmp_path):
    entry = entry_at(server.address, ARCHIVES, checksums=False)
    server.files["/images.zip"] = b"<!DOCTYPE html><p>Please try later"
    message = refused(entry, tmp_path)
    assert f"{server.address}/images.zip: is neither a zip nor a tar archive" in message
    assert "DOCTYPE" in message
    assert visible(tmp_path / "resources") == []


def test_another_layout_than_expected_says_what_is_there(server, tmp_path):
    entry = entry_at(server.address, ARCHIVES, holds=("images/*.jpg", "outlines/*.png"))
    message = refused(entry, tmp_path)
    assert "nothing in" in message
    assert "matches outlines/*.png; it holds images, images.zip, masks, masks.zip" in message


KILLED = """
    import sys
    from pathlib import Path
    sys.path[:0] = {path!r}
    from test_fetch import entry_at, ARCHIVES
    from sonotune.data.fetch import fetch
    fetch(entry_at({address!r}, ARCHIVES), Path({target!r}), None, print)
"""


def test_a_killed_download_leaves_nothing_that_looks_complete(pond, server, tmp_path):
    server.troubles["/masks.zip"] = ["stall"]
    target = tmp_path / "resources" / "pond"
    code = KILLED.format(path=sys.path, address=server.address, target=str(target))
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    limit = time.monotonic() + 120
    while not list(tmp_path.rglob("masks.zip")) and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    server.go_on.set()

    assert list(tmp_path.rglob("masks.zip")) == [target.parent / ".pond.partial" / "masks.zip"]
    assert locate(pond, tmp_path / "resources", None) is None
    assert not (target / "masks.zip").exists()
    assert not (target / "masks").exists()
    assert pond.is_complete(get(pond, tmp_path)[0])
    assert server.asked.count("GET /images.zip") == 1  # what was complete is used
    assert not list(tmp_path.rglob("*.partial"))


def test_two_at_once_fetch_it_once(pond, server, tmp_path):
    threads = [threading.Thread(target=get, args=(pond, tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pond.is_complete(tmp_path / "resources" / "pond")
    assert sorted(server.asked) == ["GET /images.zip", "GET /masks.zip"]


@pytest.mark.parametrize("place", ["resources/pond", "Spiegel für Übung, alt/pond", "alt"])
def test_archives_that_are_here_are_verified_unpacked_and_not_changed(
    place, pond, server, tmp_path
):
    (tmp_path / place).mkdir(parents=True)
    for name, content in ARCHIVES.items():
        (tmp_path / place / name).write_bytes(content)
    before = (tmp_path / place / "images.zip").stat().st_mtime_ns
    mirror = None if place.startswith("resources") else str(tmp_path / place.removesuffix("/pond"))
    folder, _ = get(pond, tmp_path, mirror)
    assert folder == tmp_path / "resources" / "pond"
    assert pond.is_complete(folder)
    assert server.asked == []
    assert (tmp_path / place / "images.zip").stat().st_mtime_ns == before


def test_a_bad_archive_placed_by_hand_is_named_and_stays(pond, server, tmp_path):
    folder = tmp_path / "resources" / "pond"
    folder.mkdir(parents=True)
    bad = bytes(len(ARCHIVES["images.zip"]))
    (folder / "images.zip").write_bytes(bad)
    message = refused(pond, tmp_path)
    assert message.startswith(f"{folder / 'images.zip'}: sha256 is")
    assert "Delete it to have it downloaded" in message
    assert (folder / "images.zip").read_bytes() == bad


@pytest.mark.parametrize("inner", ["/pond", ""])
def test_a_mirror_address_is_used_instead_of_the_publisher(inner, server, tmp_path):
    entry = entry_at("http://127.0.0.1:9", ARCHIVES)
    server.files = {f"/a b{inner}/{name}": content for name, content in ARCHIVES.items()}
    assert entry.is_complete(get(entry, tmp_path, f"{server.address}/a%20b/")[0])


def test_a_mirror_folder_may_hold_the_data_set_unpacked(pond, server, tmp_path):
    mirror = tmp_path / "mirror"
    for name, content in {**IMAGES, **{f"masks/{n}": c for n, c in MASKS.items()}}.items():
        path = mirror / "pond" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    before = visible(mirror)
    assert get(pond, tmp_path, str(mirror))[0] == mirror / "pond"
    assert visible(mirror) == before
    assert not (tmp_path / "resources").exists()


@pytest.mark.parametrize("kind", ["folder", "address"])
def test_a_mirror_that_lacks_a_file_says_where_it_was_looked_for(kind, pond, server, tmp_path):
    server.files = {}
    address = server.address.replace("http://", "http://me:secret@")
    mirror = str(tmp_path) if kind == "folder" else address
    message = refused(pond, tmp_path, mirror)
    assert "the data mirror has neither" in message
    assert "pond/images.zip nor" in message
    assert "secret" not in message


def test_preflight_asks_for_one_byte_where_head_is_refused(pond, server, tmp_path):
    server.troubles["/images.zip"] = [405, 200]
    assert preflight({"ducks": pond}, None, tmp_path) == []
    assert sorted(server.asked) == ["GET /images.zip", "HEAD /images.zip", "HEAD /masks.zip"]


SIZE = len(ARCHIVES["masks.zip"])
TROUBLES = {
    "404 Not Found": lambda server: server.files.pop("/masks.zip"),
    f"has {SIZE + 1} bytes where {SIZE} are expected": lambda server: server.files.update(
        {"/masks.zip": ARCHIVES["masks.zip"] + b"!"}
    ),
    "a web page is there": lambda server: setattr(server, "kind", "text/html; charset=utf-8"),
}


@pytest.mark.parametrize("said", TROUBLES)
def test_preflight_says_what_fails_and_what_to_change(said, pond, server, tmp_path):
    TROUBLES[said](server)
    failures = preflight({"ducks": pond}, None, tmp_path)
    assert [one.address.rsplit("/")[-1] for one in failures][-1] == "masks.zip"
    assert said in failures[-1].reason
    assert f"Place it by hand in {tmp_path / 'pond'}" in str(failures[-1])


def test_preflight_names_what_may_stand_in(pond, tmp_path):
    entry = pond.model_copy(update={"stand_ins": ("duts", "msra10k"), "files": pond.files[:1]})
    (failure,) = preflight({"natural": entry}, str(tmp_path), tmp_path / "resources")
    assert "set `datasets: natural: catalogue:` to duts or msra10k" in failure.advice


def test_a_server_that_does_not_answer_is_asked_for_all_at_once(
    pond, server, tmp_path, monkeypatch
):
    monkeypatch.setattr(trying, "TIMEOUT", (20, 2))
    server.troubles = {f"/{name}": ["silent"] * 9 for name in ARCHIVES}
    start = time.monotonic()
    failures = preflight({f"ducks{n}": pond for n in range(8)}, None, tmp_path)
    assert time.monotonic() - start < 20  # 16 addresses with two seconds each
    assert [one.reason for one in failures] == [
        "the server did not answer in time, or stopped sending"
    ] * 16


def test_preflight_leaves_alone_what_is_there(pond, server, tmp_path):
    server.files = {}
    (tmp_path / "pond").mkdir()
    (tmp_path / "pond" / "images.zip").touch()
    (failure,) = preflight({"ducks": pond}, None, tmp_path)
    assert failure.address.endswith("/masks.zip")
    for path in ("images/a.jpg", "masks/a.png"):
        (tmp_path / "pond" / path).parent.mkdir()
        (tmp_path / "pond" / path).touch()
    assert preflight({"ducks": pond}, None, tmp_path) == []


def test_a_study_stops_with_what_it_pretrains_on():
    network = {"network": {"name": "unet"}, "strategies": {}}
    config = {
        "studies": {"a": {"datasets": ["x", "y"], "pretraining": {"dataset": "z"}, **network}}
    }
    assert cannot_train(config, "a", ["z"])
    assert not cannot_train(config, "a", ["x"])
    assert cannot_train(config, "a", ["x", "y"])
    assert "pretraining: dataset" in next(alternatives_to(config, "z"))


def test_a_record_that_is_not_json_is_named(server, tmp_path):
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "checksums.json").write_text("{")
    message = refused(entry_at(server.address, ARCHIVES, checksums=False), tmp_path)
    assert "checksums.json: is not valid JSON" in message


def test_a_folder_that_cannot_be_written_is_one_message(pond, tmp_path):
    (tmp_path / "resources").touch()
    assert "pond: cannot be placed in" in refused(pond, tmp_path)


# Archives that nobody should trust.


def tarred(*members, mode="w"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tar_member(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def linked_zip():
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    return zipped({info: b"/etc/passwd"})


damaged = bytearray(ARCHIVES["images.zip"])
damaged[2000] ^= 255
MEGABYTES = bytes(3_000_000)
GROWING = zipped({"a": MEGABYTES}, zipfile.ZIP_DEFLATED)
UNWANTED = tarred((tar_member("__MACOSX/a"), MEGABYTES), (tar_member("b"), MEGABYTES))
# The content of an archive, words of the message, and the limits.
BAD = {
    "a damaged member": (bytes(damaged), r"is damaged .*CRC"),
    "growing": (GROWING, "exceeds 1000000 bytes", {"archive_bytes": 10**6}),
    "many files": (
        zipped({f"{n}": b"" for n in range(11)}),
        "more than 10 files",
        {"archive_files": 10},
    ),
    "growing by what nobody wants": (
        gzip.compress(UNWANTED),
        "limits: archive_bytes:",
        {"archive_bytes": 10**6, "archive_files": 1},
    ),
    "parent in zip": (zipped({"../evil.png": b"x"}), "leads out"),
    "parent inside": (zipped({"a/../../evil.png": b"x"}), "leads out"),
    "backslash": (zipped({"..\\evil.png": b"x"}), "leads out"),
    "absolute in zip": (zipped({"/tmp/evil.png": b"x"}), "leads out"),
    "link in zip": (linked_zip(), "link or a device"),
    "parent in tar": (tarred((tar_member("../evil.png"), b"x")), "leads out"),
    "absolute in tar": (tarred((tar_member("/tmp/evil.png"), b"x")), "leads out"),
    "symlink in tar": (tarred((tar_member("l", tarfile.SYMTYPE, "/etc"), b"")), "link or a device"),
    "hard link in tar": (tarred((tar_member("l", tarfile.LNKTYPE, "a"), b"")), "link or a device"),
    "pipe in tar": (tarred((tar_member("p", tarfile.FIFOTYPE), b"")), "link or a device"),
    "same name twice": (tarred((tar_member("a"), b"x"), (tar_member("a"), b"y")), "one path"),
    "file and folder": (tarred((tar_member("a"), b"x"), (tar_member("a/b"), b"y")), "one path"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_archive_that_cannot_be_trusted_is_refused(name, tmp_path):
    content, reason, *limits = BAD[name]
    (tmp_path / "bad").write_bytes(content)
    (tmp_path / "folder").mkdir()
    use_limits(*limits or [None])
    with pytest.raises(SonotuneError, match=reason):
        unpack(tmp_path / "bad", tmp_path / "folder")
    assert all(one.stat().st_size <= 10**6 for one in (tmp_path / "folder").iterdir())
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/tmp/evil.png").exists()


def test_what_file_managers_add_is_left_out(tmp_path):
    content = zipped({"__MACOSX/a": b"", "a/.DS_Store": b"", "a/b.png": b"x"})
    (tmp_path / "a.zip").write_bytes(content)
    (tmp_path / "folder").mkdir()
    unpack(tmp_path / "a.zip", tmp_path / "folder")
    assert visible(tmp_path / "folder") == ["a/b.png"]
