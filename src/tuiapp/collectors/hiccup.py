"""Hiccups of this host: how late a process wakes up that does nothing but sleep."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from tuiapp.clock import NS_PER_S
from tuiapp.collectors.base import Collector, Gauges, Host, Row
from tuiapp.collectors.hiccup_report import BOUNDS_US, STALL_NS, Report, take
from tuiapp.errors import Unavailable

_READ_BYTES = 1 << 16
_NOT_REALTIME = (
    "no real-time class for the meter (it needs CAP_SYS_NICE or an RLIMIT_RTPRIO): work on this "
    "machine delays it as well"
)


class HiccupCollector(Collector):
    """Reports of the meter as rows of ``hiccup``, four a second; stalls as rows of ``stall``.

    ``hiccup``: ``wakeups`` meant, ``missed`` in stalls, ``min_s``, ``p99_s`` and ``max_s`` of how
    late they were, ``over_20us`` … ``over_5000us`` wake-ups later than that, ``period_s`` between
    two, ``realtime`` 1 or 0. ``stall``: ``length_s``, stamped at the end.
    """

    name = "hiccup"
    groups = ("hiccup", "stall")
    every = 2

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._meter: subprocess.Popen[bytes] | None = None
        self._pending = bytearray()
        self._rows: dict[str, list[Row]] = {}

    @property
    def pid(self) -> int | None:
        """The meter's process; None before it is started."""
        return self._meter.pid if self._meter else None

    def open(self) -> None:
        argv = [sys.executable, "-m", "tuiapp.collectors.hiccup_meter", str(os.getpid())]
        try:
            self._meter = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        except OSError as error:
            raise Unavailable(f"the hiccup meter cannot be started: {error.strerror}") from error
        os.set_blocking(self._out(), False)
        self._pending.clear()

    def sample(self, dt_s: float) -> dict[str, Gauges]:  # noqa: ARG002 - rows have their own time
        try:
            while data := os.read(self._out(), _READ_BYTES):
                self._pending += data
        except BlockingIOError:
            pass
        else:
            raise Unavailable("the hiccup meter has ended")
        for report in take(self._pending):
            self._note(report)
        return {}

    def take_rows(self) -> dict[str, list[Row]]:
        rows, self._rows = self._rows, {}
        return rows

    def facts(self) -> dict[str, Any]:
        return {"hiccup_stall_s": STALL_NS / NS_PER_S}

    def close(self) -> None:
        meter, self._meter = self._meter, None
        if meter is not None:
            meter.kill()
            meter.wait()
            if meter.stdout is not None:
                meter.stdout.close()

    def _out(self) -> int:
        assert self._meter is not None
        assert self._meter.stdout is not None
        return self._meter.stdout.fileno()

    def _note(self, report: Report) -> None:
        if not report.realtime:
            self.unknown("hiccup.realtime", _NOT_REALTIME)
        self._rows.setdefault("hiccup", []).append((report.t_ns, gauges(report)))
        for end_ns, length_ns in report.stalls:
            row = end_ns, {"length_s": length_ns / NS_PER_S}
            self._rows.setdefault("stall", []).append(row)


def gauges(report: Report) -> Gauges:
    """A report as a row of ``hiccup``."""
    return {
        "wakeups": float(report.wakeups),
        "missed": float(report.missed),
        "min_s": report.min_ns / NS_PER_S,
        "p99_s": report.p99_ns / NS_PER_S,
        "max_s": report.max_ns / NS_PER_S,
        "period_s": report.period_ns / NS_PER_S,
        "realtime": float(report.realtime),
        **{
            f"over_{bound}us": float(count)
            for bound, count in zip(BOUNDS_US, report.over, strict=True)
        },
    }
