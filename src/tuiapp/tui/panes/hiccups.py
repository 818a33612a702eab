"""Stalls of the host in words and signs, for the host pane."""

from __future__ import annotations

from tuiapp.session.stalls import Lateness
from tuiapp.session.view import View
from tuiapp.tui.panes.heatmap import columns_for, longest_stalls
from tuiapp.tui.renderables.heatmap import stall_text
from tuiapp.tui.renderables.numbers import Field, format_ms
from tuiapp.tui.renderables.palette import Ink
from tuiapp.words import plural

_S = 1_000_000_000
_STRIP = 12
"""Cells of the strip of stalls where there is no heatmap."""
_BAD_S = 0.020
_STEP_NS = 10 * _S


def stall_line(view: View) -> tuple[Field, ...]:
    """How late wake-ups were over the window; nothing where there was no meter."""
    meter = _over_window(view)
    if meter is None:
        return ()
    return (
        Field("stall p99", _ms(meter.p99_s), 5, "ms", keep=9, gap=2),
        Field("max", _ms(meter.max_s), 5, ink=_ink(meter.max_s), keep=8, gap=2),
    )


def stall_strip(view: View) -> tuple[Field, ...]:
    """The longest stalls along the window and the longest of all in numbers, as one field.

    A number without its label says nothing: both are in the line, or neither.
    """
    meter = _over_window(view)
    longest = longest_stalls(view, columns_for(view, _STRIP))
    if meter is None or longest is None:
        return ()
    words = f"{stall_text(longest):<{_STRIP}} {_ms(meter.max_s):>5}"
    ink = _ink(meter.max_s)
    return (Field("stall", words, _STRIP + 6, "ms", ink=ink, keep=6, gap=2, align="left"),)


def stall_brief(view: View) -> tuple[Field, ...]:
    """The longest stall of the window, where a line has no room for ``stall_strip``."""
    meter = _over_window(view)
    if meter is None:
        return ()
    return (Field("stall", _ms(meter.max_s), 5, "ms", ink=_ink(meter.max_s), keep=6, gap=2),)


def steady(view: View, before: View | None) -> View:
    """The view at its last full ten seconds that are known; the same object until others are.

    A p-value costs some hundredths of a second and a diagnosis some thousandths, which a redraw
    cannot spare.
    """
    over = bool(view.health.exit_facts)
    # A recording that is still being read is judged anew when more of it is there.
    known_ns = min(view.cursor_ns, view.session.end_ns)
    cursor_ns = view.cursor_ns if over else (known_ns + 1) // _STEP_NS * _STEP_NS - 1
    made = View(view.session, cursor_ns, view.window_ns)
    return before if before is not None and _same(made, before) else made


def _same(a: View, b: View) -> bool:
    return a.session is b.session and (a.cursor_ns, a.window_ns) == (b.cursor_ns, b.window_ns)


def coincidence_lines(view: View) -> list[str]:
    """Whether slow requests met stalls, and what to know about that; over the run."""
    found, meter = view.coincidence, view.lateness(view.run_start_ns)
    lines = []
    if meter is not None:
        count = len(view.stalls(view.run_start_ns)[0])
        lines.append(
            f"stalls under load: {count} of 2 ms or more, wake-ups late by up to "
            f"{_ms(meter.max_s)} ms; "
            f"looked every {meter.period_s * 1e3:.0f} ms, "
            f"looking itself takes {meter.floor_s * 1e3:.2f} ms"
        )
    if found.share is not None and found.by_chance is not None:
        p = "" if found.p_value is None else f" (p {found.p_value:.3f})"
        lines.append(
            f"{round(found.share * found.n)} of {plural(found.n, 'request')} over the SLO "
            f"({found.share * 100:.0f} %) coincide with a host stall, "
            f"{found.by_chance * 100:.1f} % would by chance{p}"
        )
    return lines + [f"stalls and slow requests: {caveat}" for caveat in found.caveats]


def _over_window(view: View) -> Lateness | None:
    """Within the load, once there is one: an engine that starts holds everybody up."""
    after_ns = -1 if view.window_ns is None else view.cursor_ns - view.window_ns
    return view.lateness(max(after_ns, view.run_start_ns))


def _ms(seconds: float) -> str:
    return format_ms(seconds * 1e9).strip()


def _ink(seconds: float) -> Ink:
    return Ink.BAD if seconds >= _BAD_S else Ink.STRONG
