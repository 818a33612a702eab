"""The closed vocabulary of frames: what a source may say, column by column.

A frame is a batch of rows of one kind. Columns are numpy arrays or lists of strings; units stand
in their names. ``*_ns`` columns are int64 nanoseconds since the session's origin on the monotonic
clock, ``UNSET`` where the moment has not come (or never will). A new metric is a new gauge in a
SAMPLES frame, never a new column here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

UNSET = -1
"""A moment that has not come, in ``*_ns`` columns."""


class Kind(IntEnum):
    """What the rows of a frame are. Readers skip kinds they do not know."""

    META = 1
    """Session header; no rows. ``attrs`` is merged into the session's meta, key by key."""
    REQUESTS = 2
    """One row a request whose state changed; the newest row of a ``req`` replaces the older."""
    TOKENS = 3
    """One row a delivery of output tokens."""
    SAMPLES = 4
    """Gauges of one probe (``attrs["group"]``), taken at the end of their interval."""
    FACTS = 5
    """Something that became true: ``name`` and a JSON ``value``."""
    LOG = 6
    """A line some process wrote."""
    MARK = 7
    """A moment somebody noted."""
    GAP = 8
    """Rows between t0 and t1 were lost; ``attrs["reason"]``, ``attrs["frames"]``."""
    INDEX = 9
    """Where the other blocks of a file are; it can be made again by a scan."""
    STEPS = 10
    """One row an engine iteration (``attrs["engine"]`` tells data-parallel ranks apart)."""


class Status(IntEnum):
    """How a request ended; it applies from ``t_end_ns`` on."""

    IN_FLIGHT = 0
    OK = 1
    FAILED = 2
    UNFINISHED = 3
    """Not done when the drain's time was up. Counts as +inf in percentiles, like FAILED."""
    CUT = 4
    """In flight when the user ended the run: its latency is only known to exceed its age."""
    LOST = 5
    """What told its end is lost; nothing is known of it. Never written, only concluded."""


class Phase(IntEnum):
    """Which part of the run a request belongs to; only MEASURE counts in results."""

    WARMUP = 0
    MEASURE = 1


def word(meaning: type[IntEnum], number: int) -> str:
    """A ``Status`` or ``Phase`` as a word; a number a later version gave a meaning stays one."""
    try:
        return meaning(number).name.lower()
    except ValueError:
        return str(number)


INT64, UINT32, UINT16, UINT8, FLOAT32 = "<i8", "<u4", "<u2", "|u1", "<f4"
FLOAT64 = "<f8"
TEXT = "text"

REQUESTS_COLUMNS: dict[str, str] = {
    "req": UINT32,  # dense from 0, in the order of intended arrival
    "phase": UINT8,  # Phase
    "status": UINT8,  # Status
    "prompt_tokens": UINT32,
    "target_tokens": UINT32,  # output tokens asked for
    "output_tokens": UINT32,  # output tokens delivered so far
    "cached_tokens": UINT32,  # prompt tokens the prefix cache answered
    "t_sched_ns": INT64,  # intended arrival
    "t_sent_ns": INT64,  # handed to the engine
    "t_queued_ns": INT64,  # engine core: entered its queue
    "t_prefill_ns": INT64,  # engine core: first scheduled
    "t_core_first_ns": INT64,  # engine core: first token computed
    "t_core_last_ns": INT64,  # engine core: newest token computed, as told with the last delivery
    "t_first_ns": INT64,  # first token in the client's hands
    "t_last_ns": INT64,  # last token in the client's hands
    "t_end_ns": INT64,  # finished, failed or given up
}
TOKENS_COLUMNS: dict[str, str] = {"req": UINT32, "t_ns": INT64, "n": UINT16}
STEPS_COLUMNS: dict[str, str] = {
    "t_ns": INT64,
    "running": UINT32,
    "waiting": UINT32,
    "kv_usage": FLOAT32,  # 0..1
    "prompt_tokens": UINT32,  # prefilled in this iteration
    "output_tokens": UINT32,  # decoded in this iteration
    "preempted": UINT32,
    "prefix_queries": UINT32,  # tokens looked up in the prefix cache
    "prefix_hits": UINT32,
}
SAMPLES_COLUMNS: dict[str, str] = {"t_ns": INT64}  # and any number of float32 gauges
FACTS_COLUMNS: dict[str, str] = {"t_ns": INT64, "name": TEXT, "value": TEXT}
LOG_COLUMNS: dict[str, str] = {"t_ns": INT64, "source": TEXT, "level": TEXT, "text": TEXT}
MARK_COLUMNS: dict[str, str] = {"t_ns": INT64, "text": TEXT}
INDEX_COLUMNS: dict[str, str] = {
    "offset": INT64,  # of the block's first byte in the file
    "length": UINT32,
    "kind": UINT8,
    "seq": UINT32,
    "t0_ns": INT64,
    "t1_ns": INT64,
    "rows": UINT32,
}

