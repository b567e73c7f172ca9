"""Files: results that are written completely or not at all, and documents that are read up to a limit."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from mps_bill.core.diagnostics import near_miss

#: The maximum bytes of a YAML document. An account with ten years of hourly bills has a tenth of that.
MAX_BYTES = 16_000_000
#: The maximum bytes of a JSON answer or an export of the provider.
MAX_BYTES_OF_DATA = 256_000_000

_PREFIX, _SUFFIX = ".mps-bill-", ".tmp"
STANDARD_OUTPUT = 1
_STREAMS = {"/dev/stdin": 0, "/dev/stdout": STANDARD_OUTPUT, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"(?:/dev/fd|/proc/(?:self|thread-self|[0-9]+)/fd)/([0-9]+)")
_MAX_LINKS = 40
_NAMES_LOOKED_AT = 1000


def read_file(path: Path, maximum: int = MAX_BYTES) -> bytes:
    """Return the bytes of a regular file or a pipe.

    Raises:
        OSError: it cannot be read, is neither a file nor a pipe, or has more than `maximum` bytes; `strerror` says which.
    """
    check_readable(path)
    if path.is_fifo():
        with path.open("rb") as stream:
            return read_whole(stream, maximum)
    _check_size(path.stat().st_size, maximum)
    return path.read_bytes()


def check_readable(path: Path) -> None:
    """Raise an `OSError` for anything but a regular file or a pipe, because reading a device may never end."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, f"{error.strerror}{near_file(path)}") from error
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file")
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise OSError(errno.EINVAL, "it is a device, not a file or a pipe")


def near_file(path: Path) -> str:
    """Return `; did you mean "x"?` for the name in the folder of `path` that is most similar to its own."""
    with suppress(OSError), os.scandir(path.parent) as entries:
        return near_miss(path.name, [entry.name for entry in islice(entries, _NAMES_LOOKED_AT)], priced=False)
    return ""


def shipped_folder(name: str) -> Path | None:
    """Return a folder that comes with the program. It is in the package, or next to it in a checkout."""
    package = Path(__file__).parent.parent
    return next((path for path in (package / name, package.parent / name) if path.is_dir()), None)


def read_whole(stream: BinaryIO, maximum: int) -> bytes:
    """Return all bytes of a stream. Raise an `OSError` if there are more than `maximum`."""
    data = stream.read(maximum + 1)
    _check_size(len(data), maximum)
    return data


def _check_size(size: int, maximum: int) -> None:
    if size > maximum:
        raise OSError(errno.EFBIG, f"it is larger than {maximum:,} bytes, the maximum that is read")


def descriptor(path: str) -> int | None:
    """Return the open file of this process that `path` names, such as 1 for `/dev/stdout`; None if it names no such file.

    Opening such a path would truncate a file that the shell has already written to.
    """
    for _ in range(_MAX_LINKS):
        name = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        match = _DESCRIPTOR.fullmatch(path) or _DESCRIPTOR.fullmatch(name)
        if path in _STREAMS or match:
            return _STREAMS[path] if path in _STREAMS else int(match[1]) if match else None
        if not os.path.islink(path):
            return None
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    return None


def is_special(path: str | Path) -> bool:
    """Whether `path` is a device, a pipe or the like, which is written to and never replaced."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def open_there(path: str, *, empties: bool = True) -> int:
    """Return a descriptor that writes to an existing open file of this process, device, pipe or file in place. A missing file is
    created; with `empties` an existing file is emptied."""
    number = descriptor(path)
    if number is not None:
        return os.dup(number)
    if is_special(path):
        return os.open(path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    return os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if empties else 0), 0o666)


@dataclass(frozen=True, slots=True)
class Staged:
    """A temporary file next to its target, written through `stream`. With `new` it never replaces another file. `owner_kept`: it
    has the owner of the existing file."""

    stream: BinaryIO
    temporary: str
    target: Path
    mode: int
    new: bool
    owner_kept: bool

    def finish(self) -> None:
        """Flush the file to the disk."""
        self.stream.flush()
        os.fchmod(self.stream.fileno(), self.mode)
        os.fsync(self.stream.fileno())

    def commit(self) -> None:
        """Move the file to its place, so that it survives a power failure.

        Raises:
            OSError: it cannot be moved there; `FileExistsError` if it is `new`, and there is another file.
        """
        if self.new:
            self._link()
        else:
            os.replace(self.temporary, self.target)
        # The file is in place now. Some file systems cannot flush a folder, which does not undo that.
        with suppress(OSError):
            folder = os.open(self.target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _link(self) -> None:
        try:
            os.link(self.temporary, self.target)
        except FileExistsError:
            raise
        except OSError:
            # A file system without links.
            if os.path.lexists(self.target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            os.replace(self.temporary, self.target)


@contextmanager
def staged(
    path: str | Path, mode: int | None = None, *, keep_owner: bool = True, new: bool = False
) -> Iterator[Staged]:
    """Create an empty file next to the file that `path` names (following links). `commit` moves it to its place in one step.
    Without that, nothing is left behind, and `sweep` removes what a killed run has left.

    Mode and owner are those of the existing file. A new file has `mode`, by default that of the system for new files. If the
    owner cannot be kept, that is an error; without `keep_owner`, the owner changes.

    Raises:
        OSError: no file can be created there.
    """
    target = Path(os.path.realpath(path))
    if not os.fspath(path) or os.fspath(path).endswith(os.sep) or target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    try:
        there = os.stat(path)
    except FileNotFoundError:
        there = None
    stream, temporary = _temporary(target.parent)
    try:
        owner_kept = True
        if there is not None:
            owner_kept = _give(stream.fileno(), there, keep_owner)
            mode = stat.S_IMODE(there.st_mode)
        if mode is None:
            # The file mode mask of the process can be read only by setting it.
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        yield Staged(stream, temporary, target, mode, new, owner_kept)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        with suppress(OSError):
            stream.close()


def _temporary(folder: Path) -> tuple[BinaryIO, str]:
    """Create a file in `folder`, locked while it is open, so that no other run removes it."""
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX, suffix=_SUFFIX)
        lock(handle, wait=True)
        # Another run may have removed it before it was locked.
        if os.path.exists(name):
            return os.fdopen(handle, "wb"), name
        os.close(handle)


def _give(handle: int, there: os.stat_result, keep_owner: bool) -> bool:
    """Give a file the owner and group of the existing file `there`. Return False if the owner is not kept."""
    made = os.fstat(handle)
    if (made.st_uid, made.st_gid) == (there.st_uid, there.st_gid):
        return True
    try:
        os.fchown(handle, there.st_uid, there.st_gid)
    except PermissionError:
        if keep_owner:
            raise
        with suppress(PermissionError):
            os.fchown(handle, -1, there.st_gid)
        return made.st_uid == there.st_uid
    return True


def sweep(folder: str | Path) -> None:
    """Remove the temporary files of killed runs from `folder`. Running processes hold a lock on theirs."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX):
                with suppress(OSError):
                    _sweep_one(entry.path)


def _sweep_one(path: str) -> None:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode) and lock(handle):
            os.unlink(path)
    finally:
        os.close(handle)


def lock(handle: int, *, wait: bool = False) -> bool:
    """Lock an open file or folder against other processes. Return False if another one holds the lock, or the system has no such
    locks."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (ImportError, OSError):
        return False
    return True
