"""A comparison as one JSON object; documented in ``docs/compare.md``."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from tuiapp.compare.answer import Answer
from tuiapp.compare.causes import Cause
from tuiapp.compare.comparison import Row
from tuiapp.compare.quantities import FAMILY_LEVEL, LEVEL
from tuiapp.compare.runs import Run

SCHEMA = "tuiapp.compare/1"


def text(answer: Answer) -> str:
    """The object, indented."""
    return json.dumps(as_json(answer), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_json(answer: Answer) -> dict[str, Any]:
    """JSON-ready values; what is unknown or infinite is null, and ``why`` says it."""
    comparison = answer.comparison
    found = comparison.gate
    return {
        "schema": SCHEMA,
        "margin": comparison.margin,
        "level": LEVEL,
        "family_level": FAMILY_LEVEL,
        "exit_code": comparison.exit_code,
        "scope": comparison.scope,
        "gate": {
            "open": found.open,
            "differences": [
                {"field": d.field, "a": d.a, "b": d.b, "kind": d.kind} for d in found.differences
            ],
            "mixed": list(found.mixed),
            "unknown": list(found.unknown),
            "missing": list(found.missing),
        },
        "a": [_run(run) for run in comparison.a],
        "b": [_run(run) for run in comparison.b],
        "rows": [_row(row) for row in comparison.rows],
        "cost": None if answer.bill is None else _plain(asdict(answer.bill)),
        "advice": [asdict(advice) for advice in answer.advice],
        "causes": [_cause(cause) for cause in answer.causes],
        "noise": {
            side: None if noise is None else {**asdict(noise), "spread": dict(noise.spread)}
            for side, noise in zip("ab", comparison.noise, strict=True)
        },
        "caveats": list(comparison.caveats),
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "file": str(run.path),
        "requests": run.requests,
        "failed": run.failed,
        "values": {name: _finite(value) for name, value in run.values.items()},
        "caveats": list(run.caveats),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "quantity": row.quantity.name,
        "higher_is_better": row.quantity.higher_is_better,
        "a": _finite(row.a),
        "b": _finite(row.b),
        "ratio": row.ratio,
        "interval": None if row.interval is None else list(row.interval),
        "method": row.method or None,
        "robust_ratio": row.robust_ratio,
        "runs": list(row.runs),
        "verdict": row.verdict,
        "why": row.why or None,
        "runs_needed": row.runs_needed,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "rule": cause.rule,
        "side": cause.side,
        **{
            side: {
                "title": seen.finding.title,
                "severity": seen.finding.severity,
                "evidence": seen.finding.evidence,
                "causes": seen.causes,
                "runs": seen.runs,
            }
            for side, seen in (("a", cause.a), ("b", cause.b))
        },
        "advice": cause.here.finding.advice,
    }


def _plain(value: Any) -> Any:
    """Tuples as lists, infinities as null."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
