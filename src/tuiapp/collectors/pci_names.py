"""What a PCI device is called, from the lists of names that distributions install."""

from __future__ import annotations

from collections.abc import Iterator

from tuiapp.collectors.base import Host

_PCI_IDS = ("/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids", "/usr/share/pci.ids")
_AMDGPU_IDS = ("/usr/share/libdrm/amdgpu.ids", "/opt/amdgpu/share/libdrm/amdgpu.ids")
_MOST_BYTES = 8 << 20
_LONGEST = 80


def pci_name(host: Host, vendor: str, device: str) -> str | None:
    """Name in pci.ids of a device, by four hex digits each; None when no list has it."""
    ours = False
    for line in _lines(host, _PCI_IDS):
        if line[:1] not in ("\t", "#", ""):
            if ours:
                break
            ours = line[:4].lower() == vendor.lower()
        elif ours and line[1:5].lower() == device.lower() and line[5:6] == " ":
            return line[5:].strip()[:_LONGEST] or None
    return None


def amd_name(host: Host, device: str, revision: str) -> str | None:
    """Name in libdrm's amdgpu.ids, which tells boards with the same chip apart."""
    for line in _lines(host, _AMDGPU_IDS):
        fields = [field.strip() for field in line.split(",", 2)]
        if len(fields) == 3 and [one.lower() for one in fields[:2]] == [device, revision]:
            return fields[2][:_LONGEST] or None
    return None


def _lines(host: Host, paths: tuple[str, ...]) -> Iterator[str]:
    """Lines of the first of ``paths`` that can be read; none when none can."""
    for path in paths:
        try:
            data = host.head(path, _MOST_BYTES)
        except OSError:
            continue
        yield from data.decode("utf-8", "replace").splitlines()
        return
