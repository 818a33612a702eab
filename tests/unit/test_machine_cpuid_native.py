"""CPUID executed on this machine, by every way to executable memory, and where each is refused."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tuiapp.errors import Unavailable
from tuiapp.machine.apart import call_apart
from tuiapp.machine.cpuid_native import execute
from tuiapp.machine.machine_code import WAYS, load

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="CPUID is an instruction of x86"
)
SOURCE = str(Path(__file__).parents[2] / "src")


def name(registers: tuple[int, int, int, int]) -> bytes:
    _, b, c, d = registers
    return b"".join(value.to_bytes(4, "little") for value in (b, d, c))


@pytest.mark.parametrize("way", list(WAYS))
def test_each_way_gives_the_makers_name(way: str) -> None:
    found, why = execute([way])
    assert found is not None, why
    leaf = found.read(0)
    assert leaf is not None
    assert name(leaf).isascii()
    assert name(leaf).strip(b"\0 ")


def test_the_hypervisor_bit_is_the_kernels_flag() -> None:
    found, _ = execute()
    assert found is not None
    leaf = found.read(1)
    assert leaf is not None
    flags = Path("/proc/cpuinfo").read_text().partition("flags")[2].split("\n", 1)[0].split()
    assert bool(leaf[2] >> 31 & 1) == ("hypervisor" in flags)


def test_a_way_that_fails_gives_way_to_the_next() -> None:
    found, _ = execute(["no-such-way", "memfd"])
    assert found is not None
    assert "no-such-way" in found.failed


def test_no_way_left_says_why() -> None:
    found, why = execute(["no-such-way"])
    assert found is None
    assert "no-such-way" in why


def in_child(code: str) -> subprocess.CompletedProcess[str]:
    lead = f"import sys; sys.path.insert(0, {SOURCE!r})\n"
    argv = [sys.executable, "-c", lead + textwrap.dedent(code)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60)


def test_memory_that_may_not_become_executable_leaves_the_first_way() -> None:
    """PR_SET_MDWE of a real kernel: mapping a file is allowed, mprotect is not."""
    done = in_child("""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(65, 1, 0, 0, 0) != 0:
            print("no MDWE"); raise SystemExit
        from tuiapp.machine.machine_code import from_memfd, from_mprotect
        code = bytes.fromhex("f30f1efa31c0c3")
        print("memfd", from_memfd(code) > 0)
        try:
            from_mprotect(code); print("mprotect passed")
        except OSError:
            print("mprotect refused")
        from tuiapp.machine.cpuid_native import execute
        found, why = execute()
        print("cpuid", found is not None, why)
    """)
    if "no MDWE" in done.stdout:
        pytest.skip("this kernel has no PR_SET_MDWE")
    assert done.stdout.split("\n")[:3] == ["memfd True", "mprotect refused", "cpuid True "]


def test_no_memory_is_ever_writable_and_executable() -> None:
    done = in_child("""
        from tuiapp.machine.machine_code import WAYS
        for way in WAYS.values():
            way(bytes.fromhex("f30f1efa31c0c3"))
        print(sum("wx" in line.split()[1] for line in open("/proc/self/maps")))
    """)
    assert done.stdout.strip() == "0"


def test_a_faulting_instruction_ends_its_own_process_only() -> None:
    """arch_prctl(ARCH_SET_CPUID, 0) where the processor can do it: CPUID then raises SIGSEGV."""
    done = in_child("""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(158, 0x1012, 0) != 0:
            print("no faulting"); raise SystemExit
        from tuiapp.machine.cpuid_native import execute
        found, why = execute(["memfd"])
        print(found, why)
    """)
    if "no faulting" in done.stdout:
        pytest.skip("this processor cannot forbid CPUID")
    assert done.stdout.startswith("None memfd: ")


@pytest.mark.parametrize(
    ("target", "arguments", "says"),
    [
        ("ctypes:string_at", [0], "ended"),  # reads at address 0
        ("time:sleep", [60], ""),
        ("tuiapp.tax.steal:between", [[1] * 8, [1] * 8], "no CPU time was counted"),
        ("no.such.module:f", [], ""),
    ],
)
def test_what_is_called_apart_cannot_hurt_us(
    target: str, arguments: list[object], says: str
) -> None:
    with pytest.raises(Unavailable) as error:
        call_apart(target, *arguments, limit_s=1.0)
    assert says in error.value.message


def test_code_for_another_processor_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(Unavailable, match="x86-64"):
        load(b"\xc3")
    assert execute() == (None, "our machine code is for x86-64, and this is 64-bit aarch64")
