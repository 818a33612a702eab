"""The flattened device tree of ARM, POWER and RISC-V machines."""

from __future__ import annotations

import re

from tuiapp.machine.report import CERTAIN, LIKELY, WEAK
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.spelling import spelled

ROOTS = ("/proc/device-tree", "/sys/firmware/devicetree/base")

HYPERVISORS = (
    ("linux,kvm", "kvm"),
    ("xen", "xen"),
    ("vmware", "vmware"),
    ("gunyah", "gunyah"),
    ("qcom,gunyah", "gunyah"),
    ("microsoft,hyperv", "hyperv"),
    ("ibm,powervm", "powervm"),
)
BOARDS = (
    ("xen,xenvm", "xen"),
    ("qemu,", "qemu"),
    ("riscv-virtio", "qemu"),
    ("jailhouse-cell", "jailhouse"),
    ("microsoft,hyperv", "hyperv"),
    ("microsoft,openvmm", "hyperv"),
    ("crosvm", "crosvm"),
)
_VIRTUAL_MODEL = re.compile(r"(?i)qemu|\bvirt(?:ual|io)?\b|xenvm|pseries|foundation-v8|\bfvp\b")


def look(notes: Notes) -> None:
    """Read the root node and the nodes that hypervisors add."""
    root = next((path for path in ROOTS if notes.tree.exists(path)), None)
    if root is None:
        notes.miss(ROOTS[0], "does not exist")
        return
    names = notes.names(root)
    if _note_virtual(notes, root, names):
        return
    _note_board(notes, root)


def _note_virtual(notes: Notes, root: str, names: list[str]) -> bool:
    """Whether anything speaks of a hypervisor."""
    before = len(notes.signals)
    compatible = notes.text(f"{root}/hypervisor/compatible", quiet=True)
    if compatible:
        name = _first(compatible, HYPERVISORS)
        proves = f"the firmware describes the hypervisor {spelled(name)}".rstrip()
        fact = f"platform={name}" if name else "guest=devicetree"
        notes.add(f"{root}/hypervisor/compatible", _words(compatible), proves, fact, CERTAIN)
    if fw_cfg := [name for name in names if name.startswith("fw-cfg")]:
        proves = "QEMU's channel for configuration is there"
        notes.add(f"{root}/{fw_cfg[0]}", "exists", proves, "device-model=qemu", CERTAIN)
    board = notes.text(f"{root}/compatible", quiet=True) or ""
    if "linux,dummy-virt" in board:
        _note_dummy(notes, root, names)
    elif name := _first(board, BOARDS):
        proves = f"the board is one of {spelled(name)}'s"
        notes.add(f"{root}/compatible", _words(board), proves, f"platform={name}", CERTAIN)
    return len(notes.signals) > before


def _note_dummy(notes: Notes, root: str, names: list[str]) -> None:
    """The board of QEMU, kvmtool, Firecracker, Cloud Hypervisor and crosvm alike."""
    where, board = f"{root}/compatible", "linux,dummy-virt"
    proves = "the board exists in virtual machines only"
    notes.add(where, board, proves, "guest=devicetree", CERTAIN)
    if any(name.startswith("fw-cfg") for name in names):
        return
    clock = next((name for name in names if name.startswith("rtc@")), "rtc")
    if "motorola,mc146818" in (notes.text(f"{root}/{clock}/compatible", quiet=True) or ""):
        proves = "a PC's clock on this board, which kvmtool alone gives it"
        notes.add(f"{root}/{clock}/compatible", "motorola,mc146818", proves, "board=lkvm", LIKELY)
    elif names == ["compatible"]:
        proves = "kvmtool's, if that is all there is; others write more and call it the same"
        notes.add(where, f"{board} and no other node", proves, "board=lkvm", WEAK)


def _note_board(notes: Notes, root: str) -> None:
    model = notes.text(f"{root}/model", quiet=True)
    board = notes.text(f"{root}/compatible", quiet=True) or ""
    # Partitions of PowerVM carry the model of the machine below.
    partition = model and model.startswith("IBM,") and "powernv" not in board
    if model and not partition and not _VIRTUAL_MODEL.search(model):
        proves = "the firmware names a physical board and no hypervisor"
        notes.add(f"{root}/model", _words(model), proves, "physical=devicetree", LIKELY)


def _first(compatible: str, table: tuple[tuple[str, str], ...]) -> str | None:
    """The name for the first compatible string that begins as one in ``table`` does."""
    for word in compatible.split("\0"):
        for beginning, name in table:
            if word.startswith(beginning):
                return name
    return None


def _words(compatible: str) -> str:
    return compatible.replace("\0", " ")
