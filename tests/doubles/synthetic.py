"""A made-up run, frame by frame: for tests and benchmarks of what comes after the engine.

Nothing here was measured. Latencies are lognormal with a queue that builds up in a stall; times,
counts and columns fit together as an engine's would.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tuiapp.events import ENGINE_PHASE, LOAD_STATE, UNSET, Frame, Kind, Status, facts_frame

NS = 1_000_000_000
BATCH_NS = NS // 10
PHASES = {"spawn": 0.0, "import": 0.2, "config": 3.0, "weights": 3.5, "kv_cache": 4.0}
READY_S = 5.0


@dataclass(frozen=True)
class Load:
    """What to make up."""

    seed: int = 1
    duration_s: float = 60.0
    rate: float = 6.0
    output_tokens: int = 48
    ttft_s: float = 0.022
    tpot_s: float = 0.0065
    stall: tuple[float, float] | None = None
    hiccups: bool = False
    failed_share: float = 0.0
    start_s: float = READY_S
    cores: int = 2
    gpus: int = 0
    ranks: int = 1


@dataclass
class Run:
    """Columns of a whole made-up run."""

    requests: dict[str, np.ndarray]
    req: np.ndarray
    t_ns: np.ndarray
    n: np.ndarray


def make(load: Load) -> Run:
    """Draw every request and every delivery."""
    rng = np.random.default_rng(load.seed)
    count = max(int(load.rate * load.duration_s), 1)
    sched = (load.start_s + np.cumsum(rng.exponential(1 / load.rate, count))) * NS
    wait = rng.lognormal(np.log(load.ttft_s), 0.35, count) * NS
    tokens = np.maximum(rng.poisson(load.output_tokens, count), 2)
    gaps = rng.lognormal(np.log(load.tpot_s), 0.25, int(tokens.sum())) * NS
    req = np.repeat(np.arange(count), tokens)
    begin = np.cumsum(tokens) - tokens
    gaps[begin] = wait
    t_ns = np.cumsum(gaps)
    t_ns = t_ns - np.repeat((t_ns[begin] - gaps[begin]) - sched, tokens)
    if load.stall is not None:  # nothing is delivered in a stall; what was due comes at its end
        low, high = ((load.start_s + edge) * NS for edge in load.stall)
        t_ns = np.where((t_ns > low) & (t_ns < high), high + np.arange(len(t_ns)) * 1e3, t_ns)
        t_ns = _rising(req, t_ns)
    t_ns, sched = t_ns.astype(np.int64), sched.astype(np.int64)
    first, last = t_ns[begin], t_ns[begin + tokens - 1]
    status = np.where(rng.random(count) < load.failed_share, Status.FAILED, Status.OK)
    spent = first - sched
    requests = {
        "req": np.arange(count),
        "phase": np.ones(count, int),
        "status": status,
        "prompt_tokens": rng.integers(20, 400, count),
        "target_tokens": tokens,
        "output_tokens": tokens,
        "cached_tokens": np.zeros(count, int),
        "t_sched_ns": sched,
        "t_sent_ns": sched + 60_000,
        "t_queued_ns": sched + spent // 20,
        "t_prefill_ns": sched + spent // 8,
        "t_core_first_ns": sched + spent * 9 // 10,
        "t_first_ns": first,
        "t_last_ns": last,
        "t_end_ns": last + 50_000,
    }
    return Run(requests, req, t_ns, np.ones(len(req), int))


def _rising(req: np.ndarray, t_ns: np.ndarray) -> np.ndarray:
    """Deliveries of one request never go back in time."""
    out = t_ns.copy()
    for start, stop in zip(*_bounds(req), strict=True):
        out[start:stop] = np.maximum.accumulate(t_ns[start:stop])
    return out


def _bounds(req: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts = np.flatnonzero(np.diff(req, prepend=-1))
    return starts, np.append(starts[1:], len(req))


def frames(load: Load, *, sampled: bool = True) -> Iterator[Frame]:
    """The run as batches of 100 ms, in the order in which a recorder would get them."""
    yield from cold_start(load)
    run = make(load)
    order = np.argsort(run.t_ns, kind="stable")
    req, t_ns, n = run.req[order], run.t_ns[order], run.n[order]
    end = max(int(t_ns[-1]), int(run.requests["t_end_ns"].max()))
    start = int(load.start_s * NS) // BATCH_NS * BATCH_NS
    rng = np.random.default_rng(load.seed + 1)
    for t0 in range(start, end + BATCH_NS, BATCH_NS):
        t1 = t0 + BATCH_NS
        changed = requests_at(run, t0, t1)
        if changed is not None:
            yield changed
        low, high = np.searchsorted(t_ns, (t0, t1))
        if high > low:
            tokens = {"req": req[low:high], "t_ns": t_ns[low:high], "n": n[low:high]}
            yield Frame(Kind.TOKENS, int(t_ns[low]), int(t_ns[high - 1]), tokens)
            for rank in range(load.ranks):
                if t0 // BATCH_NS % (rank + 1) == 0:  # the others speak more rarely
                    yield _steps(run, t0, t1, high - low, (rank, load.ranks))
        if sampled:
            yield from samples(load, t1, rng)
            if load.hiccups:
                yield from hiccups(load, t1, rng)
    yield facts_frame(end + 1, LOAD_STATE, json.dumps({"state": "done"}))


def cold_start(load: Load) -> Iterator[Frame]:
    """Phases, meta and the start of the load."""
    meta = {
        "model": {"name": "made-up-llama"},
        "engine": {"name": "vLLM", "version": "0.0", "device": "cpu"},
        "host": {"hostname": "made-up", "cpu_model": "Made-up CPU", "cores_logical": load.cores},
        "workload": {"name": "chat", "arrival": "poisson", "rate": load.rate},
        "slo": ["ttft:p99<100ms", "tpot:p99<50ms"],
    }
    yield Frame(Kind.META, 0, 0, attrs=meta)
    scale = load.start_s / READY_S
    for name, at in (*PHASES.items(), ("ready", READY_S)):
        yield facts_frame(int(at * scale * NS), ENGINE_PHASE, json.dumps({"phase": name}))
    state = {"state": "running", "rate": load.rate}
    yield facts_frame(int(load.start_s * NS), LOAD_STATE, json.dumps(state))


def requests_at(run: Run, t0: int, t1: int) -> Frame | None:
    """Rows of the requests whose state changed in [t0, t1), as known at t1."""
    moments = ("t_sent_ns", "t_first_ns", "t_end_ns")
    changed = np.zeros(len(run.requests["req"]), bool)
    for name in moments:
        changed |= (run.requests[name] >= t0) & (run.requests[name] < t1)
    if not changed.any():
        return None
    rows = {name: column[changed].copy() for name, column in run.requests.items()}
    started, ended = rows["t_first_ns"] < t1, rows["t_end_ns"] < t1
    rows["t_first_ns"][~started] = UNSET
    for name in ("t_queued_ns", "t_prefill_ns", "t_core_first_ns"):
        rows[name][~started] = UNSET
    for name in ("t_last_ns", "t_end_ns"):
        rows[name][~ended] = UNSET
    rows["status"][~ended] = Status.IN_FLIGHT
    rows["output_tokens"][~ended] = 0
    return Frame(Kind.REQUESTS, t0, t1 - 1, rows)


def _steps(run: Run, t0: int, t1: int, tokens: int, of: tuple[int, int]) -> Frame:
    """Iterations of one data-parallel rank: every n-th request is its own."""
    rank, ranks = of
    t_ns = np.arange(t0 + BATCH_NS // 10, t1, BATCH_NS // 10)
    table = run.requests
    own = table["req"] % ranks == rank
    running = int((own & (table["t_sent_ns"] < t1) & (table["t_end_ns"] > t1)).sum())
    rows = len(t_ns)
    columns = {
        "t_ns": t_ns,
        "running": np.full(rows, running),
        "waiting": np.zeros(rows, int),
        "kv_usage": np.full(rows, min(running * 0.01, 1.0)),
        "prompt_tokens": np.full(rows, tokens),
        "output_tokens": np.full(rows, tokens // max(rows, 1)),
        "preempted": np.zeros(rows, int),
        "prefix_queries": np.full(rows, 64),
        "prefix_hits": np.full(rows, 16),
    }
    return Frame(Kind.STEPS, int(t_ns[0]), int(t_ns[-1]), columns, {"engine": rank})


def samples(load: Load, t_ns: int, rng: np.random.Generator) -> Iterator[Frame]:
    """Host, driver and GPU gauges at one moment."""
    busy = rng.uniform(0.4, 0.9, load.cores)
    groups = {
        "cpu": {"total": busy.mean(), "steal": 0.004, "user": 0.5, "system": 0.1}
        | {f"core{at}": value for at, value in enumerate(busy)},
        "memory": {"total_bytes": 24e9, "used_bytes": 9e9, "available_bytes": 15e9},
        "load": {"load1": 1.7, "load5": 1.2, "load15": 0.9},
        "process": {"cpu_cores": 1.4, "rss_bytes": 2.1e9, "procs": 3, "threads": 40},
        "driver": {
            "loop_lag_s": 0.0004,
            "loop_lag_10s_p99_s": 0.0003,
            "schedule_lag_s": 0.0002,
            "schedule_lag_10s_p99_s": 0.0002,
            "rate": load.rate,
        },
    }
    for at in range(load.gpus):
        groups[f"gpu{at}"] = {
            "util": rng.uniform(0.7, 1.0), "mem_used_bytes": 60e9, "mem_total_bytes": 80e9,
            "sm_clock_mhz": 1755, "sm_clock_max_mhz": 1980, "mem_clock_mhz": 2619,
            "power_w": rng.uniform(400, 690), "power_limit_w": 700, "temp_c": 61,
            "pcie_gen": 5, "pcie_gen_max": 5, "pcie_width": 16, "pcie_width_max": 16,
            "pcie_tx_bytes_per_s": 2e8, "pcie_rx_bytes_per_s": 5e8, "throttle_reasons": 0,
        }  # fmt: skip
    for group, gauges in groups.items():
        yield _row(group, t_ns, gauges)


def hiccups(load: Load, t_ns: int, rng: np.random.Generator) -> Iterator[Frame]:
    """What a hiccup meter would have told: short stalls now and then, and the made-up long one."""
    found = [(t_ns - 1, rng.lognormal(np.log(0.004), 0.8))] if rng.random() < 0.05 else []
    if load.stall is not None:
        low, high = (int((load.start_s + edge) * NS) for edge in load.stall)
        if t_ns - BATCH_NS < high <= t_ns:
            found = [(high, (high - low) / NS)]
    late_s = max([length for _, length in found] + [rng.lognormal(np.log(120e-6), 0.2)])
    gauges = {"wakeups": 20, "missed": len(found), "min_s": 60e-6, "p99_s": late_s, "max_s": late_s,
              "period_s": BATCH_NS / NS / 20, "realtime": 1}  # fmt: skip
    gauges |= {f"over_{us}us": float(late_s > us / 1e6) for us in (100, 200, 500, 1000, 2000, 5000)}
    yield _row("hiccup", t_ns, gauges)
    for end_ns, length_s in found:
        yield _row("stall", end_ns, {"length_s": length_s})


def _row(group: str, t_ns: int, gauges: dict[str, float]) -> Frame:
    columns: dict[str, np.ndarray] = {"t_ns": np.array([t_ns])}
    columns |= {name: np.array([value], np.float32) for name, value in gauges.items()}
    return Frame(Kind.SAMPLES, t_ns, t_ns, columns, {"group": group})
