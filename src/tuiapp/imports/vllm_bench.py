"""``vllm bench serve --save-result --save-detailed``: parallel arrays, one item a request.

Seconds everywhere. ``ttfts``, ``latencies`` and ``itls`` count from the send; ``start_times`` are
on the client's own clock; ``queue_times`` is what a request waited for a free slot of
``--max-concurrency`` before it was sent. A request that failed leaves zeros in every array.

``ttfts``, ``itls``, ``output_lens``, ``input_lens`` and ``errors`` are in files of all versions,
``start_times`` in those of later ones, ``latencies`` and ``queue_times`` in those of 0.32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tuiapp.errors import SessionError
from tuiapp.events import Status
from tuiapp.imports.describe import described
from tuiapp.imports.document import Document, count, number, text
from tuiapp.imports.run import (
    LATENESS_UNKNOWN,
    MAX_RUN_S,
    MAX_TOKENS,
    Request,
    Run,
    believable,
    gaps,
)

OWN = "tuiapp"
"""``endpoint_type`` of what this program exported: its times count from the intended arrival."""
_SLACK_S = 1e-3
_NEEDED = ("ttfts", "itls", "output_lens")
_MARKS = ("request_throughput", "total_input_tokens")


class VllmBench:
    """Reader of result files of ``vllm bench serve``, also of several appended to one file."""

    def holds(self, value: Any) -> bool:
        if not isinstance(value, dict) or "benchmarks" in value:
            return False
        return all(mark in value for mark in _MARKS) or all(name in value for name in _NEEDED)

    def runs(self, document: Document) -> list[str]:
        return [_title(value) for value in document.values]

    def read(self, document: Document, part: int) -> Run:
        value = document.values[part]
        if not self.holds(value):
            raise SessionError(f"Run {part} of {document.path} is no result of vllm bench serve.")
        _check(value, document)
        run = Run(_meta(value, document), [], rate=_rate(value))
        if document.spoilt:
            run.say("the file is damaged: parts of it are no JSON")
        arrays = _Arrays.of(value)
        _say_whence(run, value, arrays)
        believable(arrays.requests(), run, str(document.path))
        _say_counts(run, value)
        run.measured_s = number(value.get("duration"), 1e-9, MAX_RUN_S)
        if run.measured_s is None:
            run.say("the file's duration makes no sense: rates are over the requests' own time")
        return run


def _check(value: dict[str, Any], document: Document) -> None:
    missing = [name for name in _NEEDED if not isinstance(value.get(name), list)]
    if missing:
        raise SessionError(
            f"{document.path} lacks what each request did ({', '.join(missing)}).",
            "Only `vllm bench serve --save-result --save-detailed` of a generating model keeps it.",
        )
    sizes = {len(value[name]) for name in _NEEDED}
    if len(sizes) > 1:
        raise SessionError(f"{document.path} has {', '.join(_NEEDED)} of different lengths.")


@dataclass(frozen=True, slots=True)
class _Arrays:
    """The arrays of a result; those that a version lacks, or has in another length, are None."""

    columns: dict[str, list[Any] | None]
    rows: int
    span_s: float
    counts_from_arrival: bool

    @classmethod
    def of(cls, value: dict[str, Any]) -> _Arrays:
        rows = len(value["ttfts"])
        names = (*_NEEDED, "input_lens", "start_times", "latencies", "queue_times", "errors")
        columns = {name: _column(value.get(name), rows) for name in names}
        # The condition under which vLLM itself states latencies with this wait in them. Without a
        # limit the wait is nothing but a turn of the client's event loop.
        limited = value.get("max_concurrency") is not None and _rate(value) is not None
        span_s = number(value.get("duration"), 0, MAX_RUN_S) or 0.0
        return cls(columns, rows, span_s, limited and columns["queue_times"] is not None)

    def at(self, name: str, row: int) -> Any:
        column = self.columns[name]
        return None if column is None else column[row]

    def requests(self) -> Iterator[Request | None]:
        for row in range(self.rows):
            request = self._request(row)
            if request is not None and self.columns["start_times"] is None:
                # Spread over the time that the run took, so that the last one ends with it.
                request.sent_s = max(self.span_s - request.end_s, 0.0) * row / max(self.rows, 1)
            yield request

    def _request(self, row: int) -> Request | None:
        sent_s = 0.0
        if self.columns["start_times"] is not None:
            told = number(self.at("start_times", row), 0, 1e12)
            if told is None:
                return None
            sent_s = told
        found = self._outcome(row, sent_s)
        if found is not None and self.counts_from_arrival:
            waited = number(self.at("queue_times", row), -_SLACK_S, MAX_RUN_S)
            if waited is None:
                return None
            found.due_s = -max(waited, 0.0)
        return found

    def _outcome(self, row: int, sent_s: float) -> Request | None:
        prompt = count(self.at("input_lens", row), MAX_TOKENS) or 0
        first = number(self.at("ttfts", row), 0, MAX_RUN_S)
        between = gaps(self.at("itls", row))
        tokens = count(self.at("output_lens", row), MAX_TOKENS)
        if first is None or between is None or tokens is None:
            return None
        heard_s = first + math.fsum(between)
        latency = number(self.at("latencies", row), 0, MAX_RUN_S)
        if latency is None and self.columns["latencies"] is not None:
            return None
        if self.at("errors", row) or not first:
            end_s = max(heard_s, latency or 0.0)
            return Request(
                sent_s, Status.FAILED, end_s, first_s=first or None, prompt_tokens=prompt
            )
        if latency is not None and abs(latency - heard_s) > _SLACK_S + heard_s * 1e-6:
            return None
        last = max(latency if latency is not None else heard_s, first)
        return Request(
            sent_s, Status.OK, max(last, heard_s), first_s=first, last_s=last, gaps_s=between,
            prompt_tokens=prompt, output_tokens=tokens,
        )  # fmt: skip


def _column(value: Any, rows: int) -> list[Any] | None:
    return value if isinstance(value, list) and len(value) == rows else None


def _rate(value: dict[str, Any]) -> float | None:
    return number(value.get("request_rate"), 1e-9, 1e9)


def _say_whence(run: Run, value: dict[str, Any], arrays: _Arrays) -> None:
    """What the times are worth."""
    if arrays.columns["start_times"] is None:
        run.say(
            "the file does not tell when requests were sent: they are spread evenly over the run, "
            "and nothing that is shown over time is real"
        )
    if arrays.counts_from_arrival:
        run.say(
            "TTFT and E2EL count from the arrival and hold the wait for a slot of "
            "--max-concurrency; vLLM's own count from the send"
        )
    elif value.get("endpoint_type") == OWN:
        run.say("TTFT and E2EL count from the intended arrival, as tuiapp exported them")
    elif _rate(value) is not None:
        run.say(LATENESS_UNKNOWN)
    if arrays.columns["errors"] is None:
        run.say("the file does not tell which requests failed: those without a first token did")


def _say_counts(run: Run, value: dict[str, Any]) -> None:
    failed = [row for row in run.requests if row.status == Status.FAILED]
    if failed:
        run.say(
            "when a failed request failed is not told, only the last sign of life of it; its "
            "tokens are not counted"
        )
    told, ok = value.get("completed"), len(run.requests) - len(failed)
    if count(told, MAX_TOKENS) not in (None, ok):
        run.say(f"the file counts {count(told, MAX_TOKENS)} requests as served, and holds {ok}")


def _meta(value: dict[str, Any], document: Document) -> dict[str, Any]:
    rate, slots = _rate(value), count(value.get("max_concurrency"), MAX_TOKENS)
    workload: dict[str, Any] = {"name": "vllm bench", "requests": len(value["ttfts"])}
    burstiness = number(value.get("burstiness"), 0, 1e9)
    if value.get("ramp_up_strategy"):
        workload |= {"arrival": f"ramp ({text(value['ramp_up_strategy'])})"}
    elif rate is not None:
        workload |= {"arrival": "poisson" if burstiness == 1 else "gamma", "rate": rate}
        workload |= {"burstiness": burstiness} if burstiness is not None else {}
    elif slots:
        workload |= {"arrival": "closed"}
    else:
        workload |= {"arrival": "all at once"}
    if slots:
        workload["concurrency"] = slots
    return described(
        document,
        origin={
            "from": "vllm-bench",
            "program": "vllm bench serve",
            "date": text(value.get("date")),
        },
        model=text(value.get("model_id")),
        endpoint=text(value.get("backend")) or text(value.get("endpoint_type")),
        workload=workload,
    )


def _title(value: Any) -> str:
    if not isinstance(value, dict):
        return "no result"
    rate = _rate(value)
    load = "all at once" if rate is None else f"at {rate:g} req/s"
    return f"{text(value.get('model_id')) or 'a model'} {load}"
