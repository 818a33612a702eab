"""GuideLLM reports: the same numbers under our definitions, and what the file does not tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.imported import FIXTURES, fixture, percentiles, result, session, told, write
from tuiapp import imports
from tuiapp.errors import SessionError, UsageError
from tuiapp.events import LOAD_STATE, Phase
from tuiapp.session.health import SERVING, SILENT
from tuiapp.session.view import View

CONSTANT = FIXTURES / "guidellm-constant.json"
CONCURRENT = FIXTURES / "guidellm-concurrent.json"
TWO = FIXTURES / "guidellm-two.json"
NS = 1_000_000_000
WALL_S = 1e-6
"""Unix times as floats are good to a quarter of a microsecond."""


def served(name: str, benchmark: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fixture(name)["benchmarks"][benchmark]["requests"]["successful"]
    return found


def stated(requests: list[dict[str, Any]], name: str, per_s: float = 1.0) -> np.ndarray:
    return np.array([request[name] for request in requests]) / per_s


def check(found: dict[str, Any], values: Any) -> None:
    assert found["mean"] == pytest.approx(float(np.mean(values)), abs=WALL_S)
    for name, value in percentiles(values).items():
        assert found[name] == pytest.approx(value, abs=WALL_S)


@pytest.mark.parametrize("part", [0, 1])
def test_a_closed_loop_has_the_latencies_that_the_file_states(part: int) -> None:
    requests, found = served("guidellm-two.json", part), result(TWO, part)
    check(found["ttft_s"], stated(requests, "time_to_first_token_ms", 1e3))
    check(found["tpot_s"], stated(requests, "inter_token_latency_ms", 1e3))
    metrics = fixture("guidellm-two.json")["benchmarks"][part]["metrics"]
    mean_ms = metrics["time_to_first_token_ms"]["successful"]["mean"]
    assert found["ttft_s"]["mean"] == pytest.approx(mean_ms / 1e3, abs=WALL_S)


def test_a_schedule_tells_the_intended_arrival_and_latencies_count_from_it() -> None:
    requests, found = served("guidellm-constant.json"), result(CONSTANT)
    late = stated(requests, "request_dispatch_delay")
    assert late.max() > 0.01
    check(found["ttft_s"], stated(requests, "time_to_first_token_ms", 1e3) + late)
    assert told(found, "intended arrival", f"{late.max() * 1e3:.1f} ms")
    tails = [
        request["request_end_time"] - request["info"]["timings"]["last_token_iteration"]
        for request in requests
    ]
    check(found["e2el_s"], stated(requests, "request_scheduled_latency") - np.array(tails))
    assert told(found, "ends with the response", f"{np.mean(tails) * 1e3:.1f} ms")


@pytest.mark.parametrize("part", [0, 1])
def test_throughput_is_what_the_file_states(part: int) -> None:
    metrics = fixture("guidellm-two.json")["benchmarks"][part]["metrics"]
    found = result(TWO, part)
    tokens = metrics["output_tokens_per_second"]["successful"]["mean"]
    assert found["output_tokens_per_s"] == pytest.approx(tokens, rel=1e-5)
    requests = metrics["requests_per_second"]["successful"]["mean"]
    assert found["requests_per_s"] == pytest.approx(requests, rel=1e-5)


def test_throughput_of_a_schedule_is_measured_from_the_first_intended_arrival() -> None:
    file, found = fixture("guidellm-constant.json")["benchmarks"][0], result(CONSTANT)
    due = min(one["info"]["timings"]["targeted_start"] for one in file["requests"]["successful"])
    seconds = file["scheduler_metrics"]["measure_end_time"] - due
    tokens = sum(one["output_tokens"] for one in file["requests"]["successful"])
    assert found["output_tokens_per_s"] == pytest.approx(tokens / seconds, rel=1e-5)
    whole = file["metrics"]["output_tokens_per_second"]["successful"]["mean"]
    assert found["output_tokens_per_s"] == pytest.approx(whole, rel=0.005)


def test_no_gap_is_made_up() -> None:
    found = result(CONSTANT)
    assert found["itl_s"]["n"] == 0
    assert found["itl_s"]["p99"] is None
    assert told(found, "ITL unknown")
    assert session(CONSTANT).meta["imported"]["deliveries"] is False


def test_errored_requests_count_as_infinite_and_cancelled_ones_as_cut(tmp_path: Path) -> None:
    found = result(CONCURRENT)
    assert found["requests"] == {
        "sent": 20, "ok": 19, "failed": 1, "unfinished": 0, "cut": 0, "lost": 0, "warmup": 0
    }  # fmt: skip
    assert found["ttft_s"]["p99"] is None
    file = fixture("guidellm-concurrent.json")
    lists = file["benchmarks"][0]["requests"]
    lists["incomplete"], lists["errored"] = lists["errored"], []
    assert result(write(tmp_path / "r.json", file))["requests"]["cut"] == 1


def test_a_stretch_without_deliveries_is_no_silent_engine_where_none_are_told(
    tmp_path: Path,
) -> None:
    file = fixture("guidellm-two.json")
    file["benchmarks"][0]["scheduler_metrics"]["measure_end_time"] += 60.0
    for request in file["benchmarks"][0]["requests"]["successful"]:  # each takes a minute more
        for name in ("last_token_iteration", "request_end", "resolve_end"):
            request["info"]["timings"][name] += 60.0
    found = session(write(tmp_path / "slow.json", file), 0)
    assert View(found, 30 * NS).health.state == SERVING
    found.meta["imported"]["deliveries"] = True
    assert View(found, 30 * NS).health.state == SILENT


def test_a_warm_up_is_marked_and_does_not_count(tmp_path: Path) -> None:
    file = fixture("guidellm-constant.json")
    benchmark = file["benchmarks"][0]
    ends = sorted(one["request_end_time"] for one in benchmark["requests"]["successful"])
    benchmark["scheduler_metrics"]["measure_start_time"] = ends[4] + 1e-3
    path = write(tmp_path / "warm.json", file)
    found, known = result(path), session(path)
    assert found["requests"]["warmup"] == 5
    assert found["ttft_s"]["n"] == 19
    assert (known.requests["phase"][:5] == Phase.WARMUP).all()
    states = [fact.value["state"] for fact in known.facts if fact.name == LOAD_STATE]
    assert states == ["warmup", "running", "done"]


def test_a_sample_of_the_requests_says_that_it_is_one(tmp_path: Path) -> None:
    file = fixture("guidellm-constant.json")
    file["benchmarks"][0]["scheduler_metrics"]["requests_made"]["total"] = 1000
    assert told(result(write(tmp_path / "sample.json", file)), "keeps 24 of 1000 requests")


def older(request: dict[str, Any]) -> dict[str, Any]:
    """A request as the first reports have it: flat."""
    timings = request["info"]["timings"]
    names = {
        "start_time": "request_start", "end_time": "request_end",
        "first_token_time": "first_token_iteration", "last_token_time": "last_token_iteration",
    }  # fmt: skip
    moments = {name: timings[path] for name, path in names.items()}
    counts = {name: request[name] for name in ("prompt_tokens", "output_tokens")}
    return {"type_": "generative_text_response", **moments, **counts}


def renamed(request: dict[str, Any]) -> dict[str, Any]:
    """A request as versions have it in which an iteration is not yet one of tokens."""
    timings = dict(request["info"]["timings"])
    for end in ("first", "last"):
        timings[f"{end}_iteration"] = timings.pop(f"{end}_token_iteration")
    return {**request, "info": {**request["info"], "timings": timings}}


@pytest.mark.parametrize("change", [older, renamed])
def test_reports_of_older_versions_have_the_same_latencies(change: Any, tmp_path: Path) -> None:
    file = fixture("guidellm-concurrent.json")
    benchmark = file["benchmarks"][0]
    lists = benchmark["requests"]
    lists["successful"] = [change(request) for request in lists["successful"]]
    lists["errored"] = []
    benchmark["args"] = {"strategy": benchmark.pop("config")["strategy"]}
    benchmark["worker"] = {"backend_model": "demo"}
    path = write(tmp_path / "old.json", file)
    assert imports.detect(path) == "guidellm"
    requests, found = served("guidellm-concurrent.json"), result(path)
    check(found["ttft_s"], stated(requests, "time_to_first_token_ms", 1e3))
    check(found["tpot_s"], stated(requests, "inter_token_latency_ms", 1e3))
    assert found["model"] == {"name": "demo"}
    assert found["workload"]["concurrency"] == 2


def test_responses_that_were_not_streamed_have_an_e2el_and_nothing_else(tmp_path: Path) -> None:
    file = fixture("guidellm-concurrent.json")
    requests = file["benchmarks"][0]["requests"]["successful"]
    for request in requests:
        for end in ("first", "last"):
            request["info"]["timings"][f"{end}_token_iteration"] = None
    path = write(tmp_path / "whole.json", file)
    found, known = result(path), session(path)
    known.meta["slo"] = ["ttft:p99<100s"]
    assert View(known, known.end_ns).good(0, known.end_ns) == 0
    known.meta["slo"] = ["e2el:p99<100s"]
    assert View(known, known.end_ns).good(0, known.end_ns) == 19
    assert found["tpot_s"]["n"] == 1  # the failed one
    assert found["tpot_s"]["mean"] is None
    assert found["e2el_s"]["mean"] == pytest.approx(
        float(np.mean(stated(requests, "request_latency"))), abs=WALL_S
    )
    assert told(found, "TTFT and TPOT unknown for 19 of 19 requests")


def test_the_header_tells_what_the_file_tells() -> None:
    meta = session(CONSTANT).meta
    assert meta["imported"]["version"] == "0.8.1"
    assert meta["model"] == {"name": "demo"}
    assert meta["workload"] == {"name": "guidellm constant", "arrival": "constant", "rate": 4.0}
    assert meta["created_ns"] == pytest.approx(1795520856278320000, abs=1_000_000)
    assert "host" not in meta


def test_of_several_benchmarks_one_is_chosen() -> None:
    assert imports.parts(TWO) == ["concurrent 1", "concurrent 3"]
    with pytest.raises(UsageError, match=r"holds 2 runs.*0 \(concurrent 1\), 1 \(concurrent 3\)"):
        result(TWO)
    with pytest.raises(UsageError, match="holds 2 runs"):
        result(TWO, 2)


def test_a_report_without_its_requests_is_one_clear_sentence(tmp_path: Path) -> None:
    file = fixture("guidellm-constant.json")
    file["benchmarks"][0]["requests"] = {"successful": [], "errored": None}
    with pytest.raises(SessionError, match="no request that can be used"):
        result(write(tmp_path / "stripped.json", file))
    file["benchmarks"] = []
    with pytest.raises(SessionError, match="holds no benchmark"):
        result(write(tmp_path / "empty.json", file))
