"""Clocks, pages and DMA: what the kernel was told, or found out."""

from __future__ import annotations

from tuiapp.diagnosis.finding import BAD, WARN, Finding, fine, unknown
from tuiapp.diagnosis.reading import NOT_TOLD, host, is_guest, number, text, why
from tuiapp.diagnosis.seen import Seen

FAST_SOURCES = ("tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "timebase",
                "tod", "riscv_clocksource")  # fmt: skip
"""Clocks that are read without a system call (vDSO): some 30 ns."""
SLOW_SOURCES = ("hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit", "hyperv_clocksource_msr",
                "hyperv_clocksource", "xen", "tsc-early")  # fmt: skip
"""Clocks that take a system call, most of them a slow register or an exit as well: 0.3 to some µs.
vLLM and PyTorch read the clock many times a token."""


def clocksource(view: Seen) -> Finding:
    """Where the kernel gets the time."""
    name = text(host(view), "clocksource")
    if not name:
        reason = why(view, "host.clocksource", otherwise=NOT_TOLD)
        return unknown("clocksource", "clocksource", reason)
    evidence = f"{name} (clocksource0 in sysfs)"
    if name in FAST_SOURCES:
        return fine("clocksource", f"clocksource {name}", evidence)
    if name not in SLOW_SOURCES:
        reason = f"{evidence}: how fast it is read is not known"
        return unknown("clocksource", f"clocksource {name}", reason)
    advice = "Use tsc or kvm-clock; a kernel that gave tsc up says why in its log (dmesg)."
    return Finding("clocksource", BAD, f"clocksource {name}", evidence, advice, 0.4)


def pages(view: Seen) -> Finding:
    """Huge pages: without them large memory needs many more look-ups of addresses."""
    facts = host(view)
    mode, defrag = text(facts, "thp"), text(facts, "thp_defrag")
    reserved = number(facts, "hugepages_total")
    if not mode:
        return unknown("pages", "huge pages", why(view, "tuning.thp", otherwise=NOT_TOLD))
    title = f"huge pages {mode}"
    evidence = f"transparent huge pages {mode}, defrag {defrag or 'unknown'}"
    if reserved is not None:
        evidence += f", {reserved:.0f} reserved"
    evidence += " (sysfs, /proc/meminfo); what the host gives a guest is not visible"
    if mode == "never" and not reserved:
        advice = "Allow them on request: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"
        return Finding("pages", WARN, "no huge pages", evidence, advice, 0.15)
    if mode == "always" and defrag == "always":
        advice = "A page fault may wait for memory to be rearranged: set defrag to madvise."
        return Finding("pages", WARN, "huge pages by compaction", evidence, advice, 0.2)
    return fine("pages", title, evidence)


def iommu(view: Seen) -> Finding:
    """Whether devices reach memory through an IOMMU; context for copies to a GPU."""
    groups = number(host(view), "iommu_groups")
    if groups is None:
        return unknown("iommu", "IOMMU", why(view, "tuning.iommu_groups", otherwise=NOT_TOLD))
    evidence = f"{groups:.0f} groups (/sys/kernel/iommu_groups)"
    if groups == 0 and is_guest(view) is not False:
        return unknown("iommu", "IOMMU", f"{evidence}; a guest does not see its host's")
    return fine("iommu", "IOMMU on" if groups else "no IOMMU", evidence)
