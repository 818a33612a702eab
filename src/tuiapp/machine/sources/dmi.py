"""DMI: what the firmware calls the machine, its board and itself."""

from __future__ import annotations

import re

from tuiapp.errors import Unavailable
from tuiapp.machine.report import CERTAIN, LIKELY, WEAK
from tuiapp.machine.sources.base import Notes, clean
from tuiapp.machine.sources.clouds import PROVIDERS
from tuiapp.machine.sources.makers import WELL_KNOWN
from tuiapp.machine.spelling import spelled

FOLDER = "/sys/class/dmi/id"
FIELDS = (
    "sys_vendor",
    "product_name",
    "product_version",
    "product_family",
    "board_vendor",
    "board_name",
    "bios_vendor",
    "bios_version",
    "chassis_vendor",
    "chassis_version",
    "chassis_asset_tag",
)

AZURE_TAG = "7783-7084-3265-9085-8269-3286-77"
_MAKERS = ("sys_vendor", "product_name", "board_vendor", "board_name", "chassis_vendor")

LABELS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("sys_vendor", "board_vendor", "bios_vendor", "chassis_vendor"),
        r"innotek GmbH",
        "virtualbox",
    ),
    (("product_name", "board_name"), r"VirtualBox", "virtualbox"),
    (("sys_vendor", "bios_vendor", "product_name"), r"VMware", "vmware"),
    (("sys_vendor", "product_name", "bios_vendor"), r"Parallels", "parallels"),
    (("product_name", "bios_vendor", "sys_vendor"), r"BHYVE", "bhyve"),
    (("product_name", "sys_vendor"), r"Apple Virtualization", "apple"),
    (("sys_vendor", "product_name"), r"Cloud Hypervisor|cloud-hypervisor", "cloud-hypervisor"),
    (("sys_vendor", "product_name"), r"(?i:crosvm)", "crosvm"),
    (("sys_vendor", "product_name"), r"Firecracker", "firecracker"),
    (("sys_vendor", "bios_vendor"), r"Xen$", "xen"),
    (("product_name",), r"HVM domU", "xen"),
    (("sys_vendor", "bios_vendor"), r"ACRN", "acrn"),
    (("chassis_version", "product_version", "board_version"), r"Hyper-V", "hyperv"),
    (("sys_vendor", "bios_vendor"), r"OpenVMM", "hyperv"),
    (("bios_version",), r"VMW\d", "vmware"),
    (("product_name",), r"KVM(?: Virtual Machine)?$|RHEL AV|OpenShift Virtualization", "kvm"),
    (("board_vendor",), r"KVM$", "kvm"),
    (("sys_vendor", "product_name"), r"RHEV Hypervisor|oVirt|KubeVirt|Virtuozzo", "kvm"),
    (("sys_vendor", "product_name"), r"OpenStack|RDO$|CloudStack|Nutanix AHV", "kvm"),
    (
        ("product_name",),
        r"SmartDC|Droplet$|vServer$|Compute Instance$|SolusVM|Proxmox",
        "kvm",
    ),
    (("sys_vendor", "bios_vendor"), r"Red Hat(?:,? Inc\.?)?$", "kvm"),
    (("product_version",), r"(?:pc-(?:i440fx|q35)|virt)-rhel|RHEL-[\d.]+ PC", "kvm"),
    (("product_name", "sys_vendor"), r"QEMU", "qemu"),
    (("chassis_vendor", "bios_vendor"), r"QEMU", "qemu"),
    (("sys_vendor", "product_name", "bios_vendor"), r"Bochs", "qemu"),
    (("product_name",), r"Standard PC \(", "qemu"),
    (("product_version",), r"pc-(?:i440fx|q35)-\d|virt-\d", "qemu"),
)
"""Fields, how their text begins, and the hypervisor. Each line is a maker of device models."""

