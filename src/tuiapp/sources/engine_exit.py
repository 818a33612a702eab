"""How an engine ended, and what to do about it: the value of the ENGINE_EXIT fact."""

from __future__ import annotations

import re
from typing import Any

from tuiapp.sources.engine_log import LOOK_AT_LOG, EngineLog
from tuiapp.sources.memory_kills import MemoryKills
from tuiapp.sources.process import Exit

_SENT = re.compile(r"killed by (SIGKILL|SIGTERM|SIGINT|SIGHUP)")
_KILLED = re.compile(r"SIGKILL|died unexpectedly|exit code")


def exit_value(
    status: Exit,
    *,
    asked: bool,
    log: EngineLog,
    memory_kills: MemoryKills,
    ready: bool = True,
) -> dict[str, Any]:
    """``{"code", "signal", "expected", "reason", "advice"}``.

    Args:
        status: how the child itself ended.
        asked: whether somebody wanted it to end.
        log: what it wrote.
        memory_kills: whether memory ran out since its start.
        ready: whether it ever served; what ends well without having done so was no engine.
    """
    expected = (status.code == 0 and (ready or asked)) or (asked and not log.report)
    value = {"code": status.code, "signal": status.signal, "expected": expected}
    reason, advice = ("", "") if expected else _why(status, log, memory_kills)
    return {**value, "reason": reason, "advice": advice}


def not_started(python: str, error: OSError) -> dict[str, Any]:
    """The same, for a child that cannot be started with interpreter ``python``."""
    place = str(error.filename or python)
    is_python = place == python
    return {
        "code": None,
        "signal": None,
        "expected": False,
        "reason": f"{place} cannot be {'run' if is_python else 'written'}: {error.strerror}.",
        "advice": "Name a Python that has vLLM with --engine-python."
        if is_python
        else "Free space there, or set TMPDIR to another folder.",
    }


def _why(status: Exit, log: EngineLog, memory_kills: MemoryKills) -> tuple[str, str]:
    reason, advice = log.reason()
    if status.signal is not None:
        reason, advice = f"The engine's process was killed by {status.signal}.", LOOK_AT_LOG
    if _KILLED.search(reason) and memory_kills.seen():
        return (
            "The kernel killed the engine because memory ran out.",
            "Use a smaller model or KV cache, or free memory.",
        )
    if advice == LOOK_AT_LOG and (sent := _SENT.search(reason)):
        kernel = " or the kernel (see dmesg)" if sent[1] == "SIGKILL" else ""
        advice = f"Something outside tuiapp sent {sent[1]}: a person, a supervisor{kernel}."
    return reason or f"The engine ended with exit code {status.code}.", advice
