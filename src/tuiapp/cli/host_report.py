"""The answer of ``tuiapp host``, for people and for scripts."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from tuiapp.cli.host_gpus import gpu_objects
from tuiapp.cli.sessions_common import emit_json, write
from tuiapp.collectors import collector_class
from tuiapp.collectors.machine_facts import machine_facts
from tuiapp.collectors.recorded import TreeHost
from tuiapp.diagnosis import diagnose
from tuiapp.errors import TuiappError
from tuiapp.events import DRIVER_SILENT
from tuiapp.machine.badge import badge
from tuiapp.machine.report import Signal
from tuiapp.machine.spelling import spelled
from tuiapp.sources.lines import clean

if TYPE_CHECKING:
    from tuiapp.diagnosis.finding import Finding
    from tuiapp.machine.looking import Look
    from tuiapp.tax.report import Tax

SCHEMA = "tuiapp.host/1"
_RECORDED = "a recorded machine cannot be measured"
_MEASURED = ("tax", "hiccup", "cpu", "load", "memory", "process")
_FACTS = ("host", "tuning")
_NARROWEST, _WIDEST = 60, 160
_LABEL = 12
_COLOURS = {"bad": "31;1", "warn": "33;1", "fine": "32", "unknown": "2", "title": "1", "dim": "2"}


def report(found: Look, tax: Tax | None, *, as_json: bool, explain: bool) -> None:
    """Print the whole answer on stdout."""
    facts, reasons = collect_facts(found)
    if tax is not None:
        facts["tax"] = tax.as_json()
    from tuiapp.cli.host_sampling import recorded, sampled

    if found.tree.live:
        seen, more = sampled(facts, reasons)
    else:
        reasons |= dict.fromkeys(_MEASURED, _RECORDED)
        seen, more = recorded(found.tree, facts, reasons)
    reasons |= more
    findings = diagnose(seen)
    host = dict(seen.meta["host"])
    host["gpus"] = gpu_objects(seen, found, reasons)
    if as_json:
        emit_json(_as_json(found, host, findings, tax, reasons))
    else:
        lines = _lines(found, host, findings, tax, reasons, explain=explain)
        write("".join(f"{line}\n" for line in lines))


def collect_facts(found: Look) -> tuple[dict[str, Any], dict[str, str]]:
    """(facts about the host with its fingerprint, why others are unknown)."""
    host = TreeHost(found.tree)
    facts: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name in _FACTS:
        collector = collector_class(name)(host)
        with suppress(TuiappError, OSError):
            facts |= collector.facts()
        reasons |= dict(collector.take_reasons())
    if found.no_cpuid:
        reasons["cpuid"] = found.no_cpuid
    return facts | machine_facts(found, facts), reasons


def _as_json(
    found: Look,
    host: Mapping[str, Any],
    findings: Iterable[Finding],
    tax: Tax | None,
    reasons: Mapping[str, str],
) -> dict[str, Any]:
    facts = {name: value for name, value in host.items() if name not in ("machine", "gpus", "tax")}
    return {
        "schema": SCHEMA,
        "badge": badge(found.machine),
        **found.machine.as_json(),
        "conflicts": _conflicts(found, host),
        "cpuid_source": found.cpuid.source if found.cpuid else None,
        "fingerprint": host.get("fingerprint"),
        "host": facts,
        "gpus": host.get("gpus") or [],
        "findings": [finding.as_json() for finding in findings],
        "tax": None if tax is None else tax.as_json(),
        "unknown": {name: reason for name, reason in reasons.items() if reason},
    }


def _lines(
    found: Look,
    host: Mapping[str, Any],
    findings: Sequence[Finding],
    tax: Tax | None,
    reasons: Mapping[str, str],
    *,
    explain: bool,
) -> Iterator[str]:
    paint = Paint(colours=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    machine = found.machine
    head = badge(machine)
    sure = f"  {machine.confidence}" if machine.confidence else ""
    yield paint("title", head) + paint("dim", sure)
    yield from _folded("because", machine.because, paint)
    yield from _folded("cloud", spelled(machine.cloud), paint)
    yield from _folded("container", machine.container or "", paint)
    for conflict in _conflicts(found, host):
        yield from _folded("conflict", conflict, paint)
    yield from _folded("host", _host_words(host), paint)
    for label, text in _gpu_rows(host, reasons, explain=explain):
        yield from _folded(label, text, paint)
    yield ""
    yield from _finding_lines(findings, paint, explain=explain)
    if tax is not None:
        yield ""
        yield paint("title", "what the layers below cost")
        for line in tax.text_lines():
            yield from _folded("", line, paint)
    yield ""
    yield from _signal_lines(machine.signals, paint, explain=explain)


def _conflicts(found: Look, host: Mapping[str, Any]) -> list[str]:
    """Signals that disagree about the machine, and drivers that disagree with it."""
    if not host["gpus"]:
        return list(found.machine.conflicts)
    from tuiapp.cli.host_gpu_table import path_conflicts

    return [*found.machine.conflicts, *path_conflicts(host["gpus"])]


def _gpu_rows(
    host: Mapping[str, Any], reasons: Mapping[str, str], *, explain: bool
) -> Iterable[tuple[str, str]]:
    if not host["gpus"]:
        reason = reasons.get("nvml", "no GPU was recorded")
        word = "unknown" if reason == DRIVER_SILENT else "none"
        return [("GPU", f"{word}: {reason}")]
    from tuiapp.cli.host_gpu_table import gpu_rows  # most machines can do without it

    return gpu_rows(host["gpus"], host, reasons, _width() - _LABEL - 1, explain=explain)


class Paint:
    """Colours for a terminal, and none for anything else."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, kind: str, text: str) -> str:
        text = clean(text)
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self._colours and text else text


