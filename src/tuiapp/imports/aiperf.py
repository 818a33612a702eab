"""AIPerf ``profile_export.jsonl``: one record a line, written as requests end.

``metadata`` has Unix times in nanoseconds, ``metrics`` a value and its unit each. ``credit_issued``
is when the client's own rate limiter let a request go, which a limit on concurrency delays as well:
so it is no intended arrival.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuiapp.errors import SessionError
from tuiapp.events import Phase, Status
from tuiapp.imports.describe import described
from tuiapp.imports.document import Document, count, inside, number, text
from tuiapp.imports.run import (
    LATENESS_UNKNOWN,
    MAX_RUN_S,
    MAX_TOKENS,
    Request,
    Run,
    believable,
    gaps,
)

_PER_S = {"ns": 1e9, "us": 1e6, "µs": 1e6, "ms": 1e3, "s": 1.0, "sec": 1.0}
_MAX_NS = 1 << 62


class AiPerf:
    """Reader of AIPerf's records."""

    def holds(self, value: Any) -> bool:
        known = inside(value, "metadata", "request_start_ns")
        return known is not None and isinstance(inside(value, "metrics"), dict)

    def runs(self, document: Document) -> list[str]:
        return [f"{len(document.values)} records"]

    def read(self, document: Document, part: int) -> Run:
        del part
        starts = [inside(value, "metadata", "request_start_ns") for value in document.values]
        known = [start for start in starts if count(start, _MAX_NS) is not None]
        if not known:
            raise SessionError(f"{document.path} tells of no request when it was sent.")
        # Relative to one of them: as floats, nanoseconds since 1970 are only good to 256 of them.
        base_ns = int(known[0])
        created_ns = int(min(known))
        run = Run(_meta(document, created_ns), [])
        if document.spoilt:
            run.say(f"{document.spoilt} lines are left out: they are no JSON")
        believable(_requests(document, base_ns), run, str(document.path))
        _say_what_is_unknown(run, document)
        return run


def _requests(document: Document, base_ns: int) -> Iterator[Request | None]:
    for value in document.values:
        yield _request(value, base_ns) if isinstance(value, dict) else None


def _request(value: dict[str, Any], base_ns: int) -> Request | None:
    start_ns, end_ns = (
        count(inside(value, "metadata", f"request_{name}_ns"), _MAX_NS) for name in ("start", "end")
    )
    if start_ns is None or end_ns is None or end_ns < start_ns:
        return None
    start_ns = int(inside(value, "metadata", "request_start_ns"))
    end_s = (int(inside(value, "metadata", "request_end_ns")) - start_ns) / 1e9
    found = Request((start_ns - base_ns) / 1e9, Status.OK, end_s)
    if inside(value, "metadata", "benchmark_phase") == "warmup":
        found.phase = Phase.WARMUP
    found.prompt_tokens = count(_value(value, "input_sequence_length"), MAX_TOKENS) or 0
    if value.get("error"):
        found.status = Status.FAILED
    elif inside(value, "metadata", "was_cancelled") is True:
        found.status = Status.CUT
    else:
        return _served(value, found)
    return found


def _served(value: dict[str, Any], found: Request) -> Request | None:
    last = _seconds(value, "request_latency")
    if last is None:
        return None
    found.last_s, found.end_s = last, max(last, found.end_s)
    found.first_s = _seconds(value, "time_to_first_token")
    if found.first_s is None:
        return None if inside(value, "metrics", "time_to_first_token") else found
    tokens = count(_value(value, "output_sequence_length"), MAX_TOKENS)
    found.output_tokens = tokens or 0
    between = _value(value, "inter_chunk_latency")
    if between is not None:
        per_s = _PER_S.get(text(inside(value, "metrics", "inter_chunk_latency", "unit")))
        known = gaps(between, MAX_RUN_S * 1e9)
        if known is None or per_s is None:
            return None
        found.gaps_s = known / per_s
        if abs(found.first_s + float(found.gaps_s.sum()) - last) > 1e-3:
            return None
    elif found.output_tokens == 1:
        found.gaps_s = gaps([])
    return found


def _value(value: dict[str, Any], name: str) -> Any:
    return inside(value, "metrics", name, "value")


def _seconds(value: dict[str, Any], name: str) -> float | None:
    per_s = _PER_S.get(text(inside(value, "metrics", name, "unit")))
    found = number(_value(value, name), 0, MAX_RUN_S * 1e9)
    return None if found is None or per_s is None else found / per_s


def _say_what_is_unknown(run: Run, document: Document) -> None:
    run.say(LATENESS_UNKNOWN)
    run.say("the file tells neither the model nor the load that was asked for")
    waits = [_wait_s(value) for value in document.values]
    late = max((wait for wait in waits if wait is not None), default=0.0)
    if late > 0:
        run.say(f"requests were sent up to {late * 1e3:.1f} ms after the client let them go")


def _wait_s(value: Any) -> float | None:
    issued, sent = (
        count(inside(value, "metadata", f"{name}_ns"), _MAX_NS)
        for name in ("credit_issued", "request_start")
    )
    return None if issued is None or sent is None else max(sent - issued, 0) / 1e9


def _meta(document: Document, created_ns: int) -> dict[str, Any]:
    origin = {"from": "aiperf", "program": "AIPerf"}
    workload = {"name": "aiperf", "requests": len(document.values)}
    return described(document, origin=origin, model="", workload=workload, created_ns=created_ns)
