"""``tuiapp host`` on this machine, beside the tools that others use; every disagreement explained.

What is asserted follows from the two programs' own rules, not from one machine: see
``docs/virtualization.md``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.program import TUIAPP

VMS = {"kvm", "qemu", "amazon", "vmware", "microsoft", "xen", "oracle", "bhyve", "parallels",
       "google", "apple", "acrn", "qnx", "bochs", "uml", "zvm", "powervm", "sre"}  # fmt: skip
OF_KVM = {"kvm", "firecracker", "cloud-hypervisor", "crosvm", "lkvm", "qemu", "virtualbox"}
"""What answers CPUID as KVM does: systemd-detect-virt and lscpu then say kvm."""


def tuiapp(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(TUIAPP), "host", *argv], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    done = tuiapp("--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def tool(name: str, *argv: str) -> list[str]:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return subprocess.run([path, *argv], capture_output=True, text=True).stdout.split("\n")


def test_the_answer_stands_on_evidence(told: dict[str, Any]) -> None:
    assert told["machine"] in ("bare-metal", "guest", "host-partition", "unknown")
    if told["machine"] == "unknown":
        assert told["because"]
    else:
        assert any(signal.get("proves") for signal in told["evidence"])


def test_the_same_machine_has_the_same_fingerprint(told: dict[str, Any]) -> None:
    again = json.loads(tuiapp("--json").stdout)
    assert again["fingerprint"] == told["fingerprint"]


def test_systemd_detect_virt_agrees_on_the_machine(told: dict[str, Any]) -> None:
    [answer, *_] = tool("systemd-detect-virt", "--vm")
    if answer == "none":
        # It calls Xen's first domain none as well.
        assert told["machine"] != "guest"
    elif answer == "kvm":
        assert told["hypervisor"] in OF_KVM
    else:
        assert told["machine"] in ("guest", "host-partition")


def test_systemd_detect_virt_agrees_on_the_container(told: dict[str, Any]) -> None:
    [answer, *_] = tool("systemd-detect-virt", "--container")
    if answer == "none":
        assert told["container"] in (None, "namespaces-only")
    elif told["container"] is None:
        # It believes /.dockerenv alone, which stays behind when an image becomes a machine.
        assert answer in ("docker", "podman")
        assert any("stayed behind" in sentence for sentence in told["conflicts"])


def test_virt_what_agrees_but_for_left_over_marks(told: dict[str, Any]) -> None:
    facts = {line for line in tool("virt-what") if line}
    if facts & {"kvm", "qemu", "vmware", "hyperv", "xen", "virtualbox"}:
        assert told["machine"] in ("guest", "host-partition")
    if facts & {"docker", "podman"} and told["container"] is None:
        assert any("stayed behind" in sentence for sentence in told["conflicts"])


def test_lscpu_agrees_on_whether_there_is_a_hypervisor(told: dict[str, Any]) -> None:
    lines = [line.partition(":") for line in tool("lscpu")]
    vendor = next((value.strip() for key, _, value in lines if key == "Hypervisor vendor"), "")
    if vendor:
        assert told["machine"] in ("guest", "host-partition")
    if vendor == "KVM":
        assert told["hypervisor"] in OF_KVM


def test_quiet_exits_as_systemd_detect_virt_does(told: dict[str, Any]) -> None:
    done = tuiapp("--quiet", "--vm")
    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode == (0 if told["machine"] == "guest" else 1)
    whole = tuiapp("--quiet")
    assert whole.returncode == (0 if told["machine"] == "guest" or told["container"] else 1)


def test_a_capture_of_this_machine_gives_the_same_answer(
    told: dict[str, Any], tmp_path: Path
) -> None:
    packed = tmp_path / "host.tar.gz"
    done = tuiapp("--capture", str(packed))
    assert done.returncode == 0, done.stderr
    again = json.loads(tuiapp("--json", "--root", str(packed)).stdout)
    for name in ("machine", "hypervisor", "role", "container", "cloud", "confidential"):
        assert again[name] == told[name], name
    hostname = Path("/proc/sys/kernel/hostname").read_text().strip()
    assert again["host"].get("hostname") in (None, "redacted")
    assert hostname == "localhost" or len(hostname) < 4 or hostname not in json.dumps(again)


def test_a_machine_without_a_file_is_unknown_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    done = tuiapp("--root", str(tmp_path), "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["machine"]) == (0, "unknown")
    assert told["unread"]


def test_an_empty_folder_is_no_machine(tmp_path: Path) -> None:
    done = tuiapp("--root", str(tmp_path))
    assert done.returncode == 2
    assert "is empty" in done.stderr


def test_it_can_be_piped_into_a_program_that_leaves() -> None:
    done = subprocess.run(
        ["sh", "-c", f"{TUIAPP} host --explain | head -1"], capture_output=True, text=True
    )
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
