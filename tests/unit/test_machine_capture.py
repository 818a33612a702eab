"""Captures of a machine: the same answer elsewhere, and nothing of whose machine it is."""

from __future__ import annotations

import gzip
import io
import os
import re
import tarfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from tests.unit.test_host_command import KVM_GUEST, UUID, lay
from tuiapp.cli.host_report import collect_facts
from tuiapp.errors import Unavailable, UsageError
from tuiapp.machine.archive import unpack
from tuiapp.machine.capture import RecordingTree, write
from tuiapp.machine.looking import look, opened
from tuiapp.machine.redaction import redact
from tuiapp.machine.report import GUEST
from tuiapp.machine.tree import DENIED


def test_a_capture_gives_the_same_answer_and_no_secrets(tmp_path: Path) -> None:
    root = lay(tmp_path / "machine", KVM_GUEST)
    found = look(root)
    packed = tmp_path / "capture.tar.gz"
    left = write(packed, found.tree, found.cpuid)
    with opened(packed) as folder:
        again = look(folder)
        text = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file()).decode()
    assert again.machine.machine == found.machine.machine == GUEST
    assert again.machine.hypervisor == found.machine.hypervisor
    assert again.machine.container == found.machine.container
    for secret in ("SN-1234-SECRET", UUID, "hunter2", "secret-host"):
        assert secret not in text
    assert any("product_serial" in line for line in left) or "product_serial" not in text


@pytest.mark.parametrize(
    ("path", "data", "kept"),
    [
        ("/sys/class/dmi/id/chassis_asset_tag", b"7783-7084-3265-9085-8269-3286-77\n", True),
        ("/sys/class/dmi/id/chassis_asset_tag", b"ASSET-0815\n", False),
        ("/sys/class/dmi/id/product_name", b"PowerEdge R740\n", True),
        ("/proc/sysinfo", b"Sequence Code: 00000000000033E8\nType: 2964\n", False),
        ("/proc/self/cgroup", b"0::/docker/" + b"ab" * 32, False),
        ("/sys/class/net/eth0/address", b"52:54:00:12:34:56\n", False),
        ("/sys/hypervisor/uuid", b"00000000-0000-0000-0000-000000000000\n", True),
        ("/proc/device-tree/ibm,partition-name", b"PROD-DB-7\0", False),
        ("/proc/version", b"Linux version 4.4.0 (Microsoft@Microsoft.com)\n", True),
    ],
)
def test_what_identifies_is_blanked_and_what_tells_stays(
    path: str, data: bytes, kept: bool
) -> None:
    assert (redact(path, data) == data) is kept


@pytest.mark.parametrize(
    ("path", "data", "secret", "stays"),
    [
        (
            "/proc/cmdline",
            b"quiet luks.key=hunter2 iommu=pt -- --token hunter2",
            b"hunter2",
            b"iommu=pt",
        ),
        ("/proc/version", b"Linux version 6.1 (alice@buildbox) (gcc)", b"alice", b"(gcc)"),
        ("/proc/sysinfo", b"Plant: 83A\nVM00 Control Program: z/VM", b"83A", b"z/VM"),
        ("/proc/cpuinfo", b"identification = 2B7CD8,  machine = 3906", b"2B7CD8", b"3906"),
        ("/sys/hypervisor/uuid", b"ec2e1916-9099-7caf-fd21-012345abcdef", b"1916", b"ec2"),
        ("/proc/self/status", b"Name:\tx\nUid:\t4711\nVxID:\t7\n", b"4711", b"VxID:\t7"),
        (
            "/proc/self/mountinfo",
            b"1 0 254:0 / / rw - ext4 /dev/vda rw\n"
            b"2 1 0:44 / /home/alice rw - nfs4 nas.acme.example:/x rw\n",
            b"acme",
            b"/dev/vda",
        ),
        (
            "/proc/self/mountinfo",
            b"1 0 0:44 / / rw - nfs4 10.1.2.9:/x rw,sec=sys,clientaddr=10.1.2.4,addr=10.1.2.3\n",
            b"10.1.2",
            b" / rw - nfs4 redacted rw\n",
        ),
        (
            "/proc/self/mountinfo",
            b"1 0 0:44 / / ro - overlay overlay ro,lowerdir=alice/l:/var/lib/docker/x,fsid=7\n",
            b"alice",
            b"/var/lib/docker/",
        ),
        (
            "/proc/self/mountinfo",
            b"1 0 0:9 / /sys/fs/cgroup/cpu rw - cgroup alice rw,cpu,cpuacct,release_agent=/alice\n",
            b"alice",
            b"rw,cpu,cpuacct",
        ),
    ],
)
def test_files_that_say_anything_keep_only_what_is_looked_for(
    path: str, data: bytes, secret: bytes, stays: bytes
) -> None:
    kept = redact(path, data)
    assert secret in data
    assert secret not in kept
    assert stays in kept


