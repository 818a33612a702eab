"""One short look at a machine by every probe that has something to say to it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from math import nan
from typing import Any

from tuiapp.clock import NS_PER_S, Clock, sleep_s
from tuiapp.collectors import COLLECTORS, collector_class
from tuiapp.collectors.base import NEXT_SAMPLE, Gauges, Host
from tuiapp.collectors.cgroup import memory_left_bytes
from tuiapp.collectors.facts import FactBoard
from tuiapp.collectors.memory import memory_available_bytes
from tuiapp.collectors.probe import Probe, Turn, make_probe
from tuiapp.collectors.recorded import TreeHost
from tuiapp.diagnosis.moment import Moment, by_group
from tuiapp.errors import TuiappError, Unavailable
from tuiapp.events import DRIVER_SILENT
from tuiapp.machine.tree import Tree

SKIPPED = ("host", "tuning", "machine", "process", "tax", "hiccup")
"""Done already, of a run, or measured on demand."""
SAMPLE_S = 0.3
_COUNTING = ("nvml", "amdgpu", "intel_gpu")
"""Sampled right away as well: what their counters count from the first sample on."""
_FROM_FILES = ("amdgpu", "intel_gpu")
"""Probes of GPUs that read files alone."""
_ONE_MOMENT = "counted from one moment to the next, and this is one alone"
_PATIENCE_NS = 2 * NS_PER_S
_POLL_S = 0.005


def sampled(
    facts: Mapping[str, Any], known: Mapping[str, str] | None = None
) -> tuple[Moment, dict[str, str]]:
    """(what was seen now, under the host's facts; why other facts and gauges are unknown).

    A probe that does not answer within two seconds is left behind, and said to hang.
    """
    clock = Clock()
    probes = {name: make_probe(name, Host(), clock) for name in COLLECTORS if name not in SKIPPED}
    reasons: dict[str, str] = dict(known or {})
    for probe in probes.values():
        probe.command({"op": "once"})
    turns = _round(probes, clock, reasons)
    # A probe that has just said why it cannot read rests now: it would not answer.
    resting = {name for turn in turns for name, reason in turn.reasons if reason}
    asked = {name: probe for name, probe in probes.items() if name not in resting}
    counting = {name: probe for name, probe in asked.items() if name in _COUNTING}
    turns += _round(counting, clock, reasons)
    sleep_s(SAMPLE_S)
    turns += _round(asked, clock, reasons)
    for probe in probes.values():
        probe.close()
    found = FactBoard().merged([facts, *(turn.facts for turn in turns)])
    for turn in turns:
        reasons |= dict(turn.reasons)
    samples = by_group(
        (group, (turn.t_ns, gauges)) for turn in turns for group, gauges in turn.samples.items()
    )
    return Moment({"host": found}, samples, reasons, clock.now_ns()), reasons


def recorded(
    tree: Tree, facts: Mapping[str, Any], known: Mapping[str, str]
) -> tuple[Moment, dict[str, str]]:
    """(what files of drivers held, under the host's facts; why other facts and gauges are unknown)
    of a recorded machine, or of this one while it is captured: no library is asked."""
    host = TreeHost(tree)
    told: list[Mapping[str, Any]] = [facts]
    reasons = dict(known)
    samples: list[tuple[str, Gauges]] = []
    for name in _FROM_FILES:
        collector = collector_class(name)(host)
        try:
            collector.open()
            told.append(collector.facts())
            samples += collector.sample(nan).items()
        except (TuiappError, OSError) as error:
            reasons[name] = str(error)
        reasons |= {
            field: _ONE_MOMENT if reason == NEXT_SAMPLE else reason
            for field, reason in collector.take_reasons()
        }
    rows = by_group((group, (0, gauges)) for group, gauges in samples)
    return Moment({"host": FactBoard().merged(told)}, rows, reasons), reasons


def _round(probes: Mapping[str, Probe], clock: Clock, reasons: dict[str, str]) -> list[Turn]:
    """One turn of every probe; those that hang are taken out."""
    for name, probe in probes.items():
        if name not in reasons:
            probe.begin()
    turns: list[Turn] = []
    waited = {name for name in probes if name not in reasons}
    deadline_ns = clock.now_ns() + _PATIENCE_NS
    while waited and clock.now_ns() < deadline_ns:
        for name in list(waited):
            taken = probes[name].take()
            if taken:
                turns += taken
                waited.discard(name)
        if waited:
            sleep_s(_POLL_S)
    reasons |= dict.fromkeys(waited, DRIVER_SILENT)
    return turns


def spare_bytes() -> int | None:
    """Memory we may still use: available, and within the limits over us; None when unknown."""
    host = Host()
    known: list[int] = []
    with suppress(Unavailable, OSError):
        known.append(memory_available_bytes(host.read("/proc/meminfo")))
    with suppress(Unavailable, OSError):
        left = memory_left_bytes(host)
        known += [] if left is None else [left]
    return min(known, default=None)
