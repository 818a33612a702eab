"""``tuiapp host``: badge, fingerprint, captures, and what it says of recorded machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tuiapp import cli
from tuiapp.cli import host_sampling
from tuiapp.collectors import COLLECTORS
from tuiapp.collectors.base import Collector, Gauges, Host
from tuiapp.collectors.machine import MachineCollector
from tuiapp.errors import Unavailable
from tuiapp.machine.badge import badge
from tuiapp.machine.fingerprint import FIELDS, differences, fingerprint
from tuiapp.machine.report import BARE_METAL, GUEST, HOST_PARTITION, UNKNOWN, Machine

UUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
KVM_GUEST = {
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: QEMU Virtual CPU version 2.5+\n"
    "flags\t\t: fpu hypervisor\n",
    "sys/class/dmi/id/sys_vendor": "QEMU\n",
    "sys/class/dmi/id/product_name": "Standard PC (i440FX + PIIX, 1996)\n",
    "sys/class/dmi/id/product_serial": "SN-1234-SECRET\n",
    "sys/class/dmi/id/product_uuid": f"{UUID}\n",
    "proc/meminfo": "MemTotal: 8388608 kB\n",
    "proc/sys/kernel/hostname": "secret-host\n",
    "proc/sys/kernel/osrelease": "6.1.0\n",
    "proc/1/environ": "container=docker\0API_KEY=hunter2\0",
}


def lay(folder: Path, files: dict[str, str]) -> Path:
    """A recorded tree."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = cli.main(["host", *argv])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (Machine(BARE_METAL), "bare metal"),
        (Machine(BARE_METAL, container="docker"), "docker in bare metal"),
        (Machine(BARE_METAL, cloud="aws"), "bare metal (AWS)"),
        (Machine(GUEST, "kvm"), "VM · KVM"),
        (Machine(GUEST, "firecracker", nested=True), "VM · Firecracker, nested"),
        (Machine(GUEST, "hyperv", cloud="azure", confidential="sev-snp"),
         "VM · Hyper-V, SEV-SNP (Azure)"),
        (Machine(GUEST, "kvm", cloud="gce"), "VM · KVM (Google Cloud)"),
        (Machine(GUEST, "kvm", cloud="vultr"), "VM · KVM (Vultr)"),
        (Machine(GUEST), "VM"),
        (Machine(UNKNOWN), "unknown machine"),
        (Machine(UNKNOWN, container="namespaces-only"), "unnamed container, machine unknown"),
        (Machine(GUEST, "kvm", container="namespaces-only"), "unnamed container in VM · KVM"),
        (Machine(HOST_PARTITION, role="xen-dom0"), "Xen dom0"),
        (Machine(HOST_PARTITION, role="hyperv-root", nested=True), "Hyper-V root, nested"),
        (Machine(UNKNOWN, container="podman"), "podman, machine unknown"),
        (Machine(GUEST, "hyperv", container="wsl"), "WSL, VM · Hyper-V"),
        (Machine(GUEST, "something-new"), "VM · something-new"),
    ],
)  # fmt: skip
def test_a_badge_says_what_a_machine_is(machine: Machine, words: str) -> None:
    assert badge(machine) == words


FACTS = {
    "machine": {"machine": "guest", "hypervisor": "kvm"},
    "cpu_model": "x",
    "memory_total_bytes": 16_700_000_000,
    "kernel": "6.1",
    "hostname": "secret",
    "numa_nodes": [{"cpus": "0-3"}],
    "pci_gpus": [{"vendor": "10de", "device": "2330", "slot": "0000:01:00.0"}],
}


def test_a_fingerprint_is_ordered_and_tells_no_names() -> None:
    found = fingerprint(FACTS)
    assert tuple(found) == (*FIELDS, "digest")
    assert "secret" not in json.dumps(found)
    assert (found["memory_gib"], found["numa_nodes"], found["gpus"]) == (16, 1, ["10de:2330"])
    assert fingerprint(dict(reversed(FACTS.items()))) == found


def test_another_kind_of_machine_has_another_digest() -> None:
    other = {**FACTS, "machine": {"machine": "bare-metal"}, "kernel": "6.2"}
    a, b = fingerprint(FACTS), fingerprint(other)
    assert a["digest"] != b["digest"]
    assert differences(a, b) == [("machine", "guest", "bare-metal"), ("kernel", "6.1", "6.2")]


@pytest.mark.parametrize("facts", [{}, {"machine": 1, "numa_nodes": "x", "pci_gpus": [1, {}]}])
def test_a_fingerprint_of_nothing_sensible_raises_nothing(facts: dict[str, object]) -> None:
    assert len(fingerprint(facts)["digest"]) == 12


