"""Download one file, and try again where that can help."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from sonotune.data.catalogue import show_bytes
from sonotune.data.progress import Progress
from sonotune.errors import SonotuneError

# Seconds before the second, third, ... try.
WAITS: tuple[float, ...] = (1, 4, 15)
# Seconds to connect, and without a byte.
TIMEOUT = (10, 60)
# What a server says in a bad moment; other refusals are final.
PASSING = (408, 425, 429, 500, 502, 503, 504)
NO_NAME = "the server's name is not known"
HEADERS = {"User-Agent": "sonotune", "Accept-Encoding": "identity"}


class NotThere(SonotuneError):
    """The server answers, and has no such file."""


def download(address: str, path: Path, log: Callable[[str], None]) -> None:
    """Download a file to ``path``, overwriting it.

    Raises
    ------
    NotThere
        If the server has no such file (404 or 410).
    SonotuneError
        If it refuses, or did not deliver in any of the tries.
    """
    import pooch
    import requests

    shown = without_password(address)
    for turn in range(len(WAITS) + 1):
        progress = Progress(path.name, log)
        fetcher = pooch.HTTPDownloader(
            progressbar=progress,
            chunk_size=2**18,
            timeout=TIMEOUT,
            headers=HEADERS,
            hooks={"response": stay_secure},
        )
        try:
            fetcher(address, str(path), None)
            return
        except requests.exceptions.HTTPError as error:
            answer = error.response
            if answer is None:
                raise
            status, reason = answer.status_code, f"{answer.status_code} {answer.reason}"
            if status in (404, 410):
                raise NotThere(f"{shown}: the server has no such file ({reason})") from None
            if status not in PASSING:
                raise SonotuneError(f"{shown}: the server refuses ({reason})") from None
        except requests.exceptions.SSLError as error:
            raise SonotuneError(
                f"{shown}: the server's certificate is not accepted ({error}); where a proxy "
                "replaces certificates, REQUESTS_CA_BUNDLE names the file of its own"
            ) from None
        except requests.exceptions.RequestException as error:
            reason = describe(error)
        finally:
            progress.close()
        if turn < len(WAITS):
            log(f"{shown}: {reason}; trying again in {WAITS[turn]:g} s")
            time.sleep(WAITS[turn])
    raise SonotuneError(
        f"{shown}: could not be downloaded in {len(WAITS) + 1} tries, the last one ended with: "
        f"{reason}. Try again later, or name a copy with data_mirror."
    )


def copy(source: Path, path: Path, log: Callable[[str], None]) -> None:
    """Copy a file of a mirror folder to ``path``, overwriting it."""
    log(f"copying {source}, {show_bytes(source.stat().st_size)}")
    shutil.copyfile(source, path)


def stay_secure(response: Any, *_: Any, **__: Any) -> None:
    """Refuse to be sent from https to http on the way."""
    if response.is_redirect and urlsplit(response.url).scheme == "https":
        onward = urljoin(response.url, response.headers["location"])
        if urlsplit(onward).scheme != "https":
            raise SonotuneError(
                f"{without_password(response.url)}: the server redirects to {onward}, which is not "
                "https; nothing was downloaded"
            )


def describe(error: Exception) -> str:
    """What went wrong on the line, in a few words."""
    import requests

    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection to the server in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "the server did not answer in time, or stopped sending"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was closed half-way"
    if isinstance(error, requests.exceptions.ConnectionError):
        if "NameResolution" in repr(error) or "getaddrinfo" in repr(error):
            return f"{NO_NAME} (is there a connection to the internet?)"
        if "Read timed out" in repr(error):
            return "the server did not answer in time, or stopped sending"
        return "no connection to the server"
    return str(error)


def without_password(address: str) -> str:
    """An address for messages, without the user and password that it may hold."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
