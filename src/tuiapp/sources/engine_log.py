"""What the engine's own output tells: phases of the cold start, facts, and why it failed.

vLLM's wording changes between releases, so every table may miss: then a phase is skipped or a
fact unknown, and nothing else happens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from tuiapp.events import ENGINE_PHASES

REPORT = "tuiapp-report: "
"""Begins the line in which the child itself says why it ends."""

PHASES: tuple[tuple[str, str], ...] = (
    (r"Starting to load model|Loading model from|Loading safetensors checkpoint", "weights"),
    (r"Starting torch\.compile|Using cache directory: .* for vLLM's torch\.compile", "compile"),
    (r"Dynamo bytecode transform time|Directly load .*compil|Compiling a graph", "compile"),
    (r"Warming up model for the compilation", "compile"),
    (r"Available KV cache memory|KV cache size:|GiB for KV cache", "kv_cache"),
    (r"Capturing CUDA graphs?|FlashInfer autotune|kernel warmup starting", "warmup"),
    (r"Compile and warming up model for size|Warming up (?!model for)", "warmup"),
)
"""Line to phase: the first pattern that is found in the line tells which phase has begun."""

_N = r"(\d{1,12}(?:\.\d{1,9})?)"
FACTS: tuple[tuple[str, str, str, float], ...] = (
    (r"KV cache size: (\d[\d,]{0,18}) tokens", "engine", "kv_cache_tokens", 1),
    (rf"Available KV cache memory: {_N} GiB", "engine", "kv_cache_bytes", 1 << 30),
    (rf"\({_N}/[\d.]+\) GiB for KV cache", "engine", "kv_cache_bytes", 1 << 30),
    (rf"Model loading took {_N} Gi?B", "model", "memory_bytes", 1 << 30),
    (rf"Loading weights took {_N} seconds", "engine", "weights_s", 1),
    (rf"torch\.compile takes? {_N} s|\(compilation: {_N} s", "engine", "compile_s", 1),
    (rf"Graph capturing finished in {_N} secs", "engine", "graph_capture_s", 1),
)
"""Pattern of a line, then the group, name and unit (in base units) of the number in it."""

ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"(?i)out of memory|No available memory for the cache blocks|less than desired .*memory"
        r"|is larger than the (maximum|available)|less than requested memory",
        "Lower --gpu-memory-utilization or --max-model-len, use a smaller or quantized model, or "
        "free memory.",
    ),
    (
        r"(?i)gated repo|401 Client Error|403 Client Error|access to model .* is restricted",
        "Accept the model's terms on huggingface.co and set HF_TOKEN.",
    ),
    (
        r"(?i)couldn't connect|Max retries exceeded|Name or service not known|OfflineMode"
        r"|Repository Not Found|404 Client Error|could not be downloaded",
        "Check the model's name and the network, or name a local folder.",
    ),
    (r"(?i)max_model_len|max seq len", "Lower --max-model-len."),
    (r"(?i)No space left", "Free space on the disk, or set HF_HOME to another one."),
    (
        r"(?i)no CUDA|NVIDIA driver|libcuda",
        "Check `nvidia-smi`: the driver may be missing or too old for this vLLM.",
    ),
    (r"(?i)trust_remote_code", "Add `-- --trust-remote-code` if you trust the model's code."),
)
"""Pattern of a reason, and what to do about it."""

LOOK_AT_LOG = "See the engine's log."

_PHASES = tuple((re.compile(pattern), phase) for pattern, phase in PHASES)
_FACTS = tuple((re.compile(pattern), group, name, unit) for pattern, group, name, unit in FACTS)
_EXCEPTION = re.compile(
    r"(?:^|\] )((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Refused)\b: .+)"
)
_WRAPPINGS = (
    re.compile(r"\S*ValidationError: \d+ validation errors? for \w+ (?:Value error, )?(.+)"),
    re.compile(r"(.+?) \[type=\w+, input_value="),
    re.compile(r"\S*Error: Worker failed with error '(.+)', please check the stack trace"),
)
_MAX_REASON = 300
_CONSEQUENCES = re.compile(
    r"Engine core initialization failed|EngineDeadError|WorkerProc initialization failed"
    r"|EngineCore encountered an issue|EngineGenerateError|cancelled|leaked "
)


class EngineLog:
    """Reads the engine's lines one by one and remembers what they told."""

    def __init__(self) -> None:
        self.report: dict[str, Any] = {}
        self._phase = 0
        self._exception = ""

    def read(self, text: str) -> Iterable[tuple[str, dict[str, Any]]]:
        """Take one line in.

        Returns:
            ``("phase", {"phase": ...})`` and ``("info", {group: {name: value}})`` pairs.
        """
        found: list[tuple[str, dict[str, Any]]] = []
        phase = self._later_phase(text)
        if phase:
            found.append(("phase", {"phase": phase}))
        for pattern, group, name, unit in _FACTS:
            if match := pattern.search(text):
                found.append(("info", {group: {name: _number(match, unit)}}))
        exception = _EXCEPTION.search(text)
        if exception and not _CONSEQUENCES.search(text):
            self._exception = exception[1]
        return found

    def take_report(self, text: str) -> bool:
        """Whether the line is the child's own report, which is then kept and no log line."""
        if not text.startswith(REPORT):
            return False
        try:
            report = json.loads(text.removeprefix(REPORT))
        except ValueError:
            return True
        if isinstance(report, dict):
            self.report = report
        return True

    def reason(self) -> tuple[str, str]:
        """(reason, advice) for an end that nobody asked for; reason is empty when unknown."""
        reason = str(self.report.get("reason", ""))
        if reason and not self.report.get("see_log"):
            advice = str(self.report.get("advice", "")) or advise(reason)
            return plain(reason), advice
        reason = self._exception or reason
        return plain(reason), advise(reason)

    def _later_phase(self, text: str) -> str:
        """A phase that is later than all before; workers repeat each other's lines."""
        for pattern, phase in _PHASES:
            if pattern.search(text):
                index = ENGINE_PHASES.index(phase)
                if index <= self._phase:
                    return ""
                self._phase = index
                return phase
        return ""


def advise(reason: str) -> str:
    """What to do about ``reason``."""
    for pattern, advice in ADVICE:
        if re.search(pattern, reason):
            return advice
    return LOOK_AT_LOG


def plain(reason: str) -> str:
    """``reason`` without the wrapping of the libraries it came through, and not too long."""
    for pattern in _WRAPPINGS:
        if match := pattern.match(reason):
            reason = match[1]
    return reason if len(reason) <= _MAX_REASON else reason[: _MAX_REASON - 1].rstrip() + "…"


def _number(match: re.Match[str], unit: float) -> float:
    text = next(group for group in match.groups() if group is not None).replace(",", "")
    return round(float(text) * unit) if unit != 1 or text.isdigit() else float(text)
