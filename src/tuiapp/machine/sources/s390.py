"""IBM Z: ``/proc/sysinfo`` lists every layer from the machine up to us."""

from __future__ import annotations

import re

from tuiapp.machine.report import CERTAIN
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.spelling import spelled

PATH = "/proc/sysinfo"
_CONTROL = re.compile(r"^VM(\d\d) Control Program:\s*(\S[^\n]*)$", re.MULTILINE)
_LPAR = re.compile(r"^LPAR (?:Number|Name|Characteristics):\s*(\S[^\n]*)$", re.MULTILINE)


def look(notes: Notes) -> None:
    """The innermost layer is ours: VM00; under all of them lies the partition."""
    cpuinfo = notes.text("/proc/cpuinfo", quiet=True) or ""
    if "IBM/S390" in cpuinfo[:2000] or "IBM/S390" in cpuinfo[-2000:]:
        proves = "Linux on IBM Z always runs in a partition at least"
        notes.add("/proc/cpuinfo", "IBM/S390", proves, "guest=s390", CERTAIN)
    text = notes.text(PATH, quiet=True)
    if text is None:
        return
    programs = dict(_CONTROL.findall(text))
    partition = _LPAR.search(text)
    if "00" in programs:
        name = _name(programs["00"])
        proves = f"the layer below is {spelled(name)}"
        notes.add(f"{PATH} VM00", programs["00"].strip(), proves, f"platform={name}", CERTAIN)
    elif partition:
        proves = "the layer below is PR/SM, the machine's own"
        notes.add(f"{PATH} LPAR", partition[1].strip(), proves, "platform=pr/sm", CERTAIN)
    if "01" in programs:
        outer = _name(programs["01"])
        proves = f"under it lies {spelled(outer)}"
        notes.add(f"{PATH} VM01", programs["01"].strip(), proves, f"outer={outer}", CERTAIN)


def _name(program: str) -> str:
    if "z/VM" in program:
        return "zvm"
    return "kvm" if "KVM" in program else "unknown"
