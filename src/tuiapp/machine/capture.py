"""A machine's files as a small tree that can be looked at elsewhere, without whose machine it is.

What is captured is what detection and the probes of facts read, no more: the tree notes each read
as it happens. What identifies a machine or a person is blanked, not left out: that a file is there
is a signal by itself.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuiapp.errors import SessionError, Unavailable, UsageError
from tuiapp.machine.archive import MOST_FILES
from tuiapp.machine.cpuid import Cpuid, Registers
from tuiapp.machine.name_lists import shortened
from tuiapp.machine.redaction import BINARY, member_name, redact
from tuiapp.machine.sources.acpi import IDENTITY
from tuiapp.machine.standins import StandIns
from tuiapp.machine.tree import CLOSED, DENIED, MOST_BYTES, Tree

SUFFIX = ".tar.gz"
_ACPI_HEADER = 36


class RecordingTree(Tree):
    """A tree that keeps what was read of it, and what could not be."""

    def __init__(self, root: str | Path = "/") -> None:
        super().__init__(root)
        self.files: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.there: set[str] = set()
        self.empty: set[str] = set()
        self.closed: dict[str, str] = {}
        self.outputs: dict[str, str] = {}

    def bytes(self, path: str, most: int = MOST_BYTES) -> bytes:
        with self._watched(path):
            self.files[path] = data = super().bytes(path, most)
        return data

    def names(self, path: str) -> list[str]:
        with self._watched(path):
            found = super().names(path)
        self.there.update(f"{path.rstrip('/')}/{name}" for name in found)
        if not found:
            self.empty.add(path)
        return found

    def link(self, path: str) -> str:
        with self._watched(path):
            self.links[path] = target = super().link(path)
        return target

    def exists(self, path: str) -> bool:
        found = super().exists(path)
        if found:
            self.there.add(path)
        return found

    def output(self, name: str) -> str:
        self.outputs[name] = text = super().output(name)
        return text

    @contextmanager
    def _watched(self, path: str) -> Iterator[None]:
        """Keep why a path that is there cannot be read: absence would be another fact."""
        try:
            yield
        except Unavailable as reason:
            if reason.message == DENIED:
                self.closed[path] = reason.message
                self.there.add(path)
            raise


class RecordingCpuid:
    """A processor that keeps what was read of it."""

    def __init__(self, cpuid: Cpuid) -> None:
        self.source = cpuid.source
        self.leaves: dict[tuple[int, int], Registers] = {}
        self._cpuid = cpuid

    def read(self, leaf: int, subleaf: int = 0) -> Registers | None:
        registers = self._cpuid.read(leaf, subleaf)
        if registers is not None:
            self.leaves[leaf, subleaf] = registers
        return registers

    def as_json(self) -> dict[str, object]:
        """As ``cpuid.json``; the processor's serial number (leaf 3) is left out."""
        return {
            "source": self.source,
            "complete": False,
            "leaves": {
                f"{leaf:08x}.{sub}": [f"{value:08x}" for value in registers]
                for (leaf, sub), registers in sorted(self.leaves.items())
                if leaf != 3
            },
        }


def write(path: Path, tree: RecordingTree, cpuid: RecordingCpuid | None) -> list[str]:
    """Write what was read as a tar file; returns what was blanked or left out, a line each.

    Raises:
        UsageError: the file exists, or its folder does not.
        SessionError: it cannot be written.
    """
    if path.exists():
        raise UsageError(f"{path} exists already.", "Choose another name for the capture.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}.", "Make it, or choose another.")
    left: list[str] = []
    names = StandIns()
    try:
        with tarfile.open(path, "w:gz") as archive:
            _add(archive, "root", None)  # there, though nothing could be read
            for at, (name, data) in enumerate(_members(tree, names, left)):
                if at >= MOST_FILES:
                    left.append(f"more than {MOST_FILES:,} files: the rest is left out")
                    break
                _add(archive, f"root{name}", data)
            for name, text in sorted(tree.outputs.items()):
                _add(archive, name, redact(name, text.encode(), names))
            closed = {member_name(name, names): why for name, why in tree.closed.items()}
            if closed:
                _add(archive, CLOSED, json.dumps(closed, indent=1).encode())
            if cpuid is not None:
                _add(archive, "cpuid.json", json.dumps(cpuid.as_json(), indent=1).encode())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SessionError(f"Cannot write {path}: {error.strerror}.") from error
    return left


def _members(
    tree: RecordingTree, names: StandIns, left: list[str]
) -> Iterator[tuple[str, bytes | None]]:
    """(name, contents) of what is there; None for an empty folder."""
    for path, data in sorted(tree.files.items()):
        if BINARY.search(path) and not path.endswith("/hid"):
            kept = _table_head(path, data)
            if kept is None:
                left.append(f"{path}: a binary table, left out")
                continue
            data = kept
        data = shortened(path, data, tree.files)
        blank, name = redact(path, data, names), member_name(path, names)
        if blank != data or name != path:
            left.append(f"{name}: what identifies is blanked")
        yield name, blank
    for path, target in sorted(tree.links.items()):
        yield f"{member_name(path, names)}.readlink", names.text(target).encode()
    known = {*tree.files, *tree.links, *tree.there, *tree.empty}
    folders = {parent for path in known for parent in _parents(path)}
    for path in sorted((tree.there | tree.empty) - set(tree.files) - set(tree.links) - folders):
        yield member_name(path, names), None if path in tree.empty else b""


def _parents(path: str) -> Iterator[str]:
    """Every folder on the way to ``path``."""
    while path := path.rpartition("/")[0]:
        yield path


def _table_head(path: str, data: bytes) -> bytes | None:
    """The header of an ACPI table, which holds its makers and nothing of the owner's, and of the
    FADT the hypervisor's vendor as well; of SMBIOS type 0, the fixed part, where the bit of a
    virtual machine stands; None for the rest."""
    if path.endswith("/acpi/tables/FACP"):
        head, vendor = data[:_ACPI_HEADER], data[IDENTITY]
        return head.ljust(IDENTITY.start, b"\0") + vendor if vendor.strip(b"\0") else head
    if "/acpi/tables/" in path:
        return data[:_ACPI_HEADER]
    if "/dmi/entries/0-" in path:
        return data[: min(data[1], 0x20)] if len(data) > 1 else data
    return None


def _add(archive: tarfile.TarFile, name: str, data: bytes | None) -> None:
    entry = tarfile.TarInfo(name)
    if data is None:
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
        return
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))