_PLACEHOLDER = re.compile(
    r"(?i)[\s.\-_0]*|to be filled.*|default string|system (?:manufacturer|product name|version)"
    r"|not (?:specified|applicable|available|set)|none|n/a|o\.?e\.?m\.?|unknown(?: product)?|empty"
    r"|x+|0123456789|invalid|<bad index>|type ?\d - .*"
)
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_SUN = re.compile(r"(?i)oracle|sun microsystems|fujitsu")
INSTANCE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+$")
VIRTUAL_FIRMWARE = re.compile(
    r"SeaBIOS|EFI Development Kit II / OVMF|[\w ]*\bdistribution of EDK II"
)
"""Distributions build EDK II for their virtual machines; makers of boards put their own name."""
FIRMWARE_MAKERS = re.compile(r"(?i)american megatrends|phoenix|insyde|award software|byosoft")
"""They sell firmware for boards. Of the hypervisors that imitate one, Hyper-V and VMware, both fill
in their own names, where some makers of boards leave the fields as they came."""
VIRTUAL_NAME = re.compile(
    r"(?i)\bvirtual|\bhypervisor|\bvps\b|\bkvm\b|(?<![\w-])vm\b"
    r"|\bqemu\b|\bvmware\b|\bbochs\b|\bbhyve\b|\bxen\b|\bhyper-?v\b|\bproxmox\b|\bopenstack\b"
    r"|\bcloud (?:server|compute|platform|instance)"
)
"""Words in the names that providers nobody lists here give to their virtual machines."""
METAL = re.compile(r"\.metal(?:-\w+)?$|-metal(?:-\w+)?$")


def look(notes: Notes) -> None:
    """Read every field, then say what follows from them together."""
    found = _read(notes)
    if not found:
        return
    guest = _note_labels(notes, found)
    guest = _note_pairs(notes, found) or guest
    if not guest:
        _note_physical(notes, found)


def meaningful(text: str) -> str:
    """``text``, or nothing where a maker left the field as it came, or no word is in it.

    What was no text to begin with is none either.
    """
    shown = "" if _UNREADABLE in text else clean(text)
    letters = sum(character.isalpha() for character in shown)
    return "" if letters < 2 or _PLACEHOLDER.fullmatch(shown) else shown


def _read(notes: Notes) -> dict[str, str]:
    if not notes.tree.exists(FOLDER):
        why = "does not exist: a microVM, a container, or no firmware of this kind"
        notes.miss(FOLDER, why)
        proves = "no firmware tables; of Hyper-V's guests only WSL's has none"
        notes.add(FOLDER, "missing", proves, "no-dmi=yes", WEAK)
        return {}
    found = {}
    for name in FIELDS:
        try:
            found[name] = notes.tree.text(f"{FOLDER}/{name}")
        except Unavailable as reason:
            if reason.message != "does not exist":
                notes.miss(f"{FOLDER}/{name}", reason.message)
    return found


def _note_labels(notes: Notes, found: dict[str, str]) -> bool:
    seen = False
    for fields, pattern, name in LABELS:
        for field in fields:
            text = found.get(field, "")
            if re.match(pattern, text):
                proves = f"{spelled(name)} calls its machines so"
                notes.add(f"{FOLDER}/{field}", text, proves, f"dmi={name}", LIKELY)
                seen = True
    return seen


def _note_pairs(notes: Notes, found: dict[str, str]) -> bool:
    """What one field alone does not say."""
    system, product = found.get("sys_vendor", ""), found.get("product_name", "")
    board = found.get("board_vendor", "")
    where, before = FOLDER, len(notes.signals)
    if system.startswith("Microsoft") and product.startswith("Virtual Machine"):
        shown = f"{system}, {product}"
        notes.add(f"{where}/product_name", shown, "Hyper-V calls its machines so", "dmi=hyperv")
    if found.get("chassis_asset_tag") == AZURE_TAG:
        proves = "Azure marks its machines so"
        notes.add(f"{where}/chassis_asset_tag", AZURE_TAG, proves, "dmi=hyperv", CERTAIN)
    if board.startswith("Oracle Corporation") and system and not _SUN.match(system):
        proves = "VirtualBox copies the host's names and leaves its own on the board"
        notes.add(f"{where}/board_vendor", f"{board}; {system}", proves, "dmi=virtualbox")
    if system.startswith("Amazon EC2") and INSTANCE.match(product) and not METAL.search(product):
        proves = "EC2's size of a virtual machine; whole ones are called metal"
        notes.add(f"{where}/product_name", product, proves, "dmi=kvm")
    if re.match(r"[\d.]+\.amazon", found.get("bios_version", "")):
        proves = "EC2's firmware for Xen"
        notes.add(f"{where}/bios_version", found["bios_version"], proves, "dmi=xen")
    if system.startswith("Nutanix") and "AHV" in product:
        notes.add(f"{where}/product_name", product, "Nutanix runs KVM", "dmi=kvm")
    return len(notes.signals) > before


