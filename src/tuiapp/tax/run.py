"""Runs the probes one after the other, and judges how quiet the machine was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tuiapp.clock import monotonic_ns, sleep_s
from tuiapp.errors import Unavailable
from tuiapp.registry import resolve
from tuiapp.tax import steal
from tuiapp.tax.report import Result, Tax

_LOOK_S = 0.2
_BUSY = 0.2
_NOISY = 0.25


def run(
    probes: Mapping[str, str],
    progress: Callable[[str], None],
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Tax:
    """Every probe's result, or why there is none.

    Args:
        options: what a probe is told, by its name.
    """
    told = options or {}
    start_ns = monotonic_ns()
    results: dict[str, Result] = {}
    unknown: dict[str, str] = {}
    caveats = _busy_before()
    before = _ticks(unknown)
    for name, place in probes.items():
        progress(name.replace("_", " "))
        function = resolve(place)
        try:
            results[name] = function(**told.get(name, {}))
        except Unavailable as reason:
            unknown[name] = reason.message
        except Exception as error:  # noqa: BLE001 - one probe must not cost the others
            unknown[name] = f"{type(error).__name__}: {error}"
    if before is not None:
        try:
            results["steal"] = steal.between(before, steal.read())
        except Unavailable as reason:
            unknown["steal"] = reason.message
    caveats += [
        f"{name.replace('_', ' ')}: its two halves differ by {result.noise * 100:.0f} %"
        for name, result in results.items()
        if result.noise is not None and result.noise > _NOISY
    ]
    caveats += [
        f"{name.replace('_', ' ')}: {caveat}"
        for name, result in results.items()
        for caveat in result.caveats()
    ]
    return Tax(results, unknown, tuple(caveats), (monotonic_ns() - start_ns) / 1e9)


def _ticks(unknown: dict[str, str]) -> steal.Ticks | None:
    try:
        return steal.read()
    except Unavailable as reason:
        unknown["steal"] = reason.message
        return None


def _busy_before() -> list[str]:
    """A caveat when others were busy while we did nothing."""
    try:
        before = steal.read()
        sleep_s(_LOOK_S)
        busy = steal.between(before, steal.read()).busy
    except Unavailable:
        return []
    if busy <= _BUSY:
        return []
    return [
        f"the machine was busy before it began ({busy * 100:.0f} % of its CPUs): measure it at rest"
    ]
