"""GuideLLM ``benchmarks.json``: a report of one or more benchmarks, with every request in it.

Unix times in seconds. A request has the time of its first and of its last token and their number,
but no time between: what GuideLLM calls ITL is a request's mean gap, TPOT here, and what it calls
TPOT is that with the wait for the first token in it. Its latency ends with the response, not with
the last token. Where the load follows a schedule, ``targeted_start`` is the intended arrival.

Earlier reports have the same moments under other names, the first ones without ``info.timings``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuiapp.errors import SessionError
from tuiapp.events import Phase, Status
from tuiapp.imports.describe import described
from tuiapp.imports.document import Document, count, inside, number, text
from tuiapp.imports.run import LATENESS_UNKNOWN, MAX_TOKENS, Request, Run, believable

_OUTCOMES = {"successful": Status.OK, "errored": Status.FAILED, "incomplete": Status.CUT}
_SCHEDULED = ("constant", "poisson", "trace", "async")
_MAX_S = 9e9
"""Unix times beyond these, in the year 2255, are none."""

_MOMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "due": (("info", "timings", "targeted_start"),),
    "sent": (
        ("info", "timings", "request_start"),
        ("info", "timings", "resolve_start"),
        ("start_time",),
    ),
    "first": (
        ("info", "timings", "first_token_iteration"),
        ("info", "timings", "first_iteration"),
        ("first_token_time",),
    ),
    "last": (
        ("info", "timings", "last_token_iteration"),
        ("info", "timings", "last_iteration"),
        ("last_token_time",),
    ),
    "end": (
        ("info", "timings", "request_end"),
        ("info", "timings", "resolve_end"),
        ("end_time",),
    ),
}


class GuideLlm:
    """Reader of GuideLLM's reports."""

    def holds(self, value: Any) -> bool:
        benchmarks = inside(value, "benchmarks")
        if not isinstance(benchmarks, list):
            return False
        return all(isinstance(inside(one, "requests"), dict) for one in benchmarks)

    def runs(self, document: Document) -> list[str]:
        benchmarks = document.values[0]["benchmarks"]
        if not benchmarks:
            raise SessionError(f"{document.path} holds no benchmark.", "GuideLLM ended too early.")
        return [_title(one) for one in benchmarks]

    def read(self, document: Document, part: int) -> Run:
        report = document.values[0]
        benchmark = report["benchmarks"][part]
        strategy = _strategy(benchmark)
        scheduled = text(inside(strategy, "type_")) in _SCHEDULED
        rate = number(inside(strategy, "rate"), 1e-9, 1e9) if scheduled else None
        run = Run(_meta(report, benchmark, document), [], rate=rate)
        whole = all(
            isinstance(inside(benchmark, "requests", name) or [], list) for name in _OUTCOMES
        )
        if not whole:
            raise SessionError(f"{document.path} has no lists of requests by outcome.")
        start = number(inside(benchmark, "scheduler_metrics", "measure_start_time"), 0, _MAX_S)
        believable(_requests(benchmark, start, scheduled=scheduled), run, str(document.path))
        _measure(run, benchmark)
        _say_what_is_unknown(run, benchmark, scheduled=scheduled)
        return run


def _requests(
    benchmark: dict[str, Any], measured_from: float | None, *, scheduled: bool
) -> Iterator[Request | None]:
    for name, status in _OUTCOMES.items():
        for value in inside(benchmark, "requests", name) or []:
            found = _request(value, status, scheduled=scheduled)
            # GuideLLM counts what was still going on when its warm-up ended.
            if found is not None and measured_from is not None:
                ended = found.sent_s + found.end_s
                found.phase = Phase.WARMUP if ended < measured_from else Phase.MEASURE
            yield found


def _request(value: Any, status: Status, *, scheduled: bool) -> Request | None:
    at = {name: _moment(value, paths) for name, paths in _MOMENTS.items()}
    sent, end = at["sent"], at["end"]
    if sent is None and status == Status.OK:
        return None
    sent = sent if sent is not None else end
    if sent is None or end is None:
        return None
    found = Request(sent, status, end - sent)
    if scheduled and at["due"] is not None:
        found.due_s = min(at["due"] - sent, 0.0)
    found.prompt_tokens = _tokens(value, "prompt_tokens", "input_metrics") or 0
    found.cached_tokens = count(inside(value, "input_metrics", "cached_tokens"), MAX_TOKENS) or 0
    first, last = at["first"], at["last"]
    found.first_s = None if first is None else first - sent
    if status == Status.OK:
        found.last_s = (last if last is not None else end) - sent
        found.end_s = max(found.end_s, found.last_s)
        found.output_tokens = _tokens(value, "output_tokens", "output_metrics") or 0
    return found


