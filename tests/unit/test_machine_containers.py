"""What shuts us in, apart from what machine it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles.machines import leaves, machine, signed

ID = "0123456789abcdef" * 4
OWN_PID = {"/proc/self/ns/pid.readlink": "pid:[4026532180]\n"}
FIRST_PID = {"/proc/self/ns/pid.readlink": "pid:[4026531836]\n"}
IMAGE = {"/.singularity.d/runscript": "#!/bin/sh\n"}
MARK = {"/.dockerenv": ""}


def _group(path: str) -> dict[str, str]:
    return {"/proc/self/cgroup": f"0::{path}\n"}


def _mount(root: str, kind: str, source: str, options: str, at: str = "/") -> dict[str, str]:
    line = f"1 0 0:40 {root} {at} rw - {kind} {source} {options}\n"
    return {"/proc/self/mountinfo": line}


CASES: list[tuple[str, dict[str, Any], str | None]] = [
    ("nothing", {}, None),
    ("the kernel's own namespace", FIRST_PID, None),
    ("docker by group", _group(f"/docker/{ID}"), "docker"),
    ("docker by scope", _group(f"/system.slice/docker-{ID}.scope"), "docker"),
    ("an engine's number below any parent", _group(f"/builds/{ID}"), "oci"),
    ("docker below another parent", {**MARK, **_group(f"/builds/{ID}")}, "docker"),
    ("a group that is no engine's", _group("/builds/0123456789abcdef"), None),
    ("docker itself", _group("/system.slice/docker.service"), None),
    ("containerd itself", _group("/system.slice/containerd.service"), None),
    ("docker by mark and namespace", {**MARK, **OWN_PID}, "docker"),
    (
        "docker with the host's processes",
        {**MARK, **FIRST_PID, "/proc/self/ns/cgroup.readlink": "cgroup:[4026532181]"},
        "docker",
    ),
    (
        "a mark that stayed behind, seen by a service",
        {**MARK, **FIRST_PID, "/proc/self/ns/uts.readlink": "uts:[4026532178]"},
        None,
    ),
    ("a mark that stayed behind", {**MARK, **FIRST_PID}, None),
    ("a mark alone", MARK, None),
    (
        "docker by its store",
        _mount("/", "overlay", "overlay", "rw,lowerdir=/var/lib/docker/overlay2/l/A:B"),
        "docker",
    ),
    (
        "docker by a file laid over",
        _mount(
            f"/var/lib/docker/containers/{ID}/hostname", "ext4", "/dev/a", "rw", "/etc/hostname"
        ),
        "docker",
    ),
    ("podman by group", _group(f"/machine.slice/libpod-{ID}.scope"), "podman"),
    ("podman's monitor", _group(f"/machine.slice/libpod-conmon-{ID}.scope"), None),
    ("podman by file", {"/run/.containerenv": 'engine="podman-5.0"\n'}, "podman"),
    ("podman by its first process", {"/proc/1/environ": b"A=b\0container=podman\0"}, "podman"),
    ("cri-o", {"/run/.containerenv": "", "/proc/1/environ": b"container=crio\0"}, "crio"),
    ("lxc", {"/run/systemd/container": "lxc\n"}, "lxc"),
    ("lxc by group", _group("/lxc.payload.web/init.scope"), "lxc"),
    ("lxc's monitor", _group("/lxc.monitor.web"), None),
    ("lxc by lxcfs", _mount("/proc/cpuinfo", "fuse.lxcfs", "lxcfs", "rw", "/proc/cpuinfo"), "lxc"),
    ("lxc by its first process", {"/proc/1/environ": b"container=lxc\0"}, "lxc"),
    ("nspawn", {"/run/host/container-manager": "systemd-nspawn"}, "systemd-nspawn"),
    (
        "kubernetes",
        _group(f"/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope"),
        "kubernetes",
    ),
    (
        "kubernetes, its groups hidden",
        {**OWN_PID, "/proc/1/environ": b"KUBERNETES_SERVICE_HOST=10.0.0.1\0"},
        "kubernetes",
    ),
    ("a variable that was inherited", {"/proc/self/environ": b"KUBERNETES_SERVICE_HOST=1\0"}, None),
    ("a variable that anybody can set", {"/proc/self/environ": b"container=docker\0"}, None),
    (
        "gvisor",
        {**MARK, **OWN_PID, "/proc/version": "Linux version 4.19.0-gvisor #1 SMP"},
        "gvisor",
    ),
    ("kata", _mount("/", "virtiofs", "kataShared", "rw"), "kata"),
    ("openvz", {"/proc/vz/version": "x"}, "openvz"),
    ("openvz's host", {"/proc/vz/version": "x", "/proc/bc/0": "x"}, None),
    ("linux-vserver", {"/proc/self/status": "Name:\tcat\nVxID: 41639\n"}, "linux-vserver"),
    ("vserver's host", {"/proc/self/status": "Name:\tcat\nVxID: 0\n"}, None),
    ("wsl", {"/proc/sys/kernel/osrelease": "5.10.74.3-microsoft-standard-WSL2"}, "wsl"),
    ("wsl 1", {"/proc/sys/kernel/osrelease": "4.4.0-19041-Microsoft"}, "wsl"),
    ("azure's kernel", {"/proc/sys/kernel/osrelease": "6.8.0-1021-azure"}, None),
    (
        "docker in wsl",
        {"/proc/sys/kernel/osrelease": "5.15.0-microsoft-standard-WSL2", **_group(f"/docker/{ID}")},
        "docker",
    ),
    ("bubblewrap", {"/proc/1/comm": "bwrap\n"}, "bubblewrap"),
    (
        "apptainer",
        {**IMAGE, "/proc/self/environ": b"A=b\0APPTAINER_CONTAINER=/x.sif\0"},
        "apptainer",
    ),
    ("singularity", {**IMAGE, "/proc/self/environ": b"SINGULARITY_CONTAINER=/x\0"}, "apptainer"),
    ("apptainer with its own processes", {**IMAGE, **OWN_PID}, "apptainer"),
    (
        "apptainer by its root",
        _mount(
            "/", "overlay", "overlay", "ro,lowerdir=/var/lib/apptainer/mnt/session/overlay-lower/x"
        ),
        "apptainer",
    ),
    ("an image of apptainer's that became a machine", {**IMAGE, **FIRST_PID}, None),
    ("apptainer's variable alone", {"/proc/self/environ": b"APPTAINER_CONTAINER=/x\0"}, None),
    ("a namespace and no name", OWN_PID, "namespaces-only"),
    ("a user's namespace alone", {"/proc/self/ns/user.readlink": "user:[4026532180]"}, None),
]


@pytest.mark.parametrize(("case", "files", "name"), CASES, ids=[row[0] for row in CASES])
def test_containers(tmp_path: Path, case: str, files: dict[str, Any], name: str | None) -> None:
    assert machine(tmp_path, files).container == name


def test_a_mark_that_is_not_believed_is_a_conflict(tmp_path: Path) -> None:
    (conflict,) = machine(tmp_path, {**MARK, **FIRST_PID}).conflicts
    assert "/.dockerenv" in conflict


def test_a_containers_name_is_harmless(tmp_path: Path) -> None:
    found = machine(tmp_path, {"/run/systemd/container": "\x1b[31mred\u202e" + "x" * 500})
    assert found.container == "other"
    shown = next(signal for signal in found.signals if signal.source == "manager")
    assert shown.value.isprintable()
    assert len(shown.value) <= 120


def test_values_of_variables_are_not_noted(tmp_path: Path) -> None:
    files = {"/proc/1/environ": b"RUNPOD_POD_ID=secret1\0KUBERNETES_SERVICE_HOST=secret2\0"}
    found = machine(tmp_path, files)
    assert found.cloud == "runpod"
    assert "secret" not in str(found.as_json())


def _hyperv(rights: int) -> dict[str, tuple[int, int, int, int]]:
    return leaves(
        x00000001=(0, 0, 1 << 31, 0), x40000000=signed("Microsoft Hv"), x40000003=(0, rights, 0, 0)
    )


DMI = {"/sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n",
       "/sys/class/dmi/id/product_name": "Virtual Machine\n"}  # fmt: skip


@pytest.mark.parametrize(
    ("files", "rights", "container"),
    [
        ({}, 0x3B8030, "wsl"),  # a kernel somebody built: nothing of WSL in its name
        (DMI, 0x3B8030, None),
        ({}, 0x3B9031, None),  # the root partition
        (OWN_PID, 0x3B8030, "namespaces-only"),
        ({**MARK, **OWN_PID}, 0x3B8030, "docker"),
    ],
)
def test_a_guest_of_hyperv_without_firmware_is_wsls(
    tmp_path: Path, files: dict[str, str], rights: int, container: str | None
) -> None:
    assert machine(tmp_path, files, _hyperv(rights)).container == container
