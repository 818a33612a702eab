"""Is it the engine's settings or the load driver, rather than the host?"""

from __future__ import annotations

from tuiapp.diagnosis.finding import BAD, WARN, Finding, fine, unknown
from tuiapp.diagnosis.reading import NOT_TOLD, flag, known, mapping, text, why
from tuiapp.diagnosis.seen import Seen
from tuiapp.events import LAG_BOUNDS_S, LAG_P99S_S

_SPECULATIVE = "--speculative-config"


def engine(view: Seen) -> Finding | None:
    """Settings that cost latency, and that must be equal on two hosts; None without an engine."""
    facts = mapping(view.meta, "engine")
    if not facts:
        return None
    device, eager = text(facts, "device"), flag(facts, "enforce_eager")
    prefix = flag(facts, "prefix_caching")
    if not device or (eager is None and prefix is None):
        return unknown("engine", "engine settings", NOT_TOLD)
    given = facts.get("args")
    words = given[:500] if isinstance(given, list | tuple) else ()
    speculative = any(text({"word": word}, "word").split("=")[0] == _SPECULATIVE for word in words)
    evidence = f"{text(facts, 'name')} {text(facts, 'version')} on {device}, eager {_yes(eager)}, "
    evidence += f"prefix cache {_yes(prefix)}, speculation {_yes(speculative)} (engine's own word)"
    if eager and device != "cpu":
        advice = "Leave --enforce-eager out: without CUDA graphs each step costs launches."
        return Finding("engine", WARN, "eager mode on a GPU", evidence, advice, 0.5)
    if prefix is False:
        advice = "Leave --no-enable-prefix-caching out, unless no prompts begin alike."
        return Finding("engine", WARN, "no prefix cache", evidence, advice, 0.2)
    return fine("engine", "engine settings", evidence)


def client(view: Seen) -> Finding | None:
    """Whether the load driver was late: then latencies are overstated; None without a driver."""
    if "driver" not in view.groups("driver"):
        return None
    if view.client_limited is None:
        return unknown("client", "load driver", "the measured load has not begun")
    told = zip(LAG_BOUNDS_S, LAG_P99S_S, strict=True)
    lags = {name: known(view, "driver", p99) for name, p99 in told}
    late = {name: float(lag.max()) for name, lag in lags.items() if len(lag)}
    if not late:
        return unknown("client", "load driver", why(view, "driver"))
    evidence = ", ".join(
        f"{name.removesuffix('_s').replace('_', ' ')} p99 over 10 s up to {value * 1e3:.1f} ms "
        f"(bound {LAG_BOUNDS_S[name] * 1e3:.0f})"
        for name, value in late.items()
    )
    if not view.client_limited and all(value <= LAG_BOUNDS_S[name] for name, value in late.items()):
        return fine("client", "load driver in time", evidence)
    advice = "Latencies are overstated: lower the rate, or give the load driver a core."
    return Finding("client", BAD, "load driver late", evidence, advice, 0.6)


def _yes(value: bool | None) -> str:
    return "unknown" if value is None else "on" if value else "off"
