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
from pathlib import Path

from tuiapp.errors import SessionError, UsageError
from tuiapp.machine.cpuid import Cpuid, Registers
from tuiapp.machine.redaction import BINARY, redact
from tuiapp.machine.tree import Tree

SUFFIX = ".tar.gz"


class RecordingTree(Tree):
    """A tree that keeps what was read of it."""

    def __init__(self, root: str | Path = "/") -> None:
        super().__init__(root)
        self.files: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.folders: set[str] = set()

    def bytes(self, path: str) -> bytes:
        data = super().bytes(path)
        self.files[path] = data
        return data

    def names(self, path: str) -> list[str]:
        found = super().names(path)
        self.folders.update(f"{path.rstrip('/')}/{name}" for name in found)
        return found

    def link(self, path: str) -> str:
        target = super().link(path)
        self.links[path] = target
        return target

    def exists(self, path: str) -> bool:
        found = super().exists(path)
        if found:
            self.folders.add(path)
        return found


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
    try:
        with tarfile.open(path, "w:gz") as archive:
            for name, data in _members(tree, left):
                _add(archive, f"root{name}", data)
            if cpuid is not None:
                _add(archive, "cpuid.json", json.dumps(cpuid.as_json(), indent=1).encode())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SessionError(f"Cannot write {path}: {error.strerror}.") from error
    return left


def _members(tree: RecordingTree, left: list[str]) -> Iterator[tuple[str, bytes]]:
    for path, data in sorted(tree.files.items()):
        if BINARY.search(path) and not path.endswith("/hid"):
            kept = _table_head(path, data)
            if kept is None:
                left.append(f"{path}: a binary table, left out")
                continue
            data = kept
        blank = redact(path, data)
        if blank != data:
            left.append(f"{path}: what identifies is blanked")
        yield path, blank
    for path, target in sorted(tree.links.items()):
        yield f"{path}.readlink", target.encode()
    for path in sorted(tree.folders - set(tree.files)):
        if not any(other.startswith(f"{path}/") for other in (*tree.files, *tree.folders)):
            yield path, b""


def _table_head(path: str, data: bytes) -> bytes | None:
    """The header of an ACPI table, which holds its makers and nothing of the owner's; of SMBIOS
    type 0, the fixed part, where the bit of a virtual machine stands; None for the rest."""
    if "/acpi/tables/" in path:
        return data[:36]
    if "/dmi/entries/0-" in path:
        return data[: min(data[1], 0x20)] if len(data) > 1 else data
    return None


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))
