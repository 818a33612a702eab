"""Results of ``vllm bench serve``: the same numbers, and what the file does not tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.imported import (
    FIXTURES,
    QUANTILES,
    fixture,
    percentiles,
    result,
    session,
    told,
    write,
)
from tuiapp import imports
from tuiapp.errors import SessionError, UsageError
from tuiapp.events import UNSET, Status

RATE = FIXTURES / "vllm-rate.json"
LIMITED = FIXTURES / "vllm-limited.json"
FAILURES = FIXTURES / "vllm-failures.json"
BIN, LOWEST_S = 0.003, 1e-6
"""ITL is counted in bins that wide; what lies below the lowest of them shares one."""


@pytest.mark.parametrize("metric", ["ttft", "tpot", "e2el"])
def test_percentiles_are_those_that_the_file_states(metric: str) -> None:
    file, found = fixture("vllm-rate.json"), result(RATE)[f"{metric}_s"]
    assert found["mean"] == pytest.approx(file[f"mean_{metric}_ms"] / 1e3, rel=1e-6)
    for name, q in QUANTILES.items():
        assert found[name] == pytest.approx(file[f"p{q}_{metric}_ms"] / 1e3, rel=1e-6)


@pytest.mark.parametrize("name", ["vllm-rate.json", "vllm-limited.json", "vllm-failures.json"])
def test_itl_is_what_the_file_states_but_for_its_bins(name: str) -> None:
    file, found = fixture(name), result(FIXTURES / name)["itl_s"]
    assert found["n"] == sum(len(gaps) for gaps in file["itls"])
    for quantile, q in QUANTILES.items():
        stated = file[f"p{q}_itl_ms"] / 1e3
        assert found[quantile] == pytest.approx(stated, rel=BIN, abs=LOWEST_S)


@pytest.mark.parametrize("name", ["vllm-rate.json", "vllm-limited.json", "vllm-failures.json"])
def test_throughput_is_what_the_file_states(name: str) -> None:
    file, found = fixture(name), result(FIXTURES / name)
    assert found["output_tokens_per_s"] == pytest.approx(file["output_throughput"], rel=1e-6)
    assert found["measured_s"] == pytest.approx(file["duration"], rel=1e-6)
    ended = file["completed"] + file["failed"]
    assert found["requests_per_s"] == pytest.approx(ended / file["duration"], rel=1e-6)


def test_a_limit_on_concurrency_does_not_hide_the_queue_in_the_client() -> None:
    file, found = fixture("vllm-limited.json"), result(LIMITED)
    waits = np.array(file["queue_times"])
    assert waits.max() > 0.1
    for metric, column in (("ttft", "ttfts"), ("e2el", "latencies")):
        stated = percentiles(np.array(file[column]) + waits)
        for name, value in stated.items():
            assert found[f"{metric}_s"][name] == pytest.approx(value, rel=1e-6)
    assert told(found, "wait for a slot", "--max-concurrency")
    assert not told(found, "lateness unknown")


def test_failed_requests_count_as_infinite_and_not_as_zero() -> None:
    file, found = fixture("vllm-failures.json"), result(FAILURES)
    assert found["requests"]["failed"] == file["failed"] == 7
    assert found["requests"]["ok"] == file["completed"]
    assert found["ttft_s"]["n"] == len(file["ttfts"])
    served = [ttft for ttft, error in zip(file["ttfts"], file["errors"], strict=True) if not error]
    expected = np.percentile(served + [np.inf] * 7, 50, method="linear")
    assert found["ttft_s"]["p50"] == pytest.approx(expected, rel=1e-6)
    assert found["ttft_s"]["p99"] is None
    assert found["ttft_s"]["mean"] == pytest.approx(file["mean_ttft_ms"] / 1e3, rel=1e-6)


def test_a_request_that_failed_after_its_first_token_has_one(tmp_path: Path) -> None:
    file = fixture("vllm-rate.json")
    file["errors"][3], file["latencies"][3], file["output_lens"][3] = "Connection lost", 0.0, 0
    found = session(write(tmp_path / "r.json", file))
    failed = np.flatnonzero(found.requests["status"] == Status.FAILED)
    assert len(failed) == 1
    assert found.requests["t_first_ns"][failed[0]] != UNSET
    heard = file["ttfts"][3] + sum(file["itls"][3])
    lived = found.requests["t_end_ns"] - found.requests["t_sent_ns"]
    assert lived[failed[0]] / 1e9 == pytest.approx(heard, abs=1e-8)
    assert failed[0] not in found.ring.held()[0]


def test_requests_are_numbered_by_arrival_and_keep_their_counts() -> None:
    file, table = fixture("vllm-rate.json"), session(RATE).requests
    order = np.argsort(file["start_times"], kind="stable")
    assert table["prompt_tokens"].tolist() == np.array(file["input_lens"])[order].tolist()
    assert table["output_tokens"].tolist() == np.array(file["output_lens"])[order].tolist()
    starts = np.array(file["start_times"])[order]
    sent = table["t_sent_ns"] - table["t_sent_ns"][0]
    assert sent / 1e9 == pytest.approx(starts - starts[0], abs=1e-8)


def test_deliveries_hold_every_token_even_where_chunks_held_several(tmp_path: Path) -> None:
    file = fixture("vllm-rate.json")
    gaps = file["itls"][0]
    file["itls"][0] = [sum(gaps[at : at + 4]) for at in range(0, len(gaps), 4)]
    path = write(tmp_path / "bundled.json", file)
    found = session(path)
    req, _, n = found.ring.held()
    assert np.bincount(req, n).astype(int).tolist() == found.requests["output_tokens"].tolist()
    assert told(result(path), "1 requests got several tokens at a time")
    assert not told(result(RATE), "several tokens")


def without(file: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in file.items() if name not in names}


OLDER = {
    "with start_times": ("latencies", "queue_times"),
    "without": ("latencies", "queue_times", "start_times", "failed", "endpoint_type", "label"),
}


@pytest.mark.parametrize("version", OLDER)
def test_results_of_older_versions_have_the_same_latencies(version: str, tmp_path: Path) -> None:
    file = without(fixture("vllm-rate.json"), *OLDER[version])
    old, new = result(write(tmp_path / "old.json", file)), result(RATE)
    for metric in ("ttft_s", "tpot_s", "itl_s", "e2el_s"):
        for name in QUANTILES:
            # Without start_times, another tick may hold a gap; the counts are the same.
            assert old[metric][name] == pytest.approx(new[metric][name], rel=1e-6)
    assert old["output_tokens_per_s"] == pytest.approx(new["output_tokens_per_s"], rel=1e-6)
    assert told(old, "does not tell when requests were sent") == (version == "without")


def test_the_header_tells_what_the_file_tells() -> None:
    meta = session(LIMITED).meta
    assert meta["model"] == {"name": "demo"}
    assert meta["imported"]["from"] == "vllm-bench"
    assert meta["imported"]["date"].startswith("2026")
    assert meta["workload"]["rate"] == 20.0
    assert meta["workload"]["concurrency"] == 4
    assert "host" not in meta
    assert "created_ns" not in meta


def test_an_unlimited_rate_and_a_limit_on_concurrency_are_a_closed_loop(tmp_path: Path) -> None:
    file = fixture("vllm-limited.json") | {"request_rate": "inf"}
    path = write(tmp_path / "closed.json", file)
    assert session(path).meta["workload"]["arrival"] == "closed"
    found = result(path)
    assert found["ttft_s"]["p99"] == pytest.approx(file["p99_ttft_ms"] / 1e3, rel=1e-6)
    assert not told(found, "lateness unknown")


def test_an_undetailed_result_says_which_option_to_give(tmp_path: Path) -> None:
    file = without(fixture("vllm-rate.json"), "ttfts", "itls", "output_lens", "start_times")
    path = write(tmp_path / "short.json", file)
    assert imports.detect(path) == "vllm-bench"
    with pytest.raises(SessionError, match=r"lacks what each request did.*--save-detailed"):
        result(path)


def test_of_several_appended_results_one_is_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "both.json", fixture("vllm-rate.json"), fixture("vllm-limited.json"))
    assert imports.parts(path) == ["demo at 4 req/s", "demo at 20 req/s"]
    with pytest.raises(UsageError, match=r"holds 2 runs.*0 \(demo at 4 req/s\)"):
        result(path)
    assert result(path, 1)["ttft_s"] == result(LIMITED)["ttft_s"]


@pytest.mark.parametrize("value", [float("nan"), -1.0, 1e30, "1", None, True, [1.0]])
@pytest.mark.parametrize("name", ["ttfts", "start_times", "latencies"])
def test_a_number_that_makes_no_sense_costs_its_request_only(
    name: str, value: Any, tmp_path: Path
) -> None:
    file = fixture("vllm-rate.json")
    file[name][5] = value
    found = result(write(tmp_path / "odd.json", file))
    assert found["requests"]["sent"] == 39
    assert told(found, "1 of 40 requests are left out")
    kept = [ttft for at, ttft in enumerate(file["ttfts"]) if at != 5]
    for quantile, expected in percentiles(kept).items():
        assert found["ttft_s"][quantile] == pytest.approx(expected, rel=1e-6)


def test_no_request_that_makes_sense_is_one_clear_sentence(tmp_path: Path) -> None:
    file = fixture("vllm-rate.json") | {"ttfts": [-1] * 40}
    with pytest.raises(SessionError, match="no request that can be used"):
        result(write(tmp_path / "none.json", file))
