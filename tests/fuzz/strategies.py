"""Frames that keep the vocabulary, and frames that break it in one place or in many."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tuiapp.events import (
    CLIENT_LIMITED,
    COLUMNS,
    ENGINE_EXIT,
    ENGINE_INFO,
    ENGINE_PHASE,
    ENGINE_PHASES,
    INT64,
    LOAD_STATE,
    PROBE_UNAVAILABLE,
    RECORDING,
    TEXT,
    Frame,
    Kind,
)
from tuiapp.session.validity import MAX_NS, MAX_REQ

NS = 1_000_000_000
NASTY = (
    "",
    "\x1b[31mred\x1b[0m\x1b]0;owned\x07",
    "\x9b2J\x90q\x9c",
    "\u202eright to left\u2066\u061c\u200f",
    "[bold]markup[/bold][@click=app.quit]x[/]",
    "a\r\nb\t\x00\x7f",
    "重いモデル" * 40,
    "\U000e0041\ufeff\u2028\u200b\u0301",
    "x" * 3000,
)
GROUPS = ("cpu", "memory", "process", "load", "driver", "gpu0", "gpu1", "gpux", "process.app")
GAUGES = (
    "total", "steal", "user", "core0", "core1", "coreX", "used_bytes", "total_bytes", "load1",
    "util", "mem_used_bytes", "mem_total_bytes", "throttle_reasons", "power_w", "temp_c",
    "power_limit_w", "pcie_gen", "pcie_width", "loop_lag_s", "schedule_lag_s", "rate", "rss_bytes",
)  # fmt: skip
FACT_NAMES = (
    ENGINE_PHASE,
    ENGINE_INFO,
    ENGINE_EXIT,
    LOAD_STATE,
    CLIENT_LIMITED,
    PROBE_UNAVAILABLE,
    RECORDING,
    "unheard.of",
)

texts = st.sampled_from(NASTY) | st.text(max_size=12)
floats = st.floats(width=32) | st.sampled_from((0.0, 1.0, float("nan"), float("inf"), -1.0, 3e38))
whole = st.integers(-3, 1 << 34) | st.sampled_from((-(2**63), 2**63 - 1, 10**400, 2**64))
leaves = st.none() | st.booleans() | whole | floats | texts
plain = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
times = st.integers(0, 40 * NS) | st.sampled_from((-1, 0, 40 * NS, 86_400 * NS))
odd_times = times | st.sampled_from((-(2**63), -2, MAX_NS, MAX_NS - 1, 2**63 - 1))
ids = st.integers(0, 40) | st.sampled_from((0, 5_000))
odd_ids = ids | st.sampled_from((MAX_REQ, MAX_REQ - 1, 2**32 - 1))

_keys = ("name", "version", "device", "hostname", "cpu_model", "os", "cores_logical", "arrival")
header = st.fixed_dictionaries(
    {},
    optional={
        name: st.dictionaries(st.sampled_from((*_keys, "rate", "concurrency", "gpus")), plain)
        | plain
        for name in ("model", "engine", "host", "workload")
    }
    | {
        "slo": st.lists(st.sampled_from(("ttft:p99<100ms", "e2el:max<1s", "itl:p50<1ms")) | leaves)
        | plain,
        "session": plain,
    },
)
fact_values = st.one_of(
    st.fixed_dictionaries({"phase": st.sampled_from(ENGINE_PHASES) | leaves}),
    st.fixed_dictionaries(
        {"state": st.sampled_from(("warmup", "running", "paused", "draining", "done")) | leaves},
        optional={"rate": leaves, "concurrency": plain, "reason": texts},
    ),
    st.fixed_dictionaries({"expected": leaves, "reason": leaves, "advice": leaves, "code": leaves}),
    st.fixed_dictionaries({"probe": texts | st.sampled_from(GROUPS), "reason": texts}),
    st.fixed_dictionaries({"limited": leaves}),
    header,
    plain,
)
fact_texts = fact_values.map(json.dumps) | st.sampled_from(
    ("NaN", "[" * 5000, '{"a":' * 3000 + "1" + "}" * 3000, "9" * 5000, '"\\ud800"', "{", "")
)


def _array(values: list[Any], dtype: str) -> np.ndarray:
    """As the cast of a file's bytes would be: what does not fit wraps."""
    if dtype == "<f4":
        return np.array(values, np.float64).astype(np.float32)
    bits = 8 * np.dtype(dtype).itemsize
    return np.array([value % (1 << bits) for value in values], np.uint64).astype(dtype)


@st.composite
def frames(draw: st.DrawFn, *, broken: bool = False) -> Frame:
    """A frame of any kind; ``broken`` lets types, lengths, names and times be wrong."""
    kind = draw(st.sampled_from([*COLUMNS, Kind.META, Kind.GAP]))
    if kind in (Kind.META, Kind.GAP):
        attrs = (
            draw(header) if kind == Kind.META else {"frames": draw(leaves), "reason": draw(texts)}
        )
        t_ns = draw(odd_times if broken else times)
        return Frame(kind, t_ns, t_ns, {}, attrs)
    rows = draw(st.integers(0, 6))
    columns = {name: draw(_column(name, of, rows, broken)) for name, of in COLUMNS[kind].items()}
    attrs: Any = {}
    if kind == Kind.SAMPLES:
        attrs = {"group": draw(st.sampled_from(GROUPS) | texts)}
        for name in draw(st.lists(st.sampled_from(GAUGES) | texts, max_size=4)):
            columns[name] = draw(_column(name, "<f4", rows, broken))
    if kind == Kind.REQUESTS:
        for name in draw(st.lists(st.sampled_from([*columns][1:]), max_size=4)):
            columns.pop(name, None)
    if kind == Kind.FACTS:
        columns["name"] = draw(_rows(st.sampled_from(FACT_NAMES), rows))
        columns["value"] = draw(_rows(fact_texts, rows))
    end = max((int(t) for t in columns.get("t_ns", ())), default=0)
    end = max(draw(st.just(end) | times), 0)
    if broken:
        columns = draw(_mangled(columns, rows))
        attrs = draw(st.just(attrs) | plain)
        end = draw(st.just(end) | odd_times)
    return Frame(kind, draw(times), end, columns, attrs)


def _rows(values: st.SearchStrategy[Any], rows: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=rows, max_size=rows)


def _column(name: str, of: str, rows: int, broken: bool) -> st.SearchStrategy[Any]:
    if of == TEXT:
        return _rows(texts, rows)
    if of == INT64:
        values = odd_times if broken else times
    elif name == "req":
        values = odd_ids if broken else ids
    elif of == "<f4":
        values = floats
    elif name in ("phase", "status"):
        values = st.integers(0, 5 if not broken else 255)
    else:
        values = st.integers(0, 60)
    return _rows(values, rows).map(lambda found: _array(found, of))


@st.composite
def _mangled(draw: st.DrawFn, columns: dict[str, Any], rows: int) -> dict[str, Any]:
    """One to three columns of another type, length or name, or gone."""
    names = draw(st.lists(st.sampled_from([*columns]), min_size=1, max_size=3))
    for name in names:
        columns[name] = draw(
            st.one_of(
                _rows(texts, rows),
                _rows(leaves, rows),
                st.lists(st.integers(0, 9), max_size=9),
                _rows(floats, rows).map(lambda found: np.array(found, np.float64)),
                st.integers(0, 9).map(lambda size: np.zeros(size, np.int64)),
                st.just(np.zeros((rows, 2), np.float32)),
                st.just(None),
                _rows(plain, rows),
                texts,
            )
        )
        if draw(st.booleans()):
            columns.pop(name)
    return columns