def test_a_fingerprint_does_not_change_with_what_we_may_run_on() -> None:
    cpus = os.sched_getaffinity(0)
    if len(cpus) < 2:
        pytest.skip("one CPU is all there is")
    before = MachineCollector(Host()).facts()["fingerprint"]
    os.sched_setaffinity(0, {min(cpus)})
    try:
        after = MachineCollector(Host()).facts()["fingerprint"]
    finally:
        os.sched_setaffinity(0, cpus)
    assert after == before
    assert before["cpu_signature"] or not Path("/proc/cpuinfo").exists()


class RestingCollector(Collector):
    """Cannot read here, which it says when it is opened."""

    name = "resting"
    blocking = True

    def open(self) -> None:
        raise Unavailable("there is none")

    def sample(self, dt_s: float) -> dict[str, Gauges]:
        return {}


def test_a_probe_that_cannot_read_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_sampling, "COLLECTORS", {"resting": f"{__name__}:RestingCollector"})
    monkeypatch.setitem(COLLECTORS, "resting", f"{__name__}:RestingCollector")
    rounds: list[set[str]] = []
    asked = host_sampling._round
    monkeypatch.setattr(
        host_sampling,
        "_round",
        lambda probes, *more: rounds.append({*probes}) or asked(probes, *more),
    )
    _, reasons = host_sampling.sampled({})
    assert rounds == [{"resting"}, set(), set()]
    assert reasons == {"resting": "there is none"}