COLUMNS: dict[int, dict[str, str]] = {
    Kind.REQUESTS: REQUESTS_COLUMNS,
    Kind.TOKENS: TOKENS_COLUMNS,
    Kind.STEPS: STEPS_COLUMNS,
    Kind.SAMPLES: SAMPLES_COLUMNS,
    Kind.FACTS: FACTS_COLUMNS,
    Kind.LOG: LOG_COLUMNS,
    Kind.MARK: MARK_COLUMNS,
    Kind.INDEX: INDEX_COLUMNS,
}

# Names of the facts the program itself acts on. Values are JSON.
ENGINE_PHASE = "engine.phase"
"""``{"phase": one of ENGINE_PHASES}``: that phase began at t; the one before it ended."""
ENGINE_INFO = "engine.info"
"""Engine, model and device as the engine's own process reports them; merged into meta."""
ENGINE_EXIT = "engine.exit"
"""``{"code", "signal", "reason", "advice", "expected"}``: the engine's process is gone."""
LOAD_STATE = "load.state"
"""``{"state": warmup|running|paused|draining|done, "rate": ...}``."""
CLIENT_LIMITED = "client.limited"
"""``{"limited", "loop_lag_p99_s", "schedule_lag_p99_s"}``, whenever ``limited`` changes: the driver
itself was late over the last ten seconds, which makes its numbers suspect."""
LAG_BOUNDS_S = {"loop_lag_s": 0.005, "schedule_lag_s": 0.010}
"""Gauges of the group ``driver``, each the largest lag since the one before, and the p99 beyond
which the driver is late. ``…_10s_p99_s`` is that p99 over ten seconds, ``…_p99_s`` over the load so
far; recordings of earlier versions have neither."""
LAG_P99S_S = tuple(f"{name.removesuffix('_s')}_10s_p99_s" for name in LAG_BOUNDS_S)
"""What is held against these bounds."""
PROBE_UNAVAILABLE = "probe.unavailable"
"""``{"probe", "reason"}``: unknown, because ...; never zero."""
MOST_VALUE = 1e18
"""A file may hold any number; none beyond this was measured or told by a machine."""
DRIVER_SILENT = "the driver does not answer"
"""The reason while calls of a probe hang."""
PERIODS_S = {"health": 8.0, "procs": 4.0, "tax": 10.0}
"""Groups of samples that come seldom, by the last part of their name; others at least every two
seconds."""
RECORDING = "recording.state"
"""``{"state": ok|failing|resumed, "reason"}``."""

ENGINE_PHASES = ("spawn", "import", "config", "weights", "compile", "kv_cache", "warmup", "ready")

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """A batch of rows of one kind.

    Attributes:
        kind: a ``Kind``, or the number of one this version does not know.
        t0_ns, t1_ns: times the rows span, both included; nanoseconds since the origin.
        columns: name to numpy array or list of str, all of length ``rows``.
        attrs: what holds for the whole batch.
    """

    kind: int
    t0_ns: int
    t1_ns: int
    columns: Columns = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        for column in self.columns.values():
            return len(column)
        return 0


def facts_frame(t_ns: int, name: str, value: str) -> Frame:
    """A FACTS frame of one row; ``value`` is JSON text."""
    return Frame(Kind.FACTS, t_ns, t_ns, {"t_ns": [t_ns], "name": [name], "value": [value]})


def log_frame(t_ns: int, source: str, level: str, text: str) -> Frame:
    """A LOG frame of one line."""
    columns = {"t_ns": [t_ns], "source": [source], "level": [level], "text": [text]}
    return Frame(Kind.LOG, t_ns, t_ns, columns)


def mark_frame(t_ns: int, text: str) -> Frame:
    """A MARK frame of one note."""
    return Frame(Kind.MARK, t_ns, t_ns, {"t_ns": [t_ns], "text": [text]})
