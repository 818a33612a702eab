"""Results as vLLM's own benchmark writes them: its shape, and the same numbers read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.doubles.drawing import HOSTILE
from tests.doubles.synthetic import Load, cold_start, frames
from tests.unit.exported import FIXTURE, recorded, strict_json, text_of
from tuiapp import imports
from tuiapp.events import Frame, Kind, Phase, Status
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.reader import load, read_frames
from tuiapp.session.view import View

ARRAYS = ("input_lens", "output_lens", "ttfts", "itls", "latencies", "start_times", "errors")
LOADS = {
    "served": Load(duration_s=30.0, rate=12.0),
    "failed": Load(duration_s=30.0, rate=12.0, failed_share=0.005, seed=4),
}


@pytest.fixture(scope="module", params=[*LOADS, "v1.1"])
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Session:
    if request.param == "v1.1":
        return load(FIXTURE)
    return recorded(tmp_path_factory.mktemp("run") / "run.tuiapp", frames(LOADS[request.param]))


def test_what_is_read_back_has_the_same_percentiles(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(text_of("vllm-bench", session))
    assert imports.detect(path) == "vllm-bench"
    back = load(imports.import_file(path, tmp_path / "back.tuiapp"))
    was = summary(View(session, session.end_ns))
    now = summary(View(back, back.end_ns))
    for name in ("sent", "ok", "failed"):
        assert now["requests"][name] == was["requests"][name]
    for metric in ("ttft", "tpot", "e2el"):
        assert now[f"{metric}_s"]["n"] == was[f"{metric}_s"]["n"]
    if was["requests"]["failed"]:  # whose gaps are in the session's ITL, and not in the file
        was["itl_s"] = summary(View(served := _served(session), served.end_ns))["itl_s"]
    for metric, within in (("ttft", 1e-6), ("tpot", 1e-6), ("e2el", 1e-6), ("itl", 3e-3)):
        for name in ("p50", "p90", "p95", "p99"):
            then, told = was[f"{metric}_s"][name], now[f"{metric}_s"][name]
            assert (told is None) == (then is None)  # infinite: too many requests failed
            assert told is None or told == pytest.approx(then, rel=within, abs=2e-9)
    assert not any("make no sense" in caveat for caveat in now["caveats"])


def _served(session: Session) -> Session:
    """The same run without the deliveries to requests that failed."""
    assert session.path is not None
    found = Session()
    for frame in read_frames(session.path):
        columns = frame.columns
        if frame.kind == Kind.TOKENS:
            kept = session.requests["status"][columns["req"]] == Status.OK
            columns = {name: column[kept] for name, column in columns.items()}
        found.fold(Frame(frame.kind, frame.t0_ns, frame.t1_ns, columns, frame.attrs))
    return found


def test_its_own_statistics_are_those_of_its_arrays(session: Session) -> None:
    told = strict_json(text_of("vllm-bench", session))
    assert {len(told[name]) for name in (*ARRAYS, "generated_texts")} == {told["num_prompts"]}
    served = [at for at, error in enumerate(told["errors"]) if not error]
    assert told["completed"] == len(served)
    assert told["failed"] == told["num_prompts"] - len(served)
    ttfts = [told["ttfts"][at] for at in served]
    itls = [gap for gaps in told["itls"] for gap in gaps]
    for metric, values in (("ttft", ttfts), ("itl", itls)):
        assert told[f"p99_{metric}_ms"] == pytest.approx(np.percentile(values, 99) * 1e3)
        assert told[f"median_{metric}_ms"] == pytest.approx(np.median(values) * 1e3)
    assert told["total_output_tokens"] == sum(told["output_lens"])
    assert told["output_throughput"] == pytest.approx(sum(told["output_lens"]) / told["duration"])
    for at in served:
        assert len(told["itls"][at]) == told["output_lens"][at] - 1
        heard = told["ttfts"][at] + sum(told["itls"][at])
        assert heard == pytest.approx(told["latencies"][at])


def test_a_failed_request_says_so_and_has_no_gaps() -> None:
    session = Session()
    for frame in frames(Load(duration_s=20.0, failed_share=0.2)):
        session.fold(frame)
    told = strict_json(text_of("vllm-bench", session))
    failed = [at for at, error in enumerate(told["errors"]) if error]
    assert len(failed) == summary(View(session, session.end_ns))["requests"]["failed"] > 0
    for at in failed:
        assert told["errors"][at] == "failed"
        assert told["itls"][at] == []
        assert told["latencies"][at] == told["output_lens"][at] == 0


def test_nothing_after_the_cursor_is_told(session: Session) -> None:
    cursor_ns = session.end_ns // 2
    told = strict_json(text_of("vllm-bench", session, cursor_ns))
    ends = [sum(pair) for pair in zip(told["start_times"], told["latencies"], strict=True)]
    table = session.requests
    ended = (table["phase"] == Phase.MEASURE) & (table["t_end_ns"] <= cursor_ns)
    assert told["num_prompts"] == int((ended & (table["t_end_ns"] >= 0)).sum())
    assert max(ends) <= cursor_ns / 1e9


def test_a_first_token_that_nobody_timed_is_no_zero() -> None:
    session, second = Session(), 1_000_000_000
    rows = {
        "req": np.array([0]), "phase": np.array([1]), "status": np.array([int(Status.OK)]),
        "prompt_tokens": np.array([5]), "target_tokens": np.array([7]),
        "output_tokens": np.array([7]), "cached_tokens": np.array([0]),
        "t_sched_ns": np.array([second]), "t_sent_ns": np.array([second]),
        "t_first_ns": np.array([-1]), "t_last_ns": np.array([3 * second]),
        "t_end_ns": np.array([3 * second]),
    }  # fmt: skip
    session.fold(Frame(Kind.META, 0, 0))
    session.fold(Frame(Kind.REQUESTS, 0, 3 * second, rows))
    told = strict_json(text_of("vllm-bench", session))
    assert told["ttfts"] == [None]
    assert told["latencies"] == [2.0]
    assert told["itls"] == [[]]
    assert told["p99_ttft_ms"] is told["p99_tpot_ms"] is told["p99_itl_ms"] is None
    assert told["p99_e2el_ms"] == 2000.0


def test_of_an_empty_session_nothing_is_known() -> None:
    told = strict_json(text_of("vllm-bench", Session()))
    assert told["num_prompts"] == told["completed"] == 0
    assert told["duration"] is told["request_throughput"] is told["p99_ttft_ms"] is None
    assert all(told[name] == [] for name in ARRAYS)


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_model_is_called_the_json_is_valid(text: str) -> None:
    session = Session()
    for frame in cold_start(Load()):
        session.fold(frame)
    session.meta |= {"model": {"name": text}, "workload": {"rate": float("nan"), "arrival": text}}
    told = strict_json(text_of("vllm-bench", session))
    assert "\x1b" not in str(told["model_id"])
    assert json.dumps(told, allow_nan=False)
