"""A recording in one line: what a list of recordings shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tuiapp.errors import SessionError
from tuiapp.events import Kind
from tuiapp.session.columns import Session
from tuiapp.session.file import SessionFile
from tuiapp.session.latency import Distribution
from tuiapp.session.verify import Lost, torn_bytes, walk
from tuiapp.session.view import View
from tuiapp.words import plural

_KINDS = {Kind.META, Kind.REQUESTS, Kind.FACTS, Kind.GAP}
"""What the line is told from; deliveries and samples are only checked."""
WHOLE, NO_END, TORN, DAMAGED = "whole", "no end", "torn", "damaged"
RECORDING, UNREADABLE = "recording", "unreadable"
_LONGEST = 200
_BEGINS = 1_000_000_000_000_000_000
_ENDS = 4_000_000_000_000_000_000
"""Wall times in which a recording can have been made (2001 to 2096); others are not believed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording, as far as it can be read. None and "" stand for what is not known.

    Attributes:
        name: of the file, without its suffix.
        size, mtime_ns: of the file; bytes, and nanoseconds since the epoch.
        condition: ``whole``, ``no end`` (all that was written, but the run's end is not in it),
            ``torn`` (its last second is missing), ``damaged``, ``recording`` or ``unreadable``.
        reason: why it is not ``whole``; empty when it is.
        created_ns: when the run began; wall time, nanoseconds since the epoch.
        virtualization: what the host said it is.
        load: of which shape, and how much of it.
        ttft_p50_s ...: over the measured load, ``inf`` where too many requests failed.
        duration_s: of the recording.
        requests: measured requests that were sent.
        note: what somebody wrote on it.
    """

    path: Path
    name: str
    size: int
    mtime_ns: int
    condition: str
    reason: str = ""
    created_ns: int | None = None
    host: str = ""
    virtualization: str = ""
    model: str = ""
    engine: str = ""
    load: str = ""
    ttft_p50_s: float | None = None
    ttft_p99_s: float | None = None
    tpot_p50_s: float | None = None
    tpot_p99_s: float | None = None
    duration_s: float | None = None
    requests: int | None = None
    note: str = ""

    @property
    def whole(self) -> bool | None:
        """Nothing of the file is missing; None while it is being recorded."""
        return None if self.condition == RECORDING else self.condition in (WHOLE, NO_END)

    @property
    def began_ns(self) -> int:
        """When the run began, or the file's own time where it does not say."""
        return self.mtime_ns if self.created_ns is None else self.created_ns

    @property
    def text(self) -> str:
        """All its words, for a search that looks at no case."""
        words = (self.name, self.host, self.virtualization, self.model, self.engine, self.load)
        return "\n".join((*words, self.condition, self.note)).casefold()


FIELDS = tuple(field.name for field in fields(Entry))


def summarize(path: Path) -> Entry:
    """Read the file at ``path``, checking every block; never raises."""
    size = mtime_ns = 0
    try:
        stat = path.stat()
        size, mtime_ns = stat.st_size, stat.st_mtime_ns
        with SessionFile(path) as file:
            return _entry(file, size, mtime_ns)
    except SessionError as error:
        reason = error.message
    except OSError as error:
        reason = f"Cannot read {path}: {error.strerror}."
    except Exception as error:  # noqa: BLE001 - one bad file must not hide the others
        reason = f"It makes no sense: {type(error).__name__}: {error}"
    return Entry(path, path.stem, size, mtime_ns, UNREADABLE, reason[: 2 * _LONGEST])


def _entry(file: SessionFile, size: int, mtime_ns: int) -> Entry:
    session, lost = Session(), 0
    for found in walk(file):
        if isinstance(found, Lost):
            lost += 1
        elif found.block.kind in _KINDS and (frame := found.frame()) is not None:
            session.fold(frame)
    growing, torn = file.is_growing, torn_bytes(file)
    condition, reason = WHOLE, ""
    if growing:
        condition, reason = RECORDING, "It is being recorded."
    elif lost:
        condition, reason = DAMAGED, f"It cannot be read in {plural(lost, 'place')}."
    elif torn:
        condition, reason = TORN, "It ends inside a block: up to its last second is missing."
    elif not len(file.index):
        condition, reason = UNREADABLE, "It holds no whole block."
    view = View(session, file.end_ns)
    if condition == WHOLE and not _has_ended(view):
        part = "cut" in view.meta
        why = "it is a part of a recording" if part else "the program was killed"
        condition, reason = NO_END, f"The run's end is not in it: {why}."
    return Entry(
        file.path,
        file.path.stem,
        size,
        mtime_ns,
        condition,
        reason,
        **_told(view),
        **_numbers(view),
    )


def _has_ended(view: View) -> bool:
    """Its engine was seen to end, or it is another program's result, which has no engine."""
    return bool(view.health.exit_facts) or "imported" in view.meta


def _told(view: View) -> dict[str, Any]:
    """What the header says."""
    meta = view.meta
    host, model, engine = (_mapping(meta.get(name)) for name in ("host", "model", "engine"))
    created = meta.get("created_ns")
    believed = isinstance(created, int) and _BEGINS < created < _ENDS
    return {
        "created_ns": created if believed else None,
        "host": _word(host.get("hostname")),
        "virtualization": _virtualization(host),
        "model": _word(model.get("name")),
        "engine": " ".join(filter(None, (_word(engine.get(key)) for key in ("name", "version")))),
        "load": _load(_mapping(meta.get("workload"))),
        "note": _word(meta.get("note")),
    }


def _numbers(view: View) -> dict[str, Any]:
    ttft, tpot = view.run("ttft"), view.run("tpot")
    measured = view.measured is not None
    start_ns = max(view.session.kept_after_ns, 0)
    return {
        "ttft_p50_s": _seconds(ttft, 0.5),
        "ttft_p99_s": _seconds(ttft, 0.99),
        "tpot_p50_s": _seconds(tpot, 0.5),
        "tpot_p99_s": _seconds(tpot, 0.99),
        "duration_s": max(view.cursor_ns - start_ns, 0) / 1e9,
        "requests": ttft.n if measured else 0,
    }


def _seconds(found: Distribution, q: float) -> float | None:
    value_ns = found.statistic_ns(q)
    return None if value_ns is None else value_ns / 1e9


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _word(value: Any) -> str:
    return str(value)[:_LONGEST] if isinstance(value, str | int | float) else ""


def _virtualization(host: Mapping[str, Any]) -> str:
    """What the host agent concluded; else that the CPU speaks of a hypervisor, if it does."""
    told = host.get("virtualization")
    if isinstance(told, str) and told:
        return _word(told)
    return "hypervisor" if host.get("cpuinfo_hypervisor") is True else ""


def _load(workload: Mapping[str, Any]) -> str:
    """``chat 6/s``, ``batch ×16``: the preset's name and how much of it."""
    name, rate = _word(workload.get("name")), workload.get("rate")
    concurrency = workload.get("concurrency")
    amount = ""
    if isinstance(concurrency, int) and workload.get("arrival") == "closed":
        amount = f"×{concurrency}"
    elif isinstance(rate, int | float):
        amount = f"{rate:g}/s"
    return " ".join(filter(None, (name, amount)))
