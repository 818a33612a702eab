"""The table for people tells of requests and of the run's end what the JSON object tells."""

from __future__ import annotations

import json
import re

from tests.unit.exported import text_of
from tests.unit.test_session_view import NS, fold, request, served
from tuiapp.events import (
    CLIENT_LIMITED,
    ENGINE_EXIT,
    LOAD_STATE,
    Frame,
    Kind,
    Status,
    facts_frame,
    mark_frame,
)


def test_a_recording_that_breaks_off_says_so_and_counts_what_was_cut() -> None:
    running = facts_frame(0, LOAD_STATE, json.dumps({"state": "running"}))
    waiting = request(2, t_sched_ns=3 * NS, t_sent_ns=3 * NS)
    text = text_of("text", fold(running, served(0, NS), served(1, 2 * NS), waiting))
    assert "3 sent, 2 ok, 0 failed, 1 in flight\n" in text
    assert "ended      not within this: the last that is known is " in text


def test_a_dead_engine_is_named_with_its_reason() -> None:
    value = {"signal": "SIGKILL", "expected": False, "reason": "vLLM was killed by SIGKILL."}
    text = text_of("text", fold(served(0, NS), facts_frame(5 * NS, ENGINE_EXIT, json.dumps(value))))
    assert "engine     dead: vLLM was killed by SIGKILL.\n" in text


def test_no_unit_begins_a_line() -> None:
    note = "x " * 20 + "y 12.5 ms z 3.1 %"
    text = text_of("text", fold(Frame(Kind.META, 0, 0, attrs={"note": note}), served(0, NS)))
    assert "12.5 ms" in text
    assert not re.search(r"^ +(ms|%)", text, re.MULTILINE)


def test_a_run_that_ended_in_order_says_nothing_of_it() -> None:
    over = facts_frame(5 * NS, ENGINE_EXIT, json.dumps({"code": 0, "expected": True}))
    text = text_of("text", fold(served(0, NS), over))
    assert "1 sent, 1 ok, 0 failed\n" in text
    assert "ended" not in text
    assert "engine  " not in text


def test_requests_that_were_shortened_to_fit_the_model_are_told() -> None:
    told = facts_frame(0, LOAD_STATE, json.dumps({"state": "running", "shortened": 13}))
    assert "13 requests (the warm-up's included) were shortened" in text_of(
        "text", fold(told, served(0, NS))
    )
    one = facts_frame(0, LOAD_STATE, json.dumps({"state": "running", "shortened": 1}))
    assert "1 request (the warm-up's included) was" in text_of("text", fold(one, served(0, NS)))
    none = facts_frame(0, LOAD_STATE, json.dumps({"state": "running", "shortened": 0}))
    assert "shortened" not in text_of("text", fold(none, served(0, NS)))


def test_how_late_the_driver_was_is_the_worst_and_not_its_onset() -> None:
    onset = {"limited": True, "loop_lag_p99_s": 0.0055, "schedule_lag_p99_s": 0.001}
    limited = facts_frame(NS, CLIENT_LIMITED, json.dumps(onset))
    lags = {"t_ns": [NS // 2, 3 * NS, 4 * NS], "loop_lag_10s_p99_s": [0.4, 0.014, 0.007]}
    later = Frame(Kind.SAMPLES, NS // 2, 4 * NS, lags, {"group": "driver"})
    text = text_of("text", fold(limited, later, served(0, NS)))
    assert "the load driver was late (p99 over 10 s: 14.0 ms)" in " ".join(text.split())


def test_what_is_infinite_is_one_note() -> None:
    lost = [request(at, t_sched_ns=NS, t_sent_ns=NS, t_end_ns=2 * NS, status=Status.FAILED)
            for at in range(1, 4)]  # fmt: skip
    text = text_of("text", fold(served(0, NS), *lost))
    assert text.count("infinite") == 1
    assert "TTFT, TPOT, E2EL: p50, p90, p95 and p99 are infinite: too" in text
    assert [line.split().count("∞") for line in text.splitlines() if line[:4] == "TTFT"] == [4]


def test_marks_and_the_note_are_told() -> None:
    meta = Frame(Kind.META, 0, 0, attrs={"note": "a quiet day"})
    marks = [mark_frame(round(t_s * NS), f"at {t_s}") for t_s in (0.5, 59.97, 3661.25)]
    text = text_of("text", fold(meta, served(0, NS), *marks))
    assert text.endswith(
        "about      a quiet day\nmark       0:00.5  at 0.5\nmark       1:00.0  at 59.97\n"
        "mark       1:01:01.2  at 3661.25\n"
    )
    many = text_of("text", fold(served(0, NS), *(mark_frame(at * NS, "x") for at in range(60))))
    assert many.count("\nmark ") == 50
    assert many.endswith("           and 10 marks more\n")