def _width() -> int:
    return min(max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST), _WIDEST)


def _folded(label: str, text: str, paint: Paint) -> Iterator[str]:
    """A label and its text, folded under itself; nothing for no text."""
    for at, line in enumerate(wrap(clean(text), _width() - _LABEL - 1)):
        head = label if at == 0 else ""
        yield f"{paint('dim', head)}{' ' * (_LABEL - len(head))} {line}"


def _host_words(host: Mapping[str, Any]) -> str:
    cores, threads = host.get("cores_physical"), host.get("cores_logical")
    memory = host.get("memory_total_bytes")
    words = [
        host.get("cpu_model"),
        f"{cores} cores" if cores else None,
        f"{threads} threads" if threads and threads != cores else None,
        f"{memory / (1 << 30):.1f} GiB" if isinstance(memory, int | float) else None,
        f"Linux {host['kernel']}" if host.get("kernel") else None,
        host.get("os"),
    ]
    return " · ".join(str(word) for word in words if word)


def _finding_lines(findings: Sequence[Finding], paint: Paint, *, explain: bool) -> Iterator[str]:
    shown = [found for found in findings if explain or found.severity in ("bad", "warn")]
    counts = {kind: sum(f.severity == kind for f in findings) for kind in ("fine", "unknown")}
    for found in shown:
        label = paint(found.severity, found.severity.upper())
        gap = " " * (_LABEL - len(found.severity) + 1)
        yield f"{label}{gap}{paint('title', found.title)}"
        for text in filter(None, (found.evidence, found.advice and f"→ {found.advice}")):
            yield from _folded("", text, paint)
    told = "factor is" if counts["fine"] == 1 else "factors are"
    rest = f"{counts['fine']} {told} fine, {counts['unknown']} could not be judged"
    if not shown and counts["fine"] > counts["unknown"]:
        rest = f"nothing found that slows this host down; {rest}"
    yield from _folded("", rest if explain else f"{rest} (--explain shows them)", paint)


def _signal_lines(signals: Sequence[Signal], paint: Paint, *, explain: bool) -> Iterator[str]:
    """What was read, by the source that read it; with ``explain`` also what proves nothing."""
    yield paint("title", "signals")
    before = ""
    for signal in signals:
        if signal.unread or not (signal.proves or explain):
            continue
        proves = f" → {signal.proves} ({signal.strength})" if signal.proves else ""
        label = "" if signal.source == before else signal.source
        yield from _folded(label, f"{signal.where}: {signal.value}{proves}", paint)
        before = signal.source
    missing = [signal for signal in signals if signal.unread]
    if missing and not explain:
        count = f"{len(missing)} more could not be read (--explain shows them)"
        yield from _folded("", count, paint)
    elif missing:
        yield paint("title", "could not be read")
        for signal in missing:
            yield from _folded(signal.source, f"{signal.where}: {signal.unread}", paint)