def _moment(value: Any, paths: tuple[tuple[str, ...], ...]) -> float | None:
    for path in paths:
        found = number(inside(value, *path), 0, _MAX_S)
        if found is not None:
            return found
    return None


def _tokens(value: Any, name: str, metrics: str) -> int | None:
    told = inside(value, name)
    return count(told if told is not None else inside(value, metrics, "total_tokens"), MAX_TOKENS)


def _measure(run: Run, benchmark: dict[str, Any]) -> None:
    """Until when GuideLLM measured; it leaves out what its cool-down is."""
    measured = [row for row in run.requests if row.phase == Phase.MEASURE]
    first = min(row.sent_s + row.due_s for row in measured)
    end = number(inside(benchmark, "scheduler_metrics", "measure_end_time"), 0, _MAX_S)
    end = end if end is not None else number(inside(benchmark, "end_time"), 0, _MAX_S)
    if end is not None and end > first:
        run.measured_s = min(end, max(row.sent_s + row.end_s for row in measured)) - first


def _say_what_is_unknown(run: Run, benchmark: dict[str, Any], *, scheduled: bool) -> None:
    late = max((-row.due_s for row in run.requests), default=0.0)
    if scheduled and any(row.due_s for row in run.requests):
        run.say(
            f"TTFT and E2EL count from the intended arrival, up to {late * 1e3:.1f} ms before the "
            "send; GuideLLM's own count from the send"
        )
    elif scheduled:
        run.say(LATENESS_UNKNOWN)
    served = [row for row in run.requests if row.status == Status.OK and row.last_s is not None]
    tails = [row.end_s - (row.last_s or 0.0) for row in served]
    if any(tail > 0 for tail in tails):
        mean_ms = sum(tails) / len(tails) * 1e3
        run.say(
            "E2EL ends with the last token; GuideLLM's latency ends with the response, "
            f"{mean_ms:.1f} ms later on average"
        )
    _say_sample(run, benchmark)


def _say_sample(run: Run, benchmark: dict[str, Any]) -> None:
    made = inside(benchmark, "scheduler_metrics", "requests_made", "total")
    total = count(made, MAX_TOKENS)
    if total is not None and total > len(run.requests):
        run.say(
            f"the file keeps {len(run.requests)} of {total} requests: rates and counts are those "
            "of the ones it keeps"
        )


def _strategy(benchmark: Any) -> Any:
    found = inside(benchmark, "config", "strategy")
    return found if found is not None else inside(benchmark, "args", "strategy")


def _title(benchmark: Any) -> str:
    strategy = _strategy(benchmark)
    load = inside(strategy, "rate") or inside(strategy, "streams")
    told = number(load, 0, 1e9)
    name = text(inside(strategy, "type_")) or "benchmark"
    return name if told is None else f"{name} {told:g}"


def _meta(report: Any, benchmark: dict[str, Any], document: Document) -> dict[str, Any]:
    strategy = _strategy(benchmark)
    kind = text(inside(strategy, "type_"))
    workload: dict[str, Any] = {"name": f"guidellm {kind}".strip()}
    rate = number(inside(strategy, "rate"), 1e-9, 1e9)
    streams = count(inside(strategy, "streams"), MAX_TOKENS)
    if kind in _SCHEDULED and rate is not None:
        workload |= {"arrival": kind, "rate": rate}
    elif kind in ("concurrent", "synchronous"):
        workload |= {"arrival": "closed", "concurrency": streams or 1}
    elif kind == "throughput":
        workload |= {"arrival": "all at once"}
    model = inside(benchmark, "config", "backend", "model")
    if not model:
        model = inside(benchmark, "worker", "backend_model") or inside(report, "args", "model")
    start = number(inside(benchmark, "start_time"), 0, _MAX_S)
    return described(
        document,
        origin={
            "from": "guidellm",
            "program": "GuideLLM",
            "version": text(inside(report, "metadata", "guidellm_version")),
        },
        model=text(model),
        endpoint=text(inside(benchmark, "config", "backend", "kind")),
        workload=workload,
        created_ns=None if start is None else round(start * 1e9),
    )