@pytest.mark.parametrize("more", [[], ["--json"], ["--quiet"], ["--root", "/etc"]])
def test_what_a_session_needs_is_not_loaded_for_a_look(more: list[str]) -> None:
    code = f"""if True:
        import sys
        from tuiapp.cli import main
        try:
            main(["host", *{more!r}])
        finally:
            heavy = {{"numpy", "msgpack", "textual", "rich", "psutil"}} & set(sys.modules)
            assert not heavy, heavy
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "AssertionError" not in done.stderr, done.stderr


def test_a_recorded_machine_as_text_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = lay(tmp_path / "machine", KVM_GUEST)
    code, out, _ = run(capsys, "--root", str(root))
    assert code == 0
    assert out.startswith("docker in VM · ")
    code, out, _ = run(capsys, "--root", str(root), "--json")
    told = json.loads(out)
    wanted = {"machine", "hypervisor", "role", "container", "cloud", "confidential", "evidence"}
    assert wanted <= set(told)
    assert told["machine"] == "guest"
    assert told["host"]["kernel"] == "6.1.0"
    assert told["gpus"] == []


def test_nothing_of_this_machine_leaks_into_a_recorded_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty" / "proc").mkdir(parents=True)
    code, out, _ = run(capsys, "--root", str(tmp_path / "empty"), "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["machine"], told["hypervisor"], told["container"]) == ("unknown", None, None)
    assert not [name for name, value in told["host"].items()
                if value and name not in ("virtualization", "fingerprint")]  # fmt: skip
    assert told["because"]


def test_explain_shows_what_was_read_and_what_could_not_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = lay(tmp_path / "machine", KVM_GUEST)
    _, out, _ = run(capsys, "--root", str(root), "--explain")
    assert "/sys/class/dmi/id" in out
    assert "could not be read" in out


def test_every_source_of_signals_fits_its_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = "sys/class/misc/sev-guest/dev"
    root = lay(tmp_path / "machine", {**KVM_GUEST, device: "10:123\n"})
    lines = run(capsys, "--root", str(root))[1].splitlines()
    starts = {
        name: next(line for line in lines if line.startswith(f"{name} ")).index(where)
        for name, where in (("cpuinfo", "/proc"), ("confidential", "/sys"))
    }
    assert len(set(starts.values())) == 1, starts


def test_hostile_strings_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b]0;owned\x07\x1b[31mQEMU\u202e"
    root = lay(tmp_path / "machine", {**KVM_GUEST, "sys/class/dmi/id/sys_vendor": evil})
    for option in ("--explain", "--json"):
        _, out, _ = run(capsys, "--root", str(root), option)
        assert "\x1b" not in out
        assert "\u202e" not in out


@pytest.mark.parametrize(
    ("files", "options", "code"),
    [
        ({**KVM_GUEST, "proc/1/environ": ""}, [], 0),
        ({**KVM_GUEST, "proc/1/environ": ""}, ["--vm"], 0),
        ({**KVM_GUEST, "proc/1/environ": ""}, ["--container"], 1),
        (KVM_GUEST, ["--container"], 0),
        ({}, [], 1),
    ],
)
def test_quiet_answers_with_its_exit_code(
    files: dict[str, str],
    options: list[str],
    code: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = lay(tmp_path / "machine", files)
    (root / "sys").mkdir(parents=True, exist_ok=True)
    assert run(capsys, "--root", str(root), "--quiet", *options) == (code, "", "")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--root", "/no/such/folder"], "does not exist"),
        (["--vm"], "belong to --quiet"),
        (["--quiet", "--vm", "--container"], "exclude each other"),
        (["--quiet", "--json"], "prints nothing"),
        (["--root", "/tmp", "--tax"], "--tax measures"),
        (["--root", ""], "empty name"),
        (["--quie"], "does not know --quie"),
    ],
)
def test_bad_words_are_one_sentence(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert says in err
    assert "vLLM" not in err


def test_only_commands_that_start_an_engine_speak_of_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for argv in (["demo", "--foo"], ["replay", "x", "--foo"]):
        assert cli.main(argv) == 2
        assert "vLLM" not in capsys.readouterr().err
    assert cli.main(["run", "--foo"]) == 2
    assert "What is meant for vLLM stands behind `--`" in capsys.readouterr().err


def test_a_recorded_machine_is_not_to_be_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = lay(tmp_path / "machine", KVM_GUEST)
    _, out, _ = run(capsys, "--root", str(root), "--explain")
    assert "--tax" not in out
    assert "a recorded machine cannot be measured" in out


def test_a_file_that_is_no_capture_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_bytes(os.urandom(100))
    code, _, err = run(capsys, "--root", str(tmp_path / "x"))
    assert code == 2
    assert "no capture" in err


class Hanging(Collector):
    """A driver that never answers, and two GPUs of another."""

    name = "hanging"
    blocking = True

    def open(self) -> None:
        threading.Event().wait()

    def sample(self, dt_s: float) -> dict[str, Gauges]:
        return {}


class Cards(Collector):
    name = "cards"

    def facts(self) -> dict[str, object]:
        return {"gpus": [{"index": 1, "name": "B"}, {"index": 0, "name": "A"}]}

    def sample(self, dt_s: float) -> dict[str, Gauges]:
        return {"gpu0": {"util": 0.5}}


def test_a_driver_that_hangs_delays_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    here = "tests.unit.test_host_command"
    table = {"hanging": f"{here}:Hanging", "cards": f"{here}:Cards"}
    monkeypatch.setattr("tuiapp.collectors.COLLECTORS", table)
    monkeypatch.setattr(host_sampling, "COLLECTORS", table)
    monkeypatch.setattr(host_sampling, "_PATIENCE_NS", 100_000_000)
    view, reasons = host_sampling.sampled({"kernel": "6.1"})
    assert reasons["hanging"] == "the driver does not answer"
    assert view.meta["host"]["kernel"] == "6.1"
    assert [gpu["name"] for gpu in view.meta["host"]["gpus"]] == ["A", "B"]
    assert view.gauge("gpu0", "util") == pytest.approx(0.5)


def test_what_cannot_be_read_is_not_fine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty" / "proc").mkdir(parents=True)
    _, out, _ = run(capsys, "--root", str(tmp_path / "empty"), "--json")
    told = {found["rule"]: found for found in json.loads(out)["findings"]}
    assert told["governor"]["severity"] == told["clocksource"]["severity"] == "unknown"
    for name in ("steal", "run_wait", "interrupts", "memory", "jitter"):
        assert told[name]["evidence"] == "a recorded machine cannot be measured"


def test_a_folder_that_is_closed_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/closed/root")

    monkeypatch.setattr("tuiapp.machine.looking.look", closed)
    code, _, err = run(capsys, "--root", "/tmp")
    assert code == 2
    assert "/closed/root cannot be read or written: permission denied" in err


def test_a_gpu_on_the_bus_is_told_without_a_driver(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = "sys/bus/pci/devices/0000:01:00.0"
    files = {f"{card}/vendor": "0x10de\n", f"{card}/device": "0x2330\n",
             f"{card}/class": "0x030200\n"}  # fmt: skip
    root = lay(tmp_path / "m", {**KVM_GUEST, **files})
    _, out, _ = run(capsys, "--root", str(root), "--json")
    (gpu,) = json.loads(out)["gpus"]
    assert (gpu["name"], gpu["path"]) == ("NVIDIA 10de:2330", "unknown")
    assert (gpu["util"], gpu["trouble"], gpu["refused"]) == (None, None, {})
    (root / card / "physfn").symlink_to("../0000:01:00.1")
    _, out, _ = run(capsys, "--root", str(root), "--json")
    assert json.loads(out)["gpus"][0]["path"] == "sriov-vf"


def test_an_empty_tree_is_not_told_that_it_has_no_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m" / "proc").mkdir(parents=True)
    _, out, _ = run(capsys, "--root", str(tmp_path / "m"), "--json")
    told = {found["rule"]: found["severity"] for found in json.loads(out)["findings"]}
    assert told["quota"] == "unknown"


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_every_line_fits_its_terminal(
    width: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    root = lay(tmp_path / "m", KVM_GUEST)
    _, out, _ = run(capsys, "--root", str(root), "--explain")
    assert max(map(len, out.splitlines())) <= width
