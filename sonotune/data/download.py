"""Download one file, and try again where that can help."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from sonotune.data.catalogue import format_bytes
from sonotune.errors import SonotuneError, without_password
from sonotune.runtime.limits import limits

# Seconds before the second, third, ... try.
WAITS: tuple[float, ...] = (1, 4, 15)
# Seconds to connect, and without a byte.
TIMEOUT = (10, 60)
# Seconds until the answer begins, redirects included, however slowly it comes.
ANSWER = 120.0
# Seconds over which the speed is measured.
WINDOW = 60.0
REDIRECTS = 5
# What a server says in a bad moment; other refusals are final.
TRANSIENT_STATUS = (408, 425, 429, 500, 502, 503, 504)
NO_NAME = "the server's name is not known"
SLOW = "the server did not answer in time, or stopped sending"
CLOSED = "the connection was closed half-way"
HEADERS = {"User-Agent": "sonotune", "Accept-Encoding": "identity"}

Result = TypeVar("Result")


class NotFound(SonotuneError):
    """The server answers, and has no such file."""


class TransientError(Exception):
    """What went wrong may not go wrong the next time."""


def download(address: str, path: Path, log: Callable[[str], None], size: int | None = None) -> None:
    """Download a file to ``path``, overwriting it.

    Parameters
    ----------
    address
        An http or https address.
    path
        File to write.
    log
        Takes one line of progress.
    size
        Bytes that the file has, if they are known; else the limits of this process
        (`sonotune.runtime.limits`) hold.

    Raises
    ------
    NotFound
        If the server has no such file (404 or 410).
    SonotuneError
        If it refuses, sends more than it should, takes too long, or did not deliver in any of the
        tries.
    """
    safe_address = without_password(address)
    ends = time.monotonic() + 3600 * limits().download_hours
    for turn in range(len(WAITS) + 1):
        try:
            _once(address, path, log, size, ends)
            return
        except TransientError as error:
            reason = without_password(str(error))
        if turn < len(WAITS):
            log(f"{safe_address}: {reason}; trying again in {WAITS[turn]:g} s")
            time.sleep(WAITS[turn])
    raise SonotuneError(
        f"{safe_address}: could not be downloaded in {len(WAITS) + 1} tries, the last one ended "
        f"with: {reason}. Try again later, or name a copy with data_mirror."
    )


def _once(
    address: str, path: Path, log: Callable[[str], None], size: int | None, ends: float
) -> None:
    safe_address = without_password(address)
    most = limits().download_bytes if size is None else size
    with request("GET", address, TIMEOUT, ANSWER) as answer:
        said = f"{answer.status_code} {answer.reason}"
        if answer.status_code in (404, 410):
            raise NotFound(f"{safe_address}: the server has no such file ({said})")
        if answer.status_code in TRANSIENT_STATUS:
            raise TransientError(said)
        if not answer.ok:
            raise SonotuneError(f"{safe_address}: the server refuses ({said})")
        announced = answer.headers.get("content-length", "")
        total = int(announced) if announced.isdecimal() else 0
        if total > most:
            raise SonotuneError(_too_large(safe_address, str(total), most, size))
        done = told = 0
        since = time.monotonic()
        with path.open("wb") as file:
            for chunk in _chunks(answer, safe_address, ends):
                file.write(chunk)
                done += len(chunk)
                if done > most:
                    raise SonotuneError(_too_large(safe_address, f"more than {most}", most, size))
                if done - told >= (total / 10 or 10**8):
                    told = done
                    log(f"{path.name}: {_progress(done, total, time.monotonic() - since)}")
        if done < total:
            raise TransientError(CLOSED)


def _progress(done: int, total: int, seconds: float) -> str:
    share = f"{100 * done / total:.0f} % of {format_bytes(total)}" if total else format_bytes(done)
    return f"{share}, {format_bytes(done / max(seconds, 1e-3))}/s"


def _chunks(answer: Any, safe_address: str, ends: float) -> Iterator[bytes]:
    """What comes, as it comes and as it is sent (nothing is unpacked), until it is too slow."""
    import urllib3

    received, since = 0, time.monotonic()
    try:
        while chunk := answer.raw.read1(1 << 18, decode_content=False):
            yield chunk
            received, now = received + len(chunk), time.monotonic()
            if now > ends:
                raise SonotuneError(
                    f"{safe_address}: takes longer than {limits().download_hours:g} hours; set "
                    "limits: download_hours:, or name a copy with data_mirror"
                )
            if now - since > WINDOW:
                if received < limits().download_rate * (now - since):
                    raise TransientError(
                        f"the server sends less than {format_bytes(limits().download_rate)} per "
                        "second (limits: download_rate:)"
                    )
                received, since = 0, now
    except urllib3.exceptions.ReadTimeoutError:
        raise TransientError(SLOW) from None
    except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError):
        raise TransientError(CLOSED) from None


def _too_large(safe_address: str, received: str, most: int, size: int | None) -> str:
    if size is None:
        return (
            f"{safe_address}: has {received} bytes, but at most {most} are downloaded; set limits: "
            "download_bytes:, or name a copy with data_mirror"
        )
    return (
        f"{safe_address}: has {received} bytes where {size} are expected; it is damaged or another "
        "version. Nothing was kept; try again, or name a good copy with data_mirror."
    )


def request(
    method: str, address: str, timeout: tuple[float, float], within: float, **more: Any
) -> Any:
    """Have a server answer, after redirects; its body is not read yet.

    Parameters
    ----------
    method
        ``GET`` or ``HEAD``.
    address
        An http or https address.
    timeout
        Seconds to connect, and without a byte.
    within
        Seconds in which the whole head of the answer has to come.
    **more
        Further arguments of ``requests.Session.request``.

    Returns
    -------
    requests.Response

    Raises
    ------
    TransientError
        If there is no answer in time, or the connection fails.
    SonotuneError
        If what it answers cannot be followed or understood.
    """
    import requests

    safe_address = without_password(address)

    def answer() -> Any:
        with requests.Session() as session:
            session.max_redirects = REDIRECTS
            return session.request(
                method,
                address,
                stream=True,
                allow_redirects=True,
                timeout=timeout,
                headers={**HEADERS, **more},
                hooks={"response": refuse_insecure_redirect},
            )

    try:
        return _in_time(answer, within)
    except requests.exceptions.SSLError as error:
        raise SonotuneError(
            f"{safe_address}: the server's certificate is not accepted "
            f"({without_password(str(error))}); "
            "where a proxy replaces certificates, REQUESTS_CA_BUNDLE names the file of its own"
        ) from None
    except requests.exceptions.TooManyRedirects:
        raise SonotuneError(f"{safe_address}: redirects more than {REDIRECTS} times") from None
    except requests.exceptions.ConnectTimeout:
        raise TransientError("no connection to the server in time") from None
    except requests.exceptions.Timeout:
        raise TransientError(SLOW) from None
    except requests.exceptions.ChunkedEncodingError:
        raise TransientError(CLOSED) from None
    except requests.exceptions.ConnectionError as error:
        raise TransientError(_without_connection(repr(error))) from None
    except SonotuneError:
        raise
    except (requests.exceptions.RequestException, ValueError) as error:
        # Another kind of address, or one that is none, here or in a redirect.
        said = without_password(ascii(str(error))[1:-1])
        raise SonotuneError(f"{safe_address}: does not lead to a file ({said})") from None


def _in_time(function: Callable[[], Result], seconds: float) -> Result:
    """What a function returns, or `TransientError`: socket timeouts do not end a slow trickle."""
    results: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            failed.append(error)

    # Left alone when it takes too long; it ends with this process.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not results:
        raise TransientError(SLOW)
    return results[0]


def refuse_insecure_redirect(response: Any, *_: Any, **__: Any) -> None:
    """Refuse to be sent from https to http on the way.

    Parameters
    ----------
    response
        An answer of a server.
    *_
        Not used.
    **__
        Not used.
    """
    if response.is_redirect and urlsplit(response.url).scheme == "https":
        onward = urljoin(response.url, response.headers["location"])
        if urlsplit(onward).scheme != "https":
            raise SonotuneError(
                f"{without_password(response.url)}: the server redirects to "
                f"{without_password(onward)}, which is not https; nothing was downloaded"
            )


def _without_connection(error: str) -> str:
    """Why there was no answer, in a few words."""
    if "NameResolution" in error or "getaddrinfo" in error:
        return f"{NO_NAME} (is there a connection to the internet?)"
    return SLOW if "Read timed out" in error else "no connection to the server"