def _note_physical(notes: Notes, found: dict[str, str]) -> None:
    """Names of hardware, where no field is a hypervisor's."""
    product = found.get("product_name", "")
    if METAL.search(product) and found.get("sys_vendor", "").startswith("Amazon EC2"):
        proves = "EC2 calls whole machines so"
        notes.add(f"{FOLDER}/product_name", product, proves, "metal=aws", LIKELY)
        return
    if _note_virtual_parts(notes, found):
        return
    virtual = next((one for one in _MAKERS if VIRTUAL_NAME.search(clean(found.get(one, "")))), None)
    if virtual:
        notes.add(f"{FOLDER}/{virtual}", found[virtual], "a name for virtual machines", "", WEAK)
        return
    for field in ("board_vendor", "sys_vendor"):
        maker = meaningful(found.get(field, ""))
        if maker and not is_provider(maker, product) and _is_borne_out(maker, found):
            shown = ", ".join(
                filter(None, (maker, meaningful(found.get("board_name", "") or product)))
            )
            proves = "the firmware names hardware"
            notes.add(f"{FOLDER}/{field}", shown, proves, "physical=dmi", LIKELY)
            return
        if maker:
            notes.add(f"{FOLDER}/{field}", maker)
            return
    _note_nameless(notes, found)


def _is_borne_out(maker: str, found: dict[str, str]) -> bool:
    """Anybody may call a machine anything; hardware also has firmware of somebody's, or a board."""
    return bool(WELL_KNOWN.match(maker)) or any(
        meaningful(found.get(field, "")) for field in ("bios_vendor", "board_name")
    )


def _note_nameless(notes: Notes, found: dict[str, str]) -> None:
    """A machine whose maker left its name out; only where the field itself was kept."""
    for field in ("board_name", "product_name"):
        text = meaningful(found.get(field, ""))
        if text and "sys_vendor" in found and not is_provider(text, text):
            proves = "the firmware names a board, though nobody who made it"
            notes.add(f"{FOLDER}/{field}", text, proves, "physical=firmware", WEAK)
            return
    bios = found.get("bios_vendor", "")
    if "sys_vendor" in found and FIRMWARE_MAKERS.match(bios):
        proves = "firmware for boards, the names in it left as they came"
        notes.add(f"{FOLDER}/bios_vendor", bios, proves, "physical=firmware", WEAK)
    elif bios == "EDK II":
        proves = "firmware that nobody gave a name: a virtual machine's, or a board's"
        notes.add(f"{FOLDER}/bios_vendor", bios, proves, "device-model=qemu", WEAK)
    elif told := next((one for one in _MAKERS if meaningful(found.get(one, ""))), None):
        notes.add(f"{FOLDER}/{told}", found[told])


def _note_virtual_parts(notes: Notes, found: dict[str, str]) -> bool:
    """Firmware and boards that only virtual machines have, though the names around are copied."""
    bios, board = found.get("bios_vendor", ""), found.get("board_name", "")
    if VIRTUAL_FIRMWARE.match(bios):
        proves = "firmware that is built for virtual machines"
        notes.add(f"{FOLDER}/bios_vendor", bios, proves, "device-model=qemu")
        return True
    if board.startswith("440BX Desktop Reference Platform") and bios.startswith("Phoenix"):
        proves = "the board and the BIOS that VMware imitates"
        notes.add(f"{FOLDER}/board_name", f"{board}; {bios}", proves, "device-model=vmware")
        return True
    return False


def is_provider(maker: str, product: str) -> bool:
    """Providers write their name over bought hardware and over virtual machines alike.

    Google sells laptops and desktops, too: of its machines only the cloud's are called after it.
    """
    if maker == "Google" and "Compute" not in product:
        return False
    return any(pattern.match(maker) for pattern, _ in PROVIDERS)
