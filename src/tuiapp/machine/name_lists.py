"""What a capture keeps of the lists of device names that distributions install.

They are a megabyte long, and a few lines of them name what this machine has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

ENDINGS = ("/pci.ids", "/amdgpu.ids")
_PCI_ID = re.compile(rb"^PCI_ID=([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})\s*$", re.MULTILINE)


def shortened(path: str, data: bytes, files: Mapping[str, bytes]) -> bytes:
    """The lines of the list at ``path`` that name a device of ``files``; other files as they are.

    Args:
        files: what was read of the machine, with the ``uevent`` of its devices among it.
    """
    if not path.endswith(ENDINGS):
        return data
    events = (text for name, text in files.items() if name.endswith("/uevent"))
    found = {pair for text in events for pair in _PCI_ID.findall(text.upper())}
    lines = data.splitlines(keepends=True)
    kept = _vendors(lines, found) if path.endswith(ENDINGS[0]) else _boards(lines, found)
    return b"".join(kept)


def _vendors(lines: list[bytes], found: set[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """A maker's line, and below it those of the devices."""
    vendor = b""
    for line in lines:
        if line[:1] not in (b"\t", b"#", b"", b"\n", b"\r"):
            vendor = line[:4].upper()
            if any(vendor == one for one, _ in found):
                yield line
        elif line[:1] == b"\t" and (vendor, line[1:5].upper()) in found:
            yield line


def _boards(lines: list[bytes], found: set[tuple[bytes, bytes]]) -> Iterator[bytes]:
    devices = {device for _, device in found}
    return (line for line in lines if line.split(b",", 1)[0].strip().upper() in devices)
