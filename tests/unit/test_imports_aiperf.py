"""AIPerf records: the numbers of AIPerf's own summary of the same run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.imported import (
    FIXTURES,
    QUANTILES,
    fixture,
    percentiles,
    records,
    result,
    session,
    told,
    write,
)
from tuiapp.events import Phase, Status

CLOSED = FIXTURES / "aiperf-closed.jsonl"
RATE = FIXTURES / "aiperf-rate.jsonl"
METRICS = {"ttft": "time_to_first_token", "tpot": "inter_token_latency", "e2el": "request_latency"}


@pytest.mark.parametrize("run", ["closed", "rate"])
@pytest.mark.parametrize("metric", METRICS)
def test_means_are_those_of_its_own_summary(run: str, metric: str) -> None:
    stated, found = fixture(f"aiperf-{run}.stated.json"), result(FIXTURES / f"aiperf-{run}.jsonl")
    expected = stated[METRICS[metric]]["avg"] / 1e3
    assert found[f"{metric}_s"]["mean"] == pytest.approx(expected, rel=1e-6)
    assert found["requests"]["ok"] == stated["request_count"]["avg"]
    assert found["requests"]["failed"] == stated["error_request_count"]["avg"]


@pytest.mark.parametrize("metric", METRICS)
def test_percentiles_of_served_requests_are_those_of_its_own_summary(
    metric: str, tmp_path: Path
) -> None:
    lines = [line for line in records("aiperf-closed.jsonl") if "error" not in line]
    stated, found = (
        fixture("aiperf-closed.stated.json"),
        result(write(tmp_path / "ok.jsonl", *lines)),
    )
    for name, q in QUANTILES.items():
        expected = stated[METRICS[metric]][f"p{q}"] / 1e3
        assert found[f"{metric}_s"][name] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("run", ["closed", "rate"])
def test_itl_is_its_inter_chunk_latency_but_for_the_bins(run: str) -> None:
    stated, found = fixture(f"aiperf-{run}.stated.json"), result(FIXTURES / f"aiperf-{run}.jsonl")
    chunks = stated["inter_chunk_latency"]
    assert found["itl_s"]["n"] == chunks["count"]
    for name, q in QUANTILES.items():
        assert found["itl_s"][name] == pytest.approx(chunks[f"p{q}"] / 1e3, rel=0.003, abs=1e-6)


@pytest.mark.parametrize("run", ["closed", "rate"])
def test_throughput_is_that_of_the_measured_requests_alone(run: str) -> None:
    lines = records(f"aiperf-{run}.jsonl")
    measured = [line for line in lines if line["metadata"]["benchmark_phase"] == "profiling"]
    served = [line for line in measured if "error" not in line]
    tokens = sum(line["metrics"]["output_sequence_length"]["value"] for line in served)
    begin = min(line["metadata"]["request_start_ns"] for line in measured)
    seconds = (max(line["metadata"]["request_end_ns"] for line in measured) - begin) / 1e9
    found = result(FIXTURES / f"aiperf-{run}.jsonl")
    assert found["measured_s"] == pytest.approx(seconds, rel=1e-6)
    assert found["output_tokens_per_s"] == pytest.approx(tokens / seconds, rel=1e-6)


@pytest.mark.parametrize("run", ["closed", "rate"])
def test_its_summary_divides_by_little_more_time_which_is_not_in_the_records(run: str) -> None:
    stated = fixture(f"aiperf-{run}.stated.json")["output_token_throughput"]["avg"]
    found = result(FIXTURES / f"aiperf-{run}.jsonl")["output_tokens_per_s"]
    assert stated < found < stated * 1.005


def test_the_warm_up_is_marked_and_comes_first() -> None:
    found = session(CLOSED)
    phases = found.requests["phase"]
    assert (phases == Phase.WARMUP).sum() == 3
    assert (phases[:3] == Phase.WARMUP).all()
    assert result(CLOSED)["requests"]["warmup"] == 3


def test_failed_and_cancelled_requests_are_told_apart(tmp_path: Path) -> None:
    lines = records("aiperf-closed.jsonl")
    whole = [line for line in lines if "error" not in line]
    whole[-1]["metadata"]["was_cancelled"] = True
    whole[-1]["metrics"] = {}
    found = session(write(tmp_path / "cut.jsonl", *lines))
    assert (found.requests["status"] == Status.CUT).sum() == 1
    assert (found.requests["status"] == Status.FAILED).sum() == 2


def test_a_torn_line_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "torn.jsonl"
    path.write_bytes(CLOSED.read_bytes()[:-400])
    found = result(path)
    assert found["requests"]["sent"] == 29
    assert told(found, "1 lines are left out")


def test_the_unit_beside_a_value_is_heeded(tmp_path: Path) -> None:
    lines = records("aiperf-closed.jsonl")
    for line in lines:
        for name in ("time_to_first_token", "request_latency"):
            if metric := line["metrics"].get(name):
                metric |= {"value": metric["value"] / 1e3, "unit": "sec"}
    path = write(tmp_path / "sec.jsonl", *lines)
    assert result(path)["ttft_s"]["mean"] == pytest.approx(result(CLOSED)["ttft_s"]["mean"])
    lines[5]["metrics"]["request_latency"]["unit"] = "fortnight"
    assert told(result(write(path, *lines)), "1 of 33 requests are left out")


def test_without_gaps_itl_is_unknown(tmp_path: Path) -> None:
    lines = records("aiperf-closed.jsonl")
    for line in lines:
        line["metrics"].pop("inter_chunk_latency", None)
    found = result(write(tmp_path / "gapless.jsonl", *lines))
    assert found["itl_s"]["n"] == 0
    assert told(found, "ITL unknown")
    assert found["output_tokens_per_s"] == pytest.approx(result(CLOSED)["output_tokens_per_s"])


def test_what_is_unknown_is_said() -> None:
    found = result(RATE)
    assert told(found, "open-loop lateness unknown")
    assert told(found, "neither the model nor the load")
    waits = [
        line["metadata"]["request_start_ns"] - line["metadata"]["credit_issued_ns"]
        for line in records("aiperf-rate.jsonl")
    ]
    assert told(found, f"up to {np.max(waits) / 1e6:.1f} ms")
    assert percentiles(waits)["p50"] > 0
