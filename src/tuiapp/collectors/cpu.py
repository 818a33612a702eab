"""CPU time: what the machine's CPUs did since the last sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tuiapp.collectors.base import NAN, Collector, Gauges
from tuiapp.collectors.cgroup import CpuQuota, cpu_quota, throttled_s
from tuiapp.collectors.frequency import Frequency
from tuiapp.errors import Unavailable

_FIELDS = 8  # user nice system idle iowait irq softirq steal; guest time is within user

Ticks = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stat:
    """One reading of /proc/stat: ticks of all CPUs, ticks by CPU number, and two more lines."""

    total: Ticks
    cpus: dict[int, Ticks]
    switches: int | None
    running: int | None


@dataclass(frozen=True, slots=True)
class Shares:
    """What CPU time went into, each 0..1; all but ``irq`` together 1.

    ``user`` includes nice, ``system`` includes interrupts; ``irq`` is their part of it. The guest's
    kernel counts as ``steal`` what its hypervisor did not give it.
    """

    user: float = NAN
    system: float = NAN
    iowait: float = NAN
    steal: float = NAN
    idle: float = NAN
    irq: float = NAN

    @property
    def busy(self) -> float:
        """User and system; not steal, which is time nobody here had."""
        return self.user + self.system


class CpuCollector(Collector):
    """Group ``cpu``: shares of all CPUs, ``coreN`` busy shares, switches, frequency, throttling.

    ``quota_throttled_s`` is how long, since the sample before, the threads of our control group
    were held back by its CPU limit, summed over CPUs.
    """

    name = "cpu"
    groups = ("cpu",)

    def open(self) -> None:
        try:
            self._before = parse(self.host.read("/proc/stat"))
        except OSError as error:
            raise Unavailable("/proc/stat cannot be read") from error
        if not any(self._before.total):
            raise Unavailable("/proc/stat holds only zeros: this kernel counts no CPU time")
        self._cores = dict.fromkeys(sorted(self._before.cpus), NAN)
        self._frequency = Frequency(self.host, list(self._cores))
        self._quota = self.known("cpu.quota_throttled_s", self._limit)
        self._throttled_s = self._read_throttled_s()

    def sample(self, dt_s: float) -> dict[str, Gauges]:
        before, now = self._before, parse(self.host.read("/proc/stat"))
        self._before = now
        shares = compare(before.total, now.total)
        if shares.idle != shares.idle:
            self.unknown("cpu.total", "no CPU time was counted between two samples")
        gauges = {
            "total": shares.busy,
            "user": shares.user,
            "system": shares.system,
            "iowait": shares.iowait,
            "steal": shares.steal,
            "idle": shares.idle,
            "irq": shares.irq,
            "ctxt_per_s": self._switches_per_s(before, now, dt_s),
            "procs_running": NAN if now.running is None else float(now.running),
            "freq_mhz": self.gauge("cpu.freq_mhz", self._frequency.mhz),
            "quota_throttled_s": self._throttled_since(),
        }
        gauges.update(self._core_gauges(before, now))
        return {"cpu": gauges}

    def _core_gauges(self, before: Stat, now: Stat) -> Gauges:
        for cpu in self._cores | now.cpus:
            share = NAN
            if cpu not in now.cpus:
                self.unknown(f"cpu.core{cpu}", "this CPU is offline")
            elif cpu in before.cpus:
                share = compare(before.cpus[cpu], now.cpus[cpu]).busy
            self._cores[cpu] = share
        return {f"core{cpu}": share for cpu, share in self._cores.items()}

    def _switches_per_s(self, before: Stat, now: Stat, dt_s: float) -> float:
        if before.switches is None or now.switches is None:
            self.unknown("cpu.ctxt_per_s", "/proc/stat holds no ctxt line")
            return NAN
        return max(0, now.switches - before.switches) / dt_s

    def _limit(self) -> CpuQuota:
        quota = cpu_quota(self.host)
        if quota is None:
            raise Unavailable("no CPU limit is visible for our control group")
        return quota

    def _read_throttled_s(self) -> float:
        if self._quota is None:
            return NAN
        return self.gauge(
            "cpu.quota_throttled_s", partial(throttled_s, self.host, self._quota.level)
        )

    def _throttled_since(self) -> float:
        before, self._throttled_s = self._throttled_s, self._read_throttled_s()
        # NaN - x is NaN, and max() keeps its first argument when the second is NaN.
        return max(self._throttled_s - before, 0.0)


def parse(data: bytes) -> Stat:
    """Read the text of /proc/stat; Unavailable when it is no such text."""
    total: Ticks | None = None
    cpus: dict[int, Ticks] = {}
    numbers: dict[bytes, int] = {}
    try:
        for line in data.split(b"\n"):
            if line.startswith(b"cpu"):
                name, *ticks = line.split()
                values = tuple(map(int, ticks[:_FIELDS]))
                if name == b"cpu":
                    total = values
                else:
                    cpus[int(name[3:])] = values
            elif line.startswith((b"ctxt", b"procs_running")):
                name, value = line.split()
                numbers[name] = int(value)
    except ValueError as error:
        raise Unavailable("/proc/stat cannot be understood") from error
    if total is None:
        raise Unavailable("/proc/stat holds no cpu line")
    return Stat(total, cpus, numbers.get(b"ctxt"), numbers.get(b"procs_running"))


def compare(before: Ticks, now: Ticks) -> Shares:
    """What the ticks between two readings went into; NaN when there were none.

    A counter that goes backwards did not move: iowait may decrease (proc_stat(5)), and steal does
    after some live migrations.
    """
    ticks = [later - earlier if later > earlier else 0 for earlier, later in zip(before, now)]  # noqa: B905 - a CPU's line may be shorter on old kernels
    total = sum(ticks)
    if total == 0:
        return Shares()
    ticks += [0] * (_FIELDS - len(ticks))
    user, nice, system, idle, iowait, irq, softirq, steal = (tick / total for tick in ticks)
    return Shares(user + nice, system + irq + softirq, iowait, steal, idle, irq + softirq)
