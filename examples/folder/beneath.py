"""Files beneath one folder, reached component by component from its descriptor, never through a link.

A directory that somebody swaps for a link between two steps changes nothing: each step starts from the descriptor of
the one before, and refuses to open a link.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple

from paths import NAME_BYTES_MAX, PRIVATE, BadPath, ancestors, check_path

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Signature(NamedTuple):
    """As long as this stays the same, so does the file."""

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int
    executable: bool


class InTheWay(OSError):
    """There is something else where a file, or a directory, should be: a link, a device, a directory, a file."""


class ChangedMeanwhile(OSError):
    """The file is not what it was when the decision about it was made."""


class FolderGone(OSError):
    """The folder, or what this program keeps in it, has disappeared: unmounted, moved or removed."""


@dataclass
class Scan:
    """What one look at the folder found."""

    files: dict[str, Signature] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    """Here, and below here, nothing can be said; least of all that a file was deleted."""
    skipped: dict[str, str] = field(default_factory=dict)
    """What is not replicated, and why."""

    def is_absent(self, path: str) -> bool:
        return path not in self.files and not self.unknown.intersection((path, *ancestors(path)))


class Folder:
    """The folder that is kept the same on every peer."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        os.makedirs(root, exist_ok=True)  # noqa: PTH103 - root may be any path-like
        self.root = os.path.realpath(root)
        self._fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        umask = os.umask(0o077)
        os.umask(umask)
        self._file_mode = 0o666 & ~umask
        with contextlib.suppress(FileExistsError):
            os.mkdir(PRIVATE, 0o700, dir_fd=self._fd)
        self._private = os.open(PRIVATE, _DIRECTORY, dir_fd=self._fd)
        self._identity = _identity(os.fstat(self._private))
        self._remove_leftovers()

    def close(self) -> None:
        os.close(self._private)
        os.close(self._fd)

    def private_path(self, name: str) -> str:
        """Where the program keeps something of its own."""
        return os.path.join(self.root, PRIVATE, name)  # noqa: PTH118 - text is wanted

    def _remove_leftovers(self) -> None:
        """Files that were on their way in when the program was killed."""
        with self._directory(self._private, ("incoming",), create=True) as incoming:
            for name in os.listdir(incoming):  # noqa: PTH208 - a descriptor
                os.unlink(name, dir_fd=incoming)

    # -- steps from descriptor to descriptor -------------------------------------------------------------------------

    @contextlib.contextmanager
    def _directory(self, start: int, names: Iterable[str], create: bool = False) -> Iterator[int]:
        """The descriptor of a directory. Raises FileNotFoundError, InTheWay."""
        current = os.dup(start)
        try:
            for name in names:
                if create:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, dir_fd=current)
                try:
                    below = os.open(name, _DIRECTORY, dir_fd=current)
                except OSError as error:
                    if error.errno in (errno.ENOTDIR, errno.ELOOP):
                        raise InTheWay(errno.ENOTDIR, "is in the way of a directory", name) from None
                    raise
                os.close(current)
                current = below
            yield current
        finally:
            os.close(current)

    def _look(self, directory: int, name: str) -> Signature | None:
        """What a name stands for; None if nothing. Raises InTheWay if it is no file."""
        try:
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            raise InTheWay(errno.EEXIST, "is no file", name)
        return _signature(found)

    # -- reading -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[tuple[BinaryIO, Signature]]:
        """A file for reading, and its signature when it was opened. Raises OSError."""
        names = check_path(path)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with self._directory(self._fd, names[:-1]) as directory:
            fd = os.open(names[-1], flags, dir_fd=directory)
        with os.fdopen(fd, "rb", buffering=0) as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise InTheWay(errno.EEXIST, "is no file", path)
            yield file, _signature(found)

    def signature(self, path: str) -> Signature | None:
        """The signature of a file now, or None if there is none. Raises InTheWay."""
        names = check_path(path)
        try:
            with self._directory(self._fd, names[:-1]) as directory:
                return self._look(directory, names[-1])
        except FileNotFoundError:
            return None

    def scan(self) -> Scan:
        """Looks at every file, without reading any. Raises FolderGone."""
        result = Scan()
        try:
            own = os.stat(PRIVATE, dir_fd=self._fd, follow_symlinks=False)
            named = os.stat(self.root)  # noqa: PTH116 - beside the others
        except OSError:
            raise FolderGone(errno.ENOENT, "the folder has disappeared", self.root) from None
        if _identity(own) != self._identity or _identity(named) != _identity(os.fstat(self._fd)):
            raise FolderGone(errno.ENOENT, "this is not the folder that it was", self.root)
        self._scan_directory(self._fd, "", result)
        return result

    def _scan_directory(self, directory: int, prefix: str, result: Scan) -> None:
        with os.scandir(directory) as entries:
            for entry in entries:
                path = prefix + entry.name
                if path == PRIVATE:
                    continue
                try:
                    check_path(path)
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(found.st_mode):
                        result.files[path] = _signature(found)
                    elif stat.S_ISDIR(found.st_mode):
                        with self._directory(directory, (entry.name,)) as below:
                            self._scan_directory(below, path + "/", result)
                    else:
                        result.unknown.add(path)
                        result.skipped[path] = "a link" if stat.S_ISLNK(found.st_mode) else "neither file nor directory"
                except BadPath as error:
                    result.skipped[path] = str(error)
                except FileNotFoundError:
                    pass  # gone between two steps
                except OSError as error:
                    result.unknown.add(path)
                    result.skipped[path] = error.strerror or type(error).__name__

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(
        self,
        path: str,
        chunks: Iterable[bytes],
        *,
        mtime_ns: int,
        executable: bool,
        expected: Signature | None,
    ) -> Signature:
        """Puts a file in its place: written to a private name, synced, renamed.

        expected  what must be there now, or None for nothing; else ChangedMeanwhile

        Raises OSError, and whatever chunks raise.
        """
        names = check_path(path)
        temporary = secrets.token_hex(16)
        with self._directory(self._private, ("incoming",), create=True) as incoming:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(temporary, flags, 0o600, dir_fd=incoming)
            try:
                with os.fdopen(fd, "wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                    file.flush()
                    os.fchmod(fd, self._file_mode | ((self._file_mode & 0o444) >> 2 if executable else 0))
                    os.utime(fd, ns=(mtime_ns, mtime_ns))
                    os.fsync(fd)
                with self._directory(self._fd, names[:-1], create=True) as directory:
                    self._make_room(directory, names[-1], expected)
                    os.rename(temporary, names[-1], src_dir_fd=incoming, dst_dir_fd=directory)
                    found = os.stat(names[-1], dir_fd=directory, follow_symlinks=False)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=incoming)
                raise
        return _signature(found)

    def _make_room(self, directory: int, name: str, expected: Signature | None) -> None:
        try:
            found = self._look(directory, name)
        except InTheWay:
            try:
                self._remove_hollow(directory, name)  # empty directories are nothing that a peer would miss
            except OSError:
                raise InTheWay(errno.EEXIST, "is in the way of a file", name) from None
            found = None
        if found != expected:
            raise ChangedMeanwhile(errno.EBUSY, "changed meanwhile", name)

    def _remove_hollow(self, directory: int, name: str) -> None:
        """Removes a directory in which there are only directories."""
        with self._directory(directory, (name,)) as below:
            for each in os.listdir(below):  # noqa: PTH208 - a descriptor
                self._remove_hollow(below, each)
        os.rmdir(name, dir_fd=directory)

    def discard(self, path: str, expected: Signature) -> str:
        """Moves a file into the trash and gives its place there; directories that become empty go. Raises OSError."""
        names = check_path(path)
        now = time.time_ns()
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 10**9)) + f".{now % 10**9:09}Z"
        kept = names[-1].encode()[: NAME_BYTES_MAX - len(stamp) - 1].decode(errors="ignore") + "." + stamp
        with (
            self._directory(self._fd, names[:-1]) as directory,
            self._directory(self._private, ("trash", *names[:-1]), create=True) as trash,
        ):
            if self._look(directory, names[-1]) != expected:
                raise ChangedMeanwhile(errno.EBUSY, "changed meanwhile", path)
            os.rename(names[-1], kept, src_dir_fd=directory, dst_dir_fd=trash)
        self._remove_empty(names[:-1])
        return "/".join((PRIVATE, "trash", *names[:-1], kept))

    def _remove_empty(self, names: tuple[str, ...]) -> None:
        with contextlib.suppress(OSError):  # not empty, or not ours to remove
            for count in range(len(names), 0, -1):
                with self._directory(self._fd, names[: count - 1]) as directory:
                    os.rmdir(names[count - 1], dir_fd=directory)

    def sync(self, paths: Iterable[str]) -> None:
        """Makes sure that the names of files just written survive a loss of power."""
        for directory in sorted({above for path in paths for above in ("", *ancestors(path))}):
            with (
                contextlib.suppress(OSError),
                self._directory(self._fd, directory.split("/") if directory else ()) as fd,
            ):
                os.fsync(fd)


def _signature(found: os.stat_result) -> Signature:
    return Signature(
        found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, bool(found.st_mode & stat.S_IXUSR)
    )


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
