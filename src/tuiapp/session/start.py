"""The engine's cold start: its phases, what each took, and those that did not happen."""

from __future__ import annotations

from dataclasses import dataclass

from tuiapp.events import ENGINE_EXIT, ENGINE_PHASE, ENGINE_PHASES
from tuiapp.session.columns import Session
from tuiapp.session.facts import facts_until, latest

_LABELS = {"kv_cache": "KV cache", "warmup": "warm-up"}

EAGER = "none: eager mode"
UNTOLD = "not told apart"


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """One phase of the cold start; ``duration_ns`` is None while it runs.

    Attributes:
        core: it comes a second time: the engine core is a process of its own.
    """

    name: str
    start_ns: int
    duration_ns: int | None
    core: bool = False

    @property
    def label(self) -> str:
        """How it is called for a reader."""
        return f"{'core ' if self.core else ''}{label(self.name)}"


@dataclass(frozen=True, slots=True)
class Absent:
    """A phase that has not begun; ``why`` it has no time, empty while it is still to come."""

    name: str
    why: str = ""

    @property
    def label(self) -> str:
        """How it is called for a reader."""
        return label(self.name)


def label(name: str) -> str:
    """How a phase is called for a reader."""
    return _LABELS.get(name, name.replace("_", " "))


def cold_start(session: Session, until_ns: int) -> tuple[PhaseSpan, ...]:
    """The phases of the engine's start, in the order in which they began."""
    starts = [
        (str(fact.value.get("phase")), fact.t_ns)
        for fact in facts_until(session, ENGINE_PHASE, until_ns)
        if isinstance(fact.value, dict)
    ]
    exit_fact = latest(session, ENGINE_EXIT, until_ns)
    ends = [*(t_ns for _, t_ns in starts[1:]), exit_fact.t_ns if exit_fact else None]
    spans: list[PhaseSpan] = []
    for (name, start), end in zip(starts, ends, strict=False):
        duration = 0 if name == "ready" else None if end is None else end - start
        again = any(span.name == name for span in spans)
        spans.append(PhaseSpan(name, start, duration, again))
    return tuple(spans)


def cold_start_s(session: Session, until_ns: int) -> dict[str, float]:
    """Seconds each finished phase took; ``ready`` is the total since ``spawn``."""
    spans = cold_start(session, until_ns)
    seconds: dict[str, float] = {}
    for span in spans:
        if span.name in ENGINE_PHASES and span.name != "ready" and span.duration_ns is not None:
            seconds[span.name] = seconds.get(span.name, 0.0) + span.duration_ns / 1e9
    ready = [span.start_ns for span in spans if span.name == "ready"]
    if ready and spans[0].name == ENGINE_PHASES[0]:  # else nobody knows when it began
        seconds["ready"] = (ready[0] - spans[0].start_ns) / 1e9
    return seconds


def left_out(session: Session, until_ns: int) -> dict[str, str]:
    """Why there is no time for a phase: none of its own, by the phases' names, in their order.

    In eager mode vLLM compiles nothing, and its CPU worker warms nothing up either
    (``CPUModelRunner.warming_up_model`` returns at once without a compilation mode). A phase that
    was passed over otherwise was not told apart in the engine's log.
    """
    begun = {span.name for span in cold_start(session, until_ns)}
    if not begun:
        return {}
    reached = max((ENGINE_PHASES.index(name) for name in begun if name in ENGINE_PHASES), default=0)
    engine = session.meta.get("engine")
    engine = engine if isinstance(engine, dict) else {}
    reasons: dict[str, str] = {}
    for at, name in enumerate(ENGINE_PHASES):
        never = ("compile", "warmup") if engine.get("device") == "cpu" else ("compile",)
        if name not in begun and engine.get("enforce_eager") is True and name in never:
            reasons[name] = EAGER
        elif name not in begun and at < reached:
            reasons[name] = UNTOLD
    return reasons


def every_phase(session: Session, until_ns: int) -> tuple[PhaseSpan | Absent, ...]:
    """Each phase but ``ready`` in its place: what began, what is left out, what is to come."""
    spans, reasons = cold_start(session, until_ns), left_out(session, until_ns)
    exit_fact = latest(session, ENGINE_EXIT, until_ns)
    begun = {span.name for span in spans}
    found: list[PhaseSpan | Absent] = list(spans)
    for name in ENGINE_PHASES:
        if name not in begun:
            later = (at for at, phase in enumerate(found) if _rank(phase.name) > _rank(name))
            at = next(later, len(found))
            if at == len(found) and exit_fact is not None:
                break  # what would have come, had it not ended
            found.insert(at, Absent(name, reasons.get(name, "")))
    return tuple(phase for phase in found if phase.name != "ready")


def _rank(name: str) -> int:
    return ENGINE_PHASES.index(name) if name in ENGINE_PHASES else -1
