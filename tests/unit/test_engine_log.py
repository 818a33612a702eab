"""Lines of the engine's output: cleaned, and read for phases, facts and reasons."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tuiapp
from tuiapp.engine import report as report_module
from tuiapp.errors import EngineError
from tuiapp.events import ENGINE_PHASES
from tuiapp.sources.engine_log import FACTS, LOOK_AT_LOG, PHASES, REPORT, EngineLog, advise
from tuiapp.sources.lines import MAX_LINE, Lines, clean, level

CPU = """\
(EngineCore pid=9587) INFO 11-23 22:56:01 [core.py:133] Initializing a V1 LLM engine (v0.32.0)
(Worker pid=1) INFO 11-23 22:56:17 [cpu_model_runner.py:68] Starting to load model /m...
(Worker pid=1) INFO 11-23 22:56:18 [default_loader.py:501] Loading weights took 0.03 seconds
(Worker pid=1) INFO 11-23 22:56:18 [cpu.py:260] Explicitly set (1.0/8.09) GiB for KV cache on node
(EngineCore pid=1) INFO 11-23 22:56:18 [kv.py:2327] CPU KV cache size: 524,288 tokens, Max
(EngineCore pid=1) INFO 11-23 22:56:22 [core.py:402] init engine (profile, ...) took 3.41 s
"""
GPU = """\
(EngineCore pid=1) INFO 09-01 10:00:00 [gpu.py:5039] Starting to load model Qwen/Qwen3-8B...
(EngineCore pid=1) INFO 09-01 10:00:18 [default_loader.py:314] Loading weights took 17.25 seconds
(EngineCore pid=1) INFO 09-01 10:00:19 [gpu.py:2392] Model loading took 15.2683 GiB memory and 18 s
(EngineCore pid=1) INFO 09-01 10:00:25 [b.py:539] Using cache directory: /c for vLLM's torch.compile
(EngineCore pid=1) INFO 09-01 10:00:30 [backends.py:550] Dynamo bytecode transform time: 5.96 s
(EngineCore pid=1) INFO 09-01 10:01:01 [gpu_worker.py:298] Available KV cache memory: 52.5 GiB
(EngineCore pid=1) INFO 09-01 10:01:01 [kv_cache_utils.py:1028] GPU KV cache size: 382,304 tokens
Capturing CUDA graphs (mixed prefill-decode, PIECEWISE): 100%|###| 67/67 [00:03<00:00]
(EngineCore pid=1) INFO 09-01 10:01:09 [gpu.py:3118] Graph capturing finished in 8 secs, took 1 GiB
"""


def told(text: str, what: str) -> list[dict[str, object]]:
    log = EngineLog()
    return [value for line in text.splitlines() for name, value in log.read(line) if name == what]


def test_phases_of_a_start_on_a_cpu():
    assert [value["phase"] for value in told(CPU, "phase")] == ["weights", "kv_cache"]


def test_phases_of_a_start_on_a_gpu():
    phases = [value["phase"] for value in told(GPU, "phase")]
    assert phases == ["weights", "compile", "kv_cache", "warmup"]


def test_phases_never_go_back():
    assert [value["phase"] for value in told(GPU + GPU, "phase")] == [
        value["phase"] for value in told(GPU, "phase")
    ]


@pytest.mark.parametrize("missing", range(len(GPU.splitlines())))
def test_any_line_may_be_missing(missing: int):
    lines = GPU.splitlines()
    del lines[missing]
    phases = [value["phase"] for value in told("\n".join(lines), "phase")]
    assert phases == sorted(phases, key=ENGINE_PHASES.index)
    assert len(phases) >= 3


def test_facts_come_in_base_units():
    facts: dict[str, float] = {}
    for text in (CPU, GPU):
        for value in told(text, "info"):
            for group in value.values():
                facts.update(group)  # type: ignore[call-overload]
    assert facts == {
        "weights_s": 17.25,
        "kv_cache_tokens": 382_304,
        "kv_cache_bytes": round(52.5 * 2**30),
        "memory_bytes": round(15.2683 * 2**30),
        "graph_capture_s": 8,
    }


@given(st.sampled_from(["KV cache size: {} tokens", "Model loading took {} GiB"]), st.text("0,.9"))
def test_no_number_in_a_line_stops_the_reading(line: str, number: str):
    told(line.format(number), "info")


def test_tables_name_only_known_phases_and_groups():
    assert {phase for _, phase in PHASES} <= set(ENGINE_PHASES)
    assert {group for _, group, _, _ in FACTS} <= {"engine", "model"}


def test_the_cause_is_found_behind_its_consequences():
    log = EngineLog()
    for line in (
        "(EngineCore pid=1) ERROR 09-01 10:00:00 [core.py:935] EngineCore failed to start.",
        "(EngineCore pid=1) ERROR 09-01 10:00:00 [core.py:935] Traceback (most recent call last):",
        "(EngineCore pid=1) ERROR 09-01 10:00:00 [core.py:935] ValueError: To serve at least one "
        "request with the model's max seq len (4096), 1.00 GiB KV cache is needed",
        "RuntimeError: Engine core initialization failed. See root cause above.",
    ):
        log.read(line)
    assert log.take_report(
        REPORT + json.dumps({"reason": "RuntimeError: Engine core ...", "see_log": True})
    )
    reason, advice = log.reason()
    assert reason.startswith("ValueError: To serve at least one request")
    assert advice == "Lower --max-model-len."


def test_the_childs_own_report_wins_when_it_knows():
    log = EngineLog()
    log.read("KeyError: something else")
    log.take_report(REPORT + json.dumps({"reason": "No model.", "advice": "Name one."}))
    assert log.reason() == ("No model.", "Name one.")


@pytest.mark.parametrize("line", [REPORT + "{", REPORT + "[1]", REPORT + "1"])
def test_a_report_that_makes_no_sense_is_swallowed(line: str):
    log = EngineLog()
    assert log.take_report(line)
    assert log.reason() == ("", LOOK_AT_LOG)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig "
            "Value error, Unknown quantization method: x. [type=value_error, input_value=Args",
            "Unknown quantization method: x.",
        ),
        (
            "RuntimeError: Worker failed with error 'No room.', please check the stack trace above",
            "No room.",
        ),
        ("ValueError: as it is", "ValueError: as it is"),
        ("x" * 1000, "x" * 299 + "…"),
    ],
)
def test_reasons_are_unwrapped(reason: str, told: str):
    log = EngineLog()
    log.take_report(REPORT + json.dumps({"reason": reason}))
    assert log.reason()[0] == told


def test_known_reasons_have_advice():
    assert "gpu-memory-utilization" in advise("torch.OutOfMemoryError: CUDA out of memory.")
    assert "HF_TOKEN" in advise("OSError: You are trying to access a gated repo.")
    assert advise("something new") == LOOK_AT_LOG


def test_a_report_survives_the_way_through_the_log():
    code = (
        "from tuiapp.engine.report import report; from tuiapp.errors import EngineError;"
        "report(EngineError('bad\\nmodel \\x1b[31m' + 'ü' * 900, 'do\\tthis'), see_log=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    (line,) = Lines().feed(done.stderr)
    log = EngineLog()
    assert log.take_report(line)
    assert log.report["reason"].startswith("bad model ")
    assert log.report["advice"] == "do this"
    assert log.report["see_log"] is True


def test_bootstrap_and_source_agree_on_the_report():
    bootstrap = Path(tuiapp.__file__).parent / "engine" / "bootstrap.py"
    assert f"\\n{REPORT}" in bootstrap.read_text()
    assert report_module.REPORT == REPORT
    assert str(EngineError("a", "b")) == "a b"


def test_lines_are_cut_across_reads():
    lines = Lines()
    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o\n\n  \nthree") == ["two"]
    assert lines.finish() == ["three"]
    assert lines.finish() == []


def test_a_progress_bar_leaves_its_last_state():
    lines = Lines()
    assert lines.feed(b"\rLoading   0%\rLoading  50%") == []
    assert lines.feed(b"\rLoading 100%\n\rnext\r\n") == ["Loading 100%", "next"]


def test_an_endless_line_is_bounded():
    lines = Lines()
    for _ in range(100):
        lines.feed(b"x" * 100_000)
    (line,) = lines.feed(b"\n")
    assert len(line) == MAX_LINE
    assert line.endswith("…")


def test_an_endless_progress_bar_is_bounded():
    lines = Lines()
    for i in range(10_000):
        lines.feed(b"\rstep %d of many" % i)
    assert len(lines._pending) < 100
    assert lines.feed(b"\n") == ["step 9999 of many"]


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2;0;0;0\x1b\\after", "after"),
        ("\x9b31mc1", "c1"),
        ("a\x00\x07\x08b\x7f", "ab"),
        ("rtl\u202etxt\u2066", "rtltxt"),
        ("tab\there", "tab    here"),
        ("\x1b", ""),
        ("[bold]markup stays text[/bold]", "[bold]markup stays text[/bold]"),
    ],
)
def test_nothing_harmful_is_left(raw: str, plain: str):
    assert clean(raw) == plain


@given(st.binary(max_size=400))
def test_no_bytes_bring_a_control_character_through(data: bytes):
    lines = Lines()
    for line in [*lines.feed(data), *lines.finish()]:
        assert line.isprintable() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in line)
        assert len(line) <= MAX_LINE


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("INFO 11-23 [x.py:1] hello", "info"),
        ("(EngineCore pid=1) WARNING 11-23 [x.py:1] hm", "warning"),
        ("(Worker_TP0 pid=1) ERROR 11-23 [x.py:1] no", "error"),
        ("Traceback (most recent call last):", "error"),
        ("ValueError: no", "error"),
        ("/x.py:138: FutureWarning: `y` is deprecated", "warning"),
        ("anything", "info"),
    ],
)
def test_levels(line: str, expected: str):
    assert level(line) == expected