def test_a_container_stays_a_container_when_its_number_is_blanked() -> None:
    assert redact("/proc/self/cgroup", b"0::/docker/" + b"ab" * 32).startswith(b"0::/docker/0000")


def test_a_capture_does_not_overwrite(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists already"):
        write(tmp_path / "x.tar.gz", RecordingTree(tmp_path), None)


def test_a_hostile_capture_stays_in_its_folder(tmp_path: Path) -> None:
    packed = tmp_path / "bad.tar.gz"
    (tmp_path / "f").write_text("x")
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(tmp_path / "f", "../escaped")
        archive.add(tmp_path / "f", "root/../../escaped")
        for slashes in ("/", "//", "///"):  # the add method would strip them
            entry = tarfile.TarInfo(f"{slashes}{str(tmp_path).lstrip('/')}/escaped")
            entry.size = 1
            archive.addfile(entry, io.BytesIO(b"x"))
        link = tarfile.TarInfo("root/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        archive.add(tmp_path / "f", "root/link/below")
    folder = tmp_path / "in"
    folder.mkdir()
    unpack(packed, folder)
    assert not (tmp_path / "escaped").exists()
    inside = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert inside == {"root/link/below", f"{str(tmp_path).lstrip('/')}/escaped"}


@pytest.mark.parametrize("kind", [b"x", b"L", b"0"])
def test_a_capture_that_never_ends_is_refused_before_it_fills_the_memory(
    tmp_path: Path, kind: bytes
) -> None:
    """Its header, its long name or its file is 200 MiB of zeros, which pack into nothing."""
    packed, size = tmp_path / "bomb.tar.gz", 200 << 20
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = kind, size
    with gzip.open(packed, "wb", compresslevel=1) as out:
        out.write(entry.tobuf(tarfile.GNU_FORMAT))
        for _ in range(size >> 20):
            out.write(bytes(1 << 20))
    (tmp_path / "in").mkdir()
    tracemalloc.start()
    with pytest.raises(Unavailable, match="larger than a capture can be"):
        unpack(packed, tmp_path / "in")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size


def test_a_broken_capture_is_refused(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(os.urandom(1 << 16)))
    data[40:60] = b"\xff" * 20
    (tmp_path / "x.tar.gz").write_bytes(data)
    with pytest.raises(Unavailable, match="no capture"):
        unpack(tmp_path / "x.tar.gz", tmp_path)


@pytest.mark.parametrize("beside", [False, True])
def test_a_root_that_is_a_link_leads_nowhere(tmp_path: Path, beside: bool) -> None:
    (tmp_path / "root").symlink_to("/")
    if beside:
        (tmp_path / "cpuid.json").write_text("{}")
    with pytest.raises(UsageError, match="is a link"):
        look(tmp_path)


def test_a_whole_file_system_may_have_a_home_of_root(tmp_path: Path) -> None:
    lay(tmp_path, KVM_GUEST)
    (tmp_path / "root").mkdir()
    assert look(tmp_path).machine.machine == GUEST


def test_the_serial_number_of_an_arm_processor_is_blanked() -> None:
    assert b"abcdef99" not in redact("/proc/cpuinfo", b"Serial\t\t: 00000000abcdef99\n")


MACHINES = Path(__file__).parents[1] / "fixtures" / "machines"
ID = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"
ANSWER = ("machine", "hypervisor", "role", "container", "cloud", "confidential", "confidence")


def captured(root: Path, target: Path) -> Path:
    found = look(root)
    collect_facts(found)
    write(target, found.tree, found.cpuid)
    return target


@pytest.mark.parametrize("name", sorted(p.name for p in MACHINES.iterdir() if p.is_dir()))
def test_a_recorded_machine_is_the_same_after_a_capture(tmp_path: Path, name: str) -> None:
    before = look(MACHINES / name).machine
    with opened(captured(MACHINES / name, tmp_path / "c.tar.gz")) as folder:
        after = look(folder).machine
    assert [getattr(after, f) for f in ANSWER] == [getattr(before, f) for f in ANSWER]


def test_a_capture_in_which_nothing_could_be_read_is_unknown(tmp_path: Path) -> None:
    lay(tmp_path / "m", {"etc/motd": "hello\n"})
    with opened(captured(tmp_path / "m", tmp_path / "c.tar.gz")) as folder:
        assert look(folder).machine.machine == "unknown"


def test_a_record_of_what_was_closed_alone_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "unread.json").write_text(f'{{"/proc/cpuinfo": "{DENIED}"}}')
    found = look(tmp_path).machine
    assert found.machine == "unknown"
    assert any(signal.unread == DENIED for signal in found.signals)


@pytest.mark.parametrize(
    ("tag", "kept"),
    [
        ("OpenStack Nova", "OpenStack Nova"),
        ("HUAWEICLOUD", "HUAWEICLOUD"),
        ("Hetzner", "Hetzner"),
        ("", ""),
        ("Hetzner rack 17 of alice", "Hetzner redacted"),
        ("IBM:Cloud:0:1/alice", "IBM:Cloud redacted"),
        ("123456.zstack.io", "0.zstack.io"),
        ("alice's", "redacted"),
    ],
)
def test_a_providers_name_in_the_tag_stays(tmp_path: Path, tag: str, kept: str) -> None:
    path = "/sys/class/dmi/id/chassis_asset_tag"
    root = lay(tmp_path / "m", {path[1:]: f"{tag}\n", "etc/motd": ""})
    with opened(captured(root, tmp_path / "c.tar.gz")) as folder:
        again = look(folder)
        assert again.tree.text(path) == kept
        assert again.machine.cloud == look(root).machine.cloud


def test_the_hypervisors_name_in_the_fadt_stays(tmp_path: Path) -> None:
    table = b"FACP\x14\x01\0\0\6" + b"\1" * 259 + b"MsHyperV"
    root = lay(tmp_path / "m", {"etc/motd": ""})
    place = root / "sys/firmware/acpi/tables/FACP"
    place.parent.mkdir(parents=True)
    place.write_bytes(table)
    with opened(captured(root, tmp_path / "c.tar.gz")) as folder:
        again = look(folder)
        assert again.machine.hypervisor == "hyperv"
        assert again.tree.bytes("/sys/firmware/acpi/tables/FACP")[36:268] == bytes(232)


def test_what_only_a_program_printed_goes_along(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "lscpu.txt").write_text("Hypervisor vendor: Xen\nVirtualization type: full\n")
    with opened(captured(tmp_path / "m", tmp_path / "c.tar.gz")) as folder:
        assert look(folder).machine.hypervisor == "xen"


@pytest.mark.parametrize(
    "group",
    [
        f"/docker/{ID}",
        f"/system.slice/docker-{ID}.scope",
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b2c3d_1234_5678_9abc"
        f"_0123456789ab.slice/cri-containerd-{ID}.scope",
        f"/lxc/alice-prod-db/{ID[:32]}",
        f"/ecs/mycluster/{ID[:12]}",
    ],
)
def test_a_limit_is_found_again_behind_blanked_names(tmp_path: Path, group: str) -> None:
    root = lay(
        tmp_path / "m",
        {
            "proc/self/cgroup": f"0::{group}\n",
            "proc/self/mountinfo": "30 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 "
            "cgroup2 rw,nsdelegate\n",
            f"sys/fs/cgroup{group}/cpu.max": "150000 100000\n",
            f"sys/fs/cgroup{group}/memory.max": "1234567890123\n",
        },
    )
    packed = captured(root, tmp_path / "c.tar.gz")
    names = gzip.decompress(packed.read_bytes()).decode("latin-1")
    for secret in (ID[:12], "0a1b2c3d", "alice", "mycluster"):
        assert secret not in names
    with opened(packed) as folder:
        facts, _ = collect_facts(look(folder))
    assert facts["cpu_quota_cores"] == 1.5
    assert facts["memory_limit_bytes"] == 1234567890123


SECRETS = {
    "proc/self/mountinfo": "1 0 0:40 / / rw - overlay overlay rw,lowerdir=/home/alice/.local/share/"
    f"containers/storage/overlay/l/{ID[:26]},workdir=/home/alice/w\n"
    "2 1 0:41 /export/alice / rw - nfs4 filer7.corp.example:/export/alice rw\n",
    "proc/1/comm": "alice-daemon\n",
    "run/host/container-manager": "podman\nalice\n",
    "etc/os-release": 'PRETTY_NAME="Debian"\nIMAGE_ID=alice-image\n',
    "proc/1/environ": "container=podman\nalice\0",
    "proc/cpuinfo": "flags\t: fpu\nSerial\t\t: 00000000abcdef99\n",
    "sys/bus/vmbus/devices/7a1b2c3d-1234-5678-9abc-0123456789ab/x": "1\n",
}


@pytest.mark.parametrize("name", ["K_SERVICE", "VAST_CONTAINERLABEL", "CODESPACES"])
def test_a_provider_is_found_again_and_the_value_is_not(tmp_path: Path, name: str) -> None:
    root = lay(tmp_path / "m", {"proc/1/environ": f"{name}=alice\0TOKEN=alice\0"})
    with opened(captured(root, tmp_path / "c.tar.gz")) as folder:
        again = look(folder)
        assert again.machine.cloud == look(root).machine.cloud
        assert "alice" not in again.tree.text("/proc/1/environ")


def test_nothing_of_the_owner_is_in_a_capture(tmp_path: Path) -> None:
    root = lay(tmp_path / "m", SECRETS)
    found = look(root)
    collect_facts(found)
    for name in SECRETS:  # whatever detection reads of it today
        with suppress(Unavailable):
            found.tree.bytes(f"/{name}")
    write(tmp_path / "c.tar.gz", found.tree, None)
    text = gzip.decompress((tmp_path / "c.tar.gz").read_bytes()).decode("latin-1")
    for secret in ("alice", "filer7", "abcdef99", "7a1b2c3d", ID[:26]):
        assert secret not in text
    assert "containers/storage" in text  # what tells podman stays


def test_what_could_not_be_read_stays_unread_and_not_missing(tmp_path: Path) -> None:
    root = lay(tmp_path / "m" / "root", {"proc/1/environ": "x", "proc/version": "Linux\n"})
    tree = look(tmp_path / "m").tree
    tree.closed["/proc/1/environ"] = DENIED
    tree.files.pop("/proc/1/environ", None)
    tree.there.add("/proc/1/environ")
    write(tmp_path / "c.tar.gz", tree, None)
    assert root.is_dir()
    with opened(tmp_path / "c.tar.gz") as folder:
        again = look(folder).tree
        with pytest.raises(Unavailable, match=DENIED):
            again.bytes("/proc/1/environ")
        assert again.exists("/proc/1/environ")


def test_thousands_of_devices_are_captured_in_no_time(tmp_path: Path) -> None:
    tree = RecordingTree(lay(tmp_path / "m", {"proc/version": "x"}))
    tree.there.update(f"/sys/bus/pci/devices/{at:04x}:00:00.0/vendor" for at in range(3_000))
    write(tmp_path / "c.tar.gz", tree, None)
    with opened(tmp_path / "c.tar.gz") as folder:
        assert len(list((folder / "root/sys/bus/pci/devices").iterdir())) == 3_000


@pytest.mark.parametrize("mode", ["w", "w:xz", "w:gz"])
def test_archives_made_by_hand_are_read_too(tmp_path: Path, mode: str) -> None:
    lay(tmp_path / "m", {"host1/root/proc/version": "Linux 4.4.0-gvisor #1\n"})
    with tarfile.open(tmp_path / "x.tar", mode) as archive:
        archive.add(tmp_path / "m" / "host1", "host1")
    with opened(tmp_path / "x.tar") as folder:
        assert look(folder).tree.text("/proc/version").startswith("Linux 4.4.0")


def test_a_bad_cpuid_record_does_not_cost_the_answer(tmp_path: Path) -> None:
    lay(tmp_path / "m", {**{f"root/{n}": t for n, t in KVM_GUEST.items()}, "cpuid.json": "{"})
    found = look(tmp_path / "m")
    assert found.machine.machine == "guest"
    assert found.no_cpuid == "cpuid.json is no JSON"


def test_an_archive_of_nothing_is_called_by_its_own_name(tmp_path: Path) -> None:
    place = tmp_path / "nothing.tar.gz"
    with tarfile.open(place, "w:gz"):
        pass
    with pytest.raises(UsageError, match=re.escape(f"{place} holds no files")), opened(place):
        pass
