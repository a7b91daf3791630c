"""Files of a work tree, reached folder by folder without ever following a link, and replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LINK = stat.S_IFLNK
_FILE = stat.S_IFREG
_READ_LIMIT = 64_000_000


@dataclass(frozen=True)
class Found:
    """What stands at a path of the work tree. kind: file, link, folder, none, or other (no way to get there)."""

    kind: str
    content: bytes = b""
    stamp: tuple[int, int, int] = (0, 0, 0)


NOTHING: Final = Found("none")
FOLDER: Final = Found("folder")
OTHER: Final = Found("other")


class Disk:
    """The work tree below ``root``. ``spare``: a file on the same disk, outside the tree, to write before renaming."""

    def __init__(self, root: Path, spare: Path) -> None:
        self._root, self._spare = root, spare

    def look(self, path: str) -> Found:
        """What stands at the path now."""
        folder, _, name = path.rpartition("/")
        try:
            with self._opened(folder) as parent:
                return _look(parent, name)
        except FileNotFoundError:
            return NOTHING
        except (NotADirectoryError, OSError):  # a file or a link where a folder should be, or one we may not enter
            return OTHER

    def link_on_the_way(self, path: str) -> str | None:
        """The first parent of the path that is a symbolic link, where one is."""
        parts = path.split("/")[:-1]
        folders = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        return next((folder for folder in folders if (self._root / folder).is_symlink()), None)

    def write(self, path: str, content: bytes, mode: int, before: Found) -> bool:
        """Put the content there, unless the file is not what it was ``before`` any more. False: left alone.

        Between that last look and the renaming lie a few microseconds in which a save by somebody else would be
        lost; no file system call closes that gap, and git's own checkout leaves a wider one.
        """
        with suppress(FileNotFoundError):
            self._spare.unlink()
        if stat.S_IFMT(mode) == _LINK:
            os.symlink(content, self._spare)
        else:
            self._write_spare(content, mode)
        folder, _, name = path.rpartition("/")
        try:
            with self._opened(folder, make=True) as parent:
                if _look(parent, name) != before:
                    return False
                os.replace(self._spare, name, dst_dir_fd=parent)
                return True
        except (NotADirectoryError, FileExistsError, IsADirectoryError):
            return False

    def remove(self, path: str, before: Found) -> bool:
        """Delete the file and the folders that it leaves empty, under the same condition."""
        folder, _, name = path.rpartition("/")
        with self._opened(folder) as parent:
            if _look(parent, name) != before:
                return False
            os.unlink(name, dir_fd=parent)
        while folder:
            upper, _, name = folder.rpartition("/")
            try:
                with self._opened(upper) as parent:
                    os.rmdir(name, dir_fd=parent)
            except OSError:  # not empty: the usual end
                break
            folder = upper
        return True

    def _write_spare(self, content: bytes, mode: int) -> None:
        allowed = 0o777 if mode & 0o100 else 0o666
        handle = os.open(self._spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, allowed)
        with open(handle, "wb") as file:
            file.write(content)

    @contextmanager
    def _opened(self, folder: str, make: bool = False) -> Generator[int, None, None]:
        """A handle on a folder, every step of the way checked not to be a link."""
        handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in folder.split("/") if folder else ():
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=handle)
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                below = os.open(part, flags, dir_fd=handle)
                os.close(handle)
                handle = below
            yield handle
        finally:
            os.close(handle)


def _look(parent: int, name: str) -> Found:
    try:
        about = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return NOTHING
    stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
    kind = stat.S_IFMT(about.st_mode)
    if kind == _LINK:
        return Found("link", os.fsencode(os.readlink(name, dir_fd=parent)), stamp)
    if kind == stat.S_IFDIR:
        return FOLDER
    if kind != _FILE or about.st_size > _READ_LIMIT:
        return OTHER
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    with open(handle, "rb") as file:
        return Found("file", file.read(), stamp)
