"""What the processes of a child keep in shared memory, to be removed after them.

Python's resource tracker removes what it was told of, if it lives. It is told after a segment has
been made, and by Python only, so whoever ends processes has to look at what they hold as well.
Standard library only: the engine's own watchdog uses it before anything else is imported.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tuiapp.sources import descendants

SHM = Path("/dev/shm")  # noqa: S108 - the kernel's place for POSIX shared memory


class Segments:
    """The shared memory files of a child's processes; make it before the child makes any.

    Known by inode, not by name: a semaphore is made under a temporary name and renamed.
    What is there already is somebody else's, whatever the child does with it.
    """

    def __init__(self) -> None:
        self._foreign = {inode for inode, _ in _files()}
        self._held: set[int] = set()

    def note(self, pids: Iterable[int]) -> None:
        """Remember what processes ``pids`` share now: open, or mapped, and not only to read."""
        for pid in pids:
            self._held |= in_use(pid, writing=True) - self._foreign

    def remove(self, ending: Collection[int] = ()) -> list[Path]:
        """Delete the files noted that no living process uses any more; returns what is gone.

        Args:
            ending: ids of processes that count as gone, because nothing keeps them from it.
        """
        left = self.left()
        if not left:
            return []
        others = [pid for pid in descendants.all_pids() if pid not in ending]
        used = {inode for pid in others for inode in in_use(pid)}
        unused = [path for path, inode in left.items() if inode not in used]
        for path in unused:
            path.unlink(missing_ok=True)
        return unused

    def left(self) -> dict[Path, int]:
        """The files noted that are still there, with their inodes."""
        return {path: inode for inode, path in _files() if inode in self._held}


def in_use(pid: int, *, writing: bool = False) -> set[int]:
    """Inodes of the files in ``SHM`` that a process has open or mapped.

    Args:
        pid: a process; one that is gone or somebody else's uses nothing.
        writing: leave out what it can only read, such as weights kept there.
    """
    found: set[int] = set()
    with suppress(OSError):
        found.update(_mapped(pid, writing))
    with suppress(OSError):
        found.update(_opened(pid, writing))
    return found


def _mapped(pid: int, writing: bool) -> Iterator[int]:
    """Lines read ``address perms offset dev inode path``, perms ``rw-s`` where it is shared."""
    with Path(f"/proc/{pid}/maps").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if f" {SHM}/" in line:
                _, perms, _, _, inode, _ = line.split(maxsplit=5)
                if not writing or ("w" in perms and "s" in perms):
                    yield int(inode)


def _opened(pid: int, writing: bool) -> Iterator[int]:
    """A link in ``fd`` may be written to when that is what the file was opened for."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if str(link.readlink()).startswith(f"{SHM}/") and (
                not writing or link.lstat().st_mode & stat.S_IWUSR
            ):
                yield link.stat().st_ino


def _files() -> list[tuple[int, Path]]:
    """This user's files in ``SHM``, with their inodes; one of two names counts twice."""
    found = []
    with suppress(OSError):  # there may be no such folder
        for path in SHM.iterdir():
            with suppress(OSError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                    found.append((status.st_ino, path))
    return found
