"""The result in the shape of ``vllm bench serve --save-result --save-detailed``.

Keys, units and what is left out: ``docs/exports.md``.
"""

from __future__ import annotations

import json
from typing import IO, Any

import numpy as np

from tuiapp.clock import utc_from_ns
from tuiapp.events import UNSET, Phase, Status
from tuiapp.exports.html.text import clean, mapping
from tuiapp.exports.raw import created_ns, measured_deliveries
from tuiapp.session.view import View

PERCENTILES = (50, 90, 95, 99)
_S, _MS = 1e9, 1e3
_ERRORS = {Status.FAILED: "failed", Status.UNFINISHED: "not finished when the run's time was up"}
_COUNTED_FROM = (
    "start_times are intended arrivals: ttfts and latencies include the time until the send"
)


def write(view: View, out: IO[str]) -> None:
    """One JSON object and a newline: what measured requests that ended by the cursor did."""
    json.dump(_result(view), out, allow_nan=False)
    out.write("\n")


def _result(view: View) -> dict[str, Any]:
    table = view.session.requests
    ended = view.session.ends.between(UNSET, view.cursor_ns)
    listed = np.sort(ended[_is_listed(view, ended)])
    listed = listed[np.argsort(table["t_sched_ns"][listed], kind="stable")]
    arrays = _arrays(view, listed)
    return {**_setup(view, len(listed)), **_totals(view, listed), **arrays, **_statistics(arrays)}


def _is_listed(view: View, req: np.ndarray) -> np.ndarray:
    """Measured, and not cut off by the user's own stop, of which nothing is known."""
    table = view.session.requests
    listed: np.ndarray = (table["phase"][req] == Phase.MEASURE) & np.isin(
        table["status"][req], (Status.OK, *_ERRORS)
    )
    return listed


def _setup(view: View, rows: int) -> dict[str, Any]:
    meta = view.meta
    workload = mapping(meta.get("workload"))
    model = mapping(meta.get("model")).get("name")
    rate = _number(workload.get("rate"))
    created = created_ns(view)
    return {
        "date": utc_from_ns(created).strftime("%Y%m%d-%H%M%S") if created else None,
        "endpoint_type": "tuiapp",
        "backend": "tuiapp",
        "label": None,
        "model_id": clean(model) if model else None,
        "tokenizer_id": None,
        "num_prompts": rows,
        "note": _COUNTED_FROM,
        "request_rate": "inf" if rate is None else rate,
        "burstiness": 1.0 if workload.get("arrival") == "poisson" else None,
        "max_concurrency": None,
    }


def _number(value: Any) -> float | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and 0 < value < 1e9 else None


def _totals(view: View, listed: np.ndarray) -> dict[str, Any]:
    """Counts and rates, as vLLM has them: over the time from the first arrival to the last end."""
    table, window = view.session.requests, view.measured
    served = listed[table["status"][listed] == Status.OK]
    prompt, output = (
        int(table[name][served].sum(dtype=np.int64)) for name in ("prompt_tokens", "output_tokens")
    )
    totals: dict[str, Any] = {
        "duration": None,
        "completed": len(served),
        "failed": len(listed) - len(served),
        "total_input_tokens": prompt,
        "total_output_tokens": output,
        "request_throughput": None,
        "request_goodput": None,
        "output_throughput": None,
        "total_token_throughput": None,
    }
    if window is None or not len(listed):
        return totals
    seconds = max(int(table["t_end_ns"][listed].max()) - window.start_ns, 1) / _S
    good = view.good(view.run_start_ns, view.cursor_ns) / seconds if view.slos else None
    return totals | {
        "duration": seconds,
        "request_throughput": len(served) / seconds,
        "request_goodput": good,
        "output_throughput": output / seconds,
        "total_token_throughput": (prompt + output) / seconds,
    }


def _arrays(view: View, listed: np.ndarray) -> dict[str, list[Any]]:
    """One item a request; seconds. A failed one has zeros, as in vLLM's own files."""
    table = view.session.requests
    status = table["status"][listed]
    served = status == Status.OK
    sched, first, last = (table[f"t_{name}_ns"][listed] for name in ("sched", "first", "last"))
    ttfts, latencies = (
        np.where(moment != UNSET, (moment - sched) / _S, np.where(served, np.nan, 0.0))
        for moment in (first, last)
    )
    return {
        "input_lens": table["prompt_tokens"][listed].tolist(),
        "output_lens": np.where(served, table["output_tokens"][listed], 0).tolist(),
        "ttfts": _known(ttfts),
        "itls": _itls(view, listed),
        "latencies": _known(np.where(served, latencies, 0.0)),
        "start_times": (sched / _S).tolist(),
        "generated_texts": [""] * len(listed),
        "errors": ["" if value == Status.OK else _ERRORS[Status(value)] for value in status],
    }


def _known(seconds: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in seconds.tolist()]


def _itls(view: View, listed: np.ndarray) -> list[list[float]]:
    """Gaps of each served request all of whose deliveries are known; of others none."""
    table, rows = view.session.requests, measured_deliveries(view)
    starts = np.searchsorted(rows.req, listed)
    stops = np.searchsorted(rows.req, listed, side="right")
    found = []
    for req, start, stop in zip(listed.tolist(), starts.tolist(), stops.tolist(), strict=True):
        whole = int(rows.n[start:stop].sum()) == int(table["output_tokens"][req])
        begins = start < stop and int(rows.t_ns[start]) == int(table["t_first_ns"][req])
        known = whole and begins and table["status"][req] == Status.OK
        found.append((rows.gap_ns[start + 1 : stop] / _S).tolist() if known else [])
    return found


def _statistics(arrays: dict[str, list[Any]]) -> dict[str, float | None]:
    """Over served requests only, as in vLLM; milliseconds, None where there is no value."""
    columns = (arrays[name] for name in ("errors", "ttfts", "latencies", "output_lens"))
    served = [row[1:] for row in zip(*columns, strict=True) if not row[0]]
    timed = [row for row in served if None not in row]
    values = {
        "ttft": [ttft for ttft, _, _ in served if ttft is not None],
        "tpot": [(latency - ttft) / (n - 1) for ttft, latency, n in timed if n > 1],
        "itl": [gap for gaps in arrays["itls"] for gap in gaps],
        "e2el": [latency for _, latency, _ in served if latency is not None],
    }
    return {key: value for name, found in values.items() for key, value in _of(name, found)}


def _of(metric: str, seconds: list[float]) -> list[tuple[str, float | None]]:
    ms = np.array(seconds) * _MS
    if not len(ms):
        names = [f"{word}_{metric}_ms" for word in ("mean", "median", "std")]
        return [(name, None) for name in [*names, *(f"p{q}_{metric}_ms" for q in PERCENTILES)]]
    told = {"mean": ms.mean(), "median": np.median(ms), "std": ms.std()}
    told |= {f"p{q}": np.percentile(ms, q) for q in PERCENTILES}
    return [(f"{word}_{metric}_ms", float(value)) for word, value in told.items()]
