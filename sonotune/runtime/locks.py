"""Kernel locks on files: they end with the process that holds them, however it ends.

A lock file says who holds it, for people on another machine of a shared file system.
"""

import atexit
import errno
import fcntl
import os
import platform
import sys
import time
from pathlib import Path
from typing import IO

from sonotune.errors import SonotuneError

# What a file system without locks answers.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class Lock:
    """A file that one process at a time can hold, until it lets go or ends.

    Parameters
    ----------
    path
        The lock's file; made if need be.
    what
        What the lock is for, as the start of a message.
    wait
        Seconds to wait for another holder.

    Attributes
    ----------
    left_by
        Who held it last and ended without letting go, or "".
    is_supported
        Whether the file system has locks; on another one, several can hold it.

    Raises
    ------
    SonotuneError
        If another process holds it.
    """

    def __init__(self, path: str | Path, what: str, wait: float = 0) -> None:
        self.path = Path(path)
        self.is_supported = True
        until = time.monotonic() + wait
        while (file := self._take()) is None:
            if time.monotonic() >= until:
                raise SonotuneError(f"{what} is in use by {self._holder()}")
            time.sleep(0.1)
        self._file = file
        self.left_by = file.read().strip()
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()

    def release(self, remove: bool = False) -> None:
        """Let go, if not done yet; ``remove`` also takes the file away.

        Parameters
        ----------
        remove
            Whether the file is removed as well.
        """
        if self._file.closed:
            return
        self._file.truncate(0)
        if remove:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _take(self) -> IO[str] | None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666), "r+", encoding="utf-8")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                file.close()
                return None
            self.is_supported = False
        # Whoever held it may have removed the file meanwhile: then this lock is on nothing.
        try:
            same = os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            same = False
        if not same:
            file.close()
            return self._take()
        return file

    def _holder(self) -> str:
        try:
            return self.path.read_text("utf-8") or "another process"
        except OSError:
            return "another process"


def lock_results(folder: str | Path) -> Lock:
    """Hold a results folder as long as this process lives.

    Parameters
    ----------
    folder
        Folder of all results.

    Raises
    ------
    SonotuneError
        If the folder cannot be written, or another workflow works on it.
    """
    folder = Path(folder)
    try:
        lock = Lock(folder / ".lock", str(folder))
    except OSError as error:
        raise SonotuneError(
            f"{folder}: cannot be written ({error.strerror}); run where it can be, or change its "
            "permissions"
        ) from None
    except SonotuneError as error:
        raise SonotuneError(
            f"{error}: one workflow at a time can work on a folder; wait for it or stop it"
        ) from None
    if not lock.is_supported:
        print(
            f"sonotune: {folder} is on a file system without locks: make sure that only one "
            "workflow at a time runs there",
            file=sys.stderr,
        )
    if lock.left_by and not lock.left_by.endswith(f" on {platform.node()}"):
        print(
            f"sonotune: {folder} was last used by {lock.left_by}, which did not report its end; "
            "if it still runs, stop one of the two",
            file=sys.stderr,
        )
    atexit.register(lock.release)
    return lock
