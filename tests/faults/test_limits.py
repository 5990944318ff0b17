"""Files and servers that would fill memory, disk or time are refused in one line."""

import gzip
import socketserver
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
import zlib
from contextlib import contextmanager, suppress
from functools import partial

import numpy as np
import pytest
import torch
from builders import one_study
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian
from tiny_files import dicom, volume

from sonotune.config.check import complete
from sonotune.data import download as downloading
from sonotune.data.catalogue import find_entry
from sonotune.data.decode import read
from sonotune.data.download import download
from sonotune.data.preflight import check_addresses
from sonotune.data.sources import find_mirror
from sonotune.errors import SonotuneError
from sonotune.networks.encoder_weights import convert
from sonotune.runtime.limits import use_limits


@pytest.fixture(autouse=True)
def usual(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloading, "WAITS", (0.01,))
    yield
    use_limits(None)


def png(path, width, height, bits=8, colour=0, rows=100):
    """A black PNG, of which only the first rows are there."""
    packer = zlib.compressobj(9)
    channels = {0: 1, 6: 4}[colour]
    row = bytes(1 + width * channels * bits // 8)
    packed = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


def nifti(shape, offset=352.0):
    """The header of a NIfTI of uint8."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<hh", head, 70, 2, 8)
    struct.pack_into("<8f", head, 76, *[1.0] * 8)
    struct.pack_into("<f", head, 108, offset)
    head[344:348] = b"n+1\0"
    return bytes(head)


def tar_with_long_header(path, kind):
    member = tarfile.TarInfo("long")
    member.size, member.type = 1 << 28, kind
    with gzip.open(path, "wb", 1) as file:
        file.write(member.tobuf())
        for _ in range(member.size >> 20):
            file.write(b"0" * (1 << 20))
        file.write(tarfile.TarInfo("x").tobuf() + bytes(1024))


def zip_of_many(path):
    """A list of members that is longer than any should be, behind which there is nothing."""
    size = (1 << 26) + 1
    with path.open("wb") as file:
        file.write(b"PK")
        file.truncate(size)
        file.seek(size)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, size, 0, 0))


BOMBS = {
    "grey PNG": ("a.png", lambda path: png(path, 30_000, 30_000)),
    "16-bit PNG": ("a.png", lambda path: png(path, 12_000, 12_000, 16, 6)),
    "NIfTI that is not there": ("a.nii", lambda path: path.write_bytes(nifti((16_384, 16_384, 8)))),
    "NIfTI": (
        "a.nii.gz",
        lambda path: path.write_bytes(gzip.compress(nifti((16_384, 16_384, 16)) + bytes(1 << 24))),
    ),
    "NIfTI with a long header": (
        "a.nii.gz",
        lambda path: path.write_bytes(gzip.compress(nifti((4, 4, 1), 2.0**30) + bytes(1 << 24))),
    ),
    "tar with a long name": ("a.tar.gz", lambda path: tar_with_long_header(path, b"L")),
    "tar with a long pax header": ("a.tar.gz", lambda path: tar_with_long_header(path, b"x")),
    "zip with a long list": ("a.zip", zip_of_many),
}

ONE = """
import re, sys, tempfile, time
from pathlib import Path
from sonotune.data.archive import unpack
from sonotune.data.decode import read
from sonotune.errors import SonotuneError
path = Path(sys.argv[1])
began = time.process_time()
try:
    if path.suffix in (".gz", ".zip") and ".nii" not in path.name:
        with tempfile.TemporaryDirectory() as folder:
            unpack(path, folder)
    else:
        read(path, 0)
except SonotuneError as error:
    # Not ru_maxrss, which a process takes over from the one that started it.
    kilobytes = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    print(str(error).count(chr(10)), kilobytes, time.process_time() - began)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_one_line_and_little_memory(name, tmp_path):
    file, make = BOMBS[name]
    make(tmp_path / file)
    run = subprocess.run(
        [sys.executable, "-c", ONE, str(tmp_path / file)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    lines, kilobytes, seconds = map(float, run.stdout.split())
    assert lines == 0
    assert kilobytes < 1_000_000
    assert seconds < 5


def test_a_packed_dicom_is_refused_before_it_is_unpacked(tmp_path):
    packed = {"Rows": 1000, "Columns": 1000, "syntax": DeflatedExplicitVRLittleEndian}
    dicom(tmp_path / "a.dcm", np.zeros((1, 3_000_000), np.uint8), **packed)
    use_limits({"image_bytes": 2_000_000})
    with pytest.raises(SonotuneError, match="limits: image_bytes:"):
        read(tmp_path / "a.dcm")
    use_limits(None)
    with (tmp_path / "a.dcm").open("ab") as file:
        file.write(b"\0")  # pads the length, and is no part of what is packed
    assert read(tmp_path / "a.dcm").pixels.shape == (1000, 1000)


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm", "nii", "nii.gz", "mha", "dcm"])
def test_the_limit_is_one_for_all_formats(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    pixels = np.zeros((40, 40), np.uint8)
    if suffix in ("png", "tif", "pgm"):
        Image.fromarray(pixels).save(path)
    else:
        (dicom if suffix == "dcm" else volume)(path, pixels)
    assert read(path).pixels.shape == (40, 40)
    for key in ("pixels", "image_bytes"):
        use_limits({key: 1599})
        # Slices are kept for a while; a file that changed is read again.
        path.touch()
        with pytest.raises(SonotuneError, match=f"limits: {key}:|at most 1599"):
            read(path)


def test_weights_that_would_grow_are_refused(tmp_path):
    torch.save({"a": torch.zeros(1000)}, tmp_path / "whole.pth")
    with (
        zipfile.ZipFile(tmp_path / "whole.pth") as whole,
        zipfile.ZipFile(tmp_path / "packed.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for one in whole.namelist():
            packed.writestr(one, whole.read(one))
    torch.save({"conv1.weight": torch.zeros(1).expand(40_000, 40_000)}, tmp_path / "expanded.pth")
    for name, says in (("packed", "compressed"), ("expanded", "has 1600000000 numbers")):
        with pytest.raises(SonotuneError, match=says):
            convert("resnet18", tmp_path / f"{name}.pth", tmp_path / "out.safetensors")


@contextmanager
def answering(*parts, pause=0.0):
    """A server that sends these bytes to whoever asks, slowly if wished."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with suppress(OSError):
                self.request.recv(4096)
                for part in parts:
                    self.request.sendall(part)
                    time.sleep(pause)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        run = partial(server.serve_forever, poll_interval=0.01)
        threading.Thread(target=run, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/file"
        server.shutdown()


def head(*lines):
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode("latin1")


def fails(address, tmp_path, size=None):
    with pytest.raises(SonotuneError) as caught:
        download(address, tmp_path / "file", lambda line: None, size)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_head_that_never_ends_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "ANSWER", 0.3)
    began = time.monotonic()
    with answering(b"HTTP/1.1 200 OK\r\n", *[b"X: 1\r\n"] * 50, pause=0.05) as address:
        assert "in time" in fails(address, tmp_path)
    assert time.monotonic() - began < 3


def test_a_trickle_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "WINDOW", 0.2)
    with answering(head("Content-Length: 9000"), *[b"x"] * 900, pause=0.01) as address:
        assert "limits: download_rate:" in fails(address, tmp_path)
        use_limits({"download_rate": 0, "download_hours": 0.5 / 3600})
        assert "limits: download_hours:" in fails(address, tmp_path)


def test_more_than_is_expected_is_not_downloaded(tmp_path):
    with answering(head(), *[bytes(1000)] * 50, pause=0.001) as address:
        assert "where 2000 are expected" in fails(address, tmp_path, 2000)
        use_limits({"download_bytes": 3000})
        assert "limits: download_bytes:" in fails(address, tmp_path)
    assert (tmp_path / "file").stat().st_size < 20_000


def test_nothing_is_unpacked_on_the_way(tmp_path):
    packed = gzip.compress(bytes(1_000_000))
    with answering(head("Content-Encoding: gzip", "Connection: close"), packed) as address:
        download(address, tmp_path / "file", lambda line: None)
    assert (tmp_path / "file").read_bytes() == packed


@pytest.mark.parametrize(
    "lines",
    [
        "Location: http://[::bad",
        "Location: /\xff\xfe",
        "Location: file:///etc/passwd",
        "Location: gopher://x/y",
        "Location: /file",
    ],
)
def test_a_redirect_that_leads_nowhere_is_final(lines, tmp_path):
    answer = f"HTTP/1.1 302 Found\r\n{lines}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(answer.encode("latin1")) as address, pytest.raises(SonotuneError) as caught:
        download(address, tmp_path / "file", lambda line: None)
    assert address in str(caught.value)
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("length", ["abc", "-5", "1, 2", "9" * 30])
def test_a_length_that_is_none_is_no_traceback(length, tmp_path):
    said = head(f"Content-Length: {length}", "Connection: close")
    with answering(said, b"data") as address, suppress(SonotuneError):
        download(address, tmp_path / "file", lambda line: None)


@pytest.mark.parametrize("mirror", ["ftp://user:secret@host/x", "https//user:secret@host"])
def test_no_password_is_printed_of_a_mirror_that_is_none(mirror, monkeypatch):
    monkeypatch.setenv("SONOTUNE_DATA_MIRROR", mirror)
    with pytest.raises(SonotuneError) as caught:
        find_mirror(None)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://u:secret@127.0.0.1:1", "http://u:secret@[::bad"])
def test_no_password_is_printed_when_a_mirror_fails(address, tmp_path):
    config = complete(one_study({"catalogue": "hc18"}))
    with pytest.raises(SonotuneError) as caught:
        check_addresses(config, {"mine": find_entry("hc18")}, address, tmp_path)
    assert "secret" not in str(caught.value)
    assert "secret" not in fails(f"{address}/file", tmp_path)
