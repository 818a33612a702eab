"""The last words about an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuiapp.sources.engine_exit import exit_value
from tuiapp.sources.engine_log import REPORT, EngineLog
from tuiapp.sources.memory_kills import MemoryKills
from tuiapp.sources.process import Exit


@pytest.fixture
def vmstat(tmp_path: Path) -> Path:
    path = tmp_path / "vmstat"
    path.write_text("oom_kill 0\n")
    return path


def test_an_end_in_order_needs_no_reason(vmstat: Path):
    value = exit_value(Exit(0, None), asked=False, log=EngineLog(), memory_kills=MemoryKills([]))
    assert value["expected"]
    assert (value["code"], value["reason"]) == (0, "")


def test_a_kill_that_was_asked_for_is_expected():
    killed = Exit(None, "SIGKILL")
    value = exit_value(killed, asked=True, log=EngineLog(), memory_kills=MemoryKills([]))
    assert value["expected"]


@pytest.mark.parametrize(
    ("signal", "advice"),
    [
        ("SIGKILL", "a person, a supervisor or the kernel (see dmesg)."),
        ("SIGTERM", "a person, a supervisor."),
        ("SIGSEGV", "See the engine's log."),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_who_may_have_sent_a_signal_is_told(signal: str, advice: str, inside: bool):
    log = EngineLog()
    status = Exit(1 if inside else None, None if inside else signal)
    if inside:
        log.read(f"EngineDeadError: vLLM's process EngineCore was killed by {signal}.")
        said = {"reason": f"vLLM's process EngineCore was killed by {signal}.", "see_log": True}
        log.take_report(REPORT + json.dumps(said))
    value = exit_value(status, asked=False, log=log, memory_kills=MemoryKills([]))
    assert f"killed by {signal}" in value["reason"]
    assert value["advice"].endswith(advice)


def test_a_failure_after_a_stop_is_still_a_failure():
    log = EngineLog()
    log.take_report(REPORT + json.dumps({"reason": "It broke.", "advice": "Mend it."}))
    value = exit_value(Exit(1, None), asked=True, log=log, memory_kills=MemoryKills([]))
    assert (value["expected"], value["reason"], value["advice"]) == (False, "It broke.", "Mend it.")


def test_a_kill_while_memory_ran_out(vmstat: Path):
    kills = MemoryKills([vmstat])
    vmstat.write_text("oom_kill 1\n")
    value = exit_value(Exit(None, "SIGKILL"), asked=False, log=EngineLog(), memory_kills=kills)
    assert "memory ran out" in value["reason"]


def test_memory_that_ran_out_elsewhere_does_not_hide_a_clear_reason(vmstat: Path):
    kills, log = MemoryKills([vmstat]), EngineLog()
    vmstat.write_text("oom_kill 1\n")
    log.take_report(REPORT + json.dumps({"reason": "There is no model at /x."}))
    value = exit_value(Exit(1, None), asked=False, log=log, memory_kills=kills)
    assert value["reason"] == "There is no model at /x."


def test_the_last_exception_of_the_log_is_better_than_a_number():
    log = EngineLog()
    log.read("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
    value = exit_value(Exit(1, None), asked=False, log=log, memory_kills=MemoryKills([]))
    assert value["reason"].startswith("torch.OutOfMemoryError: CUDA out of memory")
    assert "--gpu-memory-utilization" in value["advice"]


def test_without_any_word_there_is_the_exit_code():
    value = exit_value(Exit(3, None), asked=False, log=EngineLog(), memory_kills=MemoryKills([]))
    assert value["reason"] == "The engine ended with exit code 3."
