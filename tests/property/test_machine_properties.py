"""Any mixture of signals has an answer, and none is bare metal without a witness."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.machines import FLAGGED, OFF, ON, PLAIN, build, dmi, pci, signed
from tuiapp.machine.cpuid_record import RecordedCpuid
from tuiapp.machine.facts import Facts
from tuiapp.machine.inspection import inspect, judge
from tuiapp.machine.report import CERTAIN, LIKELY, WEAK, Machine, Signal
from tuiapp.machine.sources.cpuid import SIGNATURES
from tuiapp.machine.sources.dmi import FIELDS, FOLDER

WITNESSES = ("bit=off", "physical=", "metal=")
GUESTS = ("emulated=", "signature=", "bit=on", "flag=on", "platform=", "dmi=", "clock=", "guest=")

FACTS = {
    "emulated": ["uml"],
    "xen": ["dom0", "domu", "domain"],
    "signature": ["kvm", "hyperv", "xen", "qemu", "vmware"],
    "bit": ["on", "off"],
    "flag": ["on", "off"],
    "root": ["yes", "no"],
    "parent": ["hyperv"],
    "platform": ["kvm", "powervm", "hyperv"],
    "guest": ["devicetree"],
    "dmi": ["virtualbox", "qemu", "kvm", "xen", "hyperv"],
    "vmm": ["firecracker"],
    "device-model": ["qemu", "firecracker-like"],
    "brand": ["qemu", "firecracker"],
    "accelerated": ["yes"],
    "clock": ["kvm"],
    "lscpu": ["kvm", "hyperv"],
    "outer": ["zvm"],
    "smbios": ["on", "off"],
    "physical": ["dmi", "firmware", "pci", "devicetree"],
    "metal": ["aws"],
    "virtio": ["pci"],
    "container": ["docker", "wsl", "gvisor", "oci"],
    "container-mark": ["docker"],
    "container-runner": ["kubernetes"],
    "container-store": ["docker", "oci"],
    "namespace": ["pid", "uts", "user"],
    "cloud-mark": ["aws", "runpod"],
    "cloud": ["aws", "gce", "runpod", "hetzner"],
    "confidential": ["tdx", "sev"],
    "trusted-module": ["tdx"],
}
PAIRS = [f"{kind}={value}" for kind, values in FACTS.items() for value in values]
STRENGTHS = st.sampled_from([CERTAIN, LIKELY, WEAK, ""])
SIGNALS = st.lists(
    st.builds(
        Signal,
        source=st.sampled_from(["cpuid", "dmi", "acpi", "cgroup", "environment"]),
        where=st.just("somewhere"),
        fact=st.sampled_from(PAIRS) | st.text(max_size=20),
        strength=STRENGTHS,
    ),
    max_size=12,
)
RELAXED = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def _check(found: Machine) -> None:
    facts = [signal.fact for signal in found.signals]
    assert found.because
    assert json.loads(json.dumps(found.as_json()))["machine"] == found.machine
    assert bool(found.role) == (found.machine == "host-partition")
    if found.machine == "bare-metal":
        assert any(fact.startswith(WITNESSES) for fact in facts)
        assert not any(fact.startswith(GUESTS) for fact in facts)
        assert found.hypervisor is None
    if found.machine == "unknown":
        assert found.hypervisor is None
        assert found.confidence == ""


@given(SIGNALS)
def test_any_signals_have_one_answer(signals: list[Signal]) -> None:
    _check(judge(signals))


@given(SIGNALS)
def test_more_than_a_witness_never_makes_a_guest_bare(signals: list[Signal]) -> None:
    before = judge(signals).machine
    witness = Signal("dmi", "x", fact="physical=dmi", strength=LIKELY)
    if before == "guest" and not Facts(signals).all("device-model"):
        assert judge([*signals, witness]).machine != "bare-metal"


TEXTS = st.one_of(
    st.sampled_from(
        [b"QEMU", b"Xen", b"VMware, Inc.", b"Dell Inc.", b"Amazon EC2", b"Microsoft Corporation"]
    ),
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")),
)
PATHS = [
    *(f"{FOLDER}/{field}" for field in FIELDS),
    "/proc/cpuinfo",
    "/proc/version",
    "/proc/sysinfo",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/proc/self/status",
    "/proc/1/environ",
    "/proc/bus/pci/devices",
    "/proc/xen/capabilities",
    "/proc/self/ns/pid.readlink",
    "/proc/device-tree/compatible",
    "/proc/device-tree/model",
    "/proc/device-tree/hypervisor/compatible",
    "/proc/ppc64/lparcfg",
    "/proc/sys/kernel/osrelease",
    "/run/systemd/container",
    "/run/host/container-manager",
    "/sys/firmware/acpi/tables/FACP",
    "/sys/firmware/dmi/entries/0-0/raw",
    "/sys/firmware/dmi/tables/DMI",
    "/sys/hypervisor/type",
    "/sys/hypervisor/uuid",
    "/sys/hypervisor/properties/features",
    "/sys/bus/pci/devices/0000:00:00.0/vendor",
    "/sys/bus/acpi/devices/X:00/hid",
]
KNOWN: list[dict[str, Any]] = [
    PLAIN,
    FLAGGED,
    dmi(sys_vendor="Dell Inc.", board_vendor="Dell Inc."),
    dmi(sys_vendor="QEMU"),
    pci("0000:00:00.0 8086:4621 060000"),
    pci("0000:00:00.0 1b36:0008 060000"),
]
FILES = st.builds(
    lambda known, files: {**{k: v for one in known for k, v in one.items()}, **files},
    st.lists(st.sampled_from(KNOWN), max_size=3),
    st.dictionaries(st.sampled_from(PATHS), TEXTS, max_size=8),
)
NUMBERS = st.tuples(*[st.integers(0, 0xFFFFFFFF)] * 4)
KNOWN_REGISTERS = st.sampled_from([ON, OFF, *(signed(text) for text in SIGNATURES)])
LEAVES = st.dictionaries(
    st.sampled_from([0, 1, 0x21, 0x40000000, 0x40000003, 0x40000100, 0x4000000C, 0x8000001F]),
    NUMBERS | KNOWN_REGISTERS,
    max_size=6,
)


@RELAXED
@given(FILES, st.none() | LEAVES)
def test_any_files_and_leaves_have_one_answer(
    files: dict[str, str | bytes], leaves: dict[int, tuple[int, int, int, int]] | None
) -> None:
    cpuid = None
    if leaves is not None:
        record = {f"{leaf:08x}.0": [f"{n:08x}" for n in row] for leaf, row in leaves.items()}
        cpuid = RecordedCpuid({"leaves": record})
    with tempfile.TemporaryDirectory() as folder:
        found = inspect(build(Path(folder), files), cpuid)
    _check(found)
    for signal in found.signals:
        assert (signal.value + signal.unread).isprintable()
        assert signal.value or signal.unread


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
)


@given(JSON)
def test_any_json_is_some_processor(record: Any) -> None:
    cpuid = RecordedCpuid(record)
    assert cpuid.read(1) is None or isinstance(cpuid.read(1), tuple)


@pytest.mark.parametrize("path", PATHS)
def test_a_huge_file_of_anything_ends(tmp_path: Path, path: str) -> None:
    noise = bytes(range(256)) * 8192
    _check(inspect(build(tmp_path, {path: noise}), None))
