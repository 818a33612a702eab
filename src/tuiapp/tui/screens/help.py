"""What each number means, and every key."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tuiapp.tui.panes import PANE_KEYS, PANES, pane_class
from tuiapp.tui.screens.session import SessionScreen

_TERMS = (
    ("TTFT", "time to first token: first output token − intended arrival. A late send, a queue "
             "or a stall all count: nothing hides behind a slow client."),
    ("TPOT", "time per output token after the first: (last − first token) / (tokens − 1), one "
             "value a request."),
    ("ITL", "inter-token latency: every gap between two deliveries of tokens, counted in bins "
            "0.27 % wide."),
    ("E2EL", "end-to-end latency: last token − intended arrival."),
    ("p50, p90, p99", "the value that 50, 90, 99 % of requests stay under; red where it misses "
                      "its objective."),
    ("(a–b)", "the 95 % interval of p99: exact, for independent requests; for ITL from the "
              "differences between time blocks."),
    ("(a–b) −8s", "an interval of ITL is renewed every ten seconds, less often in runs over ten "
                  "minutes: this one ends 8 s before the other numbers."),
    ("too short", "an interval of ITL needs 30 time blocks with gaps, each of half a second or "
                  "longer."),
    ("too dependent", "slow gaps came in so few clusters that no interval of p99 is honest."),
    ("too few: n/368", "under 368 requests no such interval of p99 exists."),
    ("†", "p99 has no interval, for one of these three reasons."),
    ("∞", "a request that failed or never finished counts as infinitely late."),
    ("n", "how many requests (for ITL: gaps) the numbers rest on."),
    ("bright over dim", "the window over the whole run, each drawn to its own height: where the "
                        "bright one moves off the dim one, latency is drifting."),
    ("◂3  3▸", "values left and right of the axis; the right one also counts failures."),
    ("SLO, good", "objectives given with --slo, ms; good: requests a second that met all of them."),
    ("queue", "from the engine's queue to being scheduled first."),
    ("prefill", "from being scheduled to the first token computed."),
    ("rest", "what else is in TTFT: getting to the engine, and the token getting back."),
    ("out, in", "output tokens delivered and prompt tokens prefilled a second, over the last ten "
                "seconds; of a finished run, over all of it."),
    ("run, wait", "requests the engine computes, and those it keeps waiting."),
    ("KV", "share of the KV cache in use."),
    ("hit", "share of prompt tokens that the prefix cache already had."),
    ("sent, done, failed", "requests of the measured load; until it begins, those of the warm-up."),
    ("20 shortened", "requests whose prompt or answer was cut to fit the model's longest input."),
    ("preempted", "requests thrown back into the queue for want of KV cache."),
    ("oldest", "how long the longest-waiting request has been without a token."),
    ("cpu, mem", "share of all cores that is busy; share of memory that is not available."),
    ("steal", "time the hypervisor gave our CPUs to somebody else."),
    ("why slow", "what most likely makes this host slow; w lists all that was looked at, with "
                 "evidence and advice."),
    ("stall p99, max", "how late a process of ours wakes up that only sleeps, over the window: "
                       "what the host takes away without saying. The pane's full screen says how "
                       "often it looks and whether slow requests coincide with stalls."),
    ("stall ▁▂▅█", "under the heatmap, and in the host's line at 80 columns: the longest stall of "
                   "that time, ▁ from 2 ms, ▅ from 20 ms (red), █ from 112 ms; ╱ nobody looked."),
    ("by chance", "the share of slow requests that would overlap a stall if the same stalls came "
                  "at any other time; p: how often chance alone brings as many."),
    ("load", "processes running or waiting for a core or a disk, mean of the last minute."),
    ("engine, rss, procs", "CPU cores, memory and number of the engine's processes."),
    ("tuiapp", "CPU this program itself takes, 100 % is one core."),
    ("GPU busy", "share of time in which any kernel ran; says little about how much of the GPU."),
    ("power, SM, PCIe", "now, and what the device allows; amber where it is at the limit or below "
                        "what the slot could."),
    ("throttled", "what holds the clocks back: power cap, heat, a slowdown by the hardware."),
    ("heatmap", "requests by moment and latency; hatched: nothing is known; ⚑ a mark; ✗ a "
                "failure."),
    ("silent", "requests are in flight and nothing has come for three seconds."),
    ("client-limited", "the load driver itself was late: the numbers overstate latency."),
    ("◉", "what is recorded so far. Every sample is, whatever the screen shows."),
    ("—", "not known; never zero. The pane's full screen says why."),
)  # fmt: skip
_MOUSE = (
    ("click", "a pane takes the focus; a key below is pressed; a request is selected"),
    ("double click", "on a request: its detail"),
    ("click the heatmap", "go to that moment"),
    ("drag the strip", "of a replay: seek"),
)
_KEY_CELLS, _TERM_CELLS = 20, 20


class HelpScreen(ModalScreen[None]):
    """Definitions, keys of the screen it covers, and panes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "back")
    ]

    def __init__(self, covered: Screen[None]) -> None:
        super().__init__()
        self._covered = covered
        self._width = 0

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = "escape goes back, ↑↓ PgUp PgDn scroll"
            yield Static(id="help-text", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        """Lines as wide as the dialog, those that go on indented."""
        width = self.query_one(".dialog").scrollable_content_region.width
        if width and width != self._width:
            self._width = width
            self.query_one("#help-text", Static).update(self._text(width))

    def _text(self, width: int) -> str:
        panes = [
            (f"{PANE_KEYS[name]}  {kind.TITLE}", (kind.__doc__ or "").strip().splitlines()[0])
            for name, kind in ((name, pane_class(name)) for name in PANES)
        ]
        terms, mouse = (
            getattr(self._covered, name, default)
            for name, default in (("TERMS", _TERMS), ("MOUSE", _MOUSE))
        )
        sections: list[tuple[str, Sequence[tuple[str, str]], int]] = [
            ("NUMBERS", terms, _TERM_CELLS),
            ("KEYS", self._keys(), _KEY_CELLS),
        ]
        if isinstance(self._covered, SessionScreen):
            head = "PANES: the key gives one the whole screen; again, or escape, takes it back"
            sections += [("MOUSE", mouse, _KEY_CELLS), (head, panes, 24)]
        elif mouse is not _MOUSE:
            sections.append(("MOUSE", mouse, _KEY_CELLS))
        else:
            sections.reverse()
        lines: list[str] = []
        for head, entries, indent in sections:
            lines += [*textwrap.wrap(head, width), ""]
            for term, text in entries:
                lines += _hanging(term, text, indent, width)
            lines.append("")
        return "\n".join(lines)

    def _keys(self) -> list[tuple[str, str]]:
        shown: dict[str, list[str]] = {}
        kinds = (*reversed(type(self._covered).__mro__), *reversed(type(self.app).__mro__))
        given = [binding for kind in kinds if kind.__module__.startswith("tuiapp.")
                 for binding in vars(kind).get("BINDINGS", ())]  # fmt: skip
        for binding in given:
            if isinstance(binding, Binding) and not binding.key.isdigit():
                shown.setdefault(binding.description, []).append(_key(binding))
        more = list(getattr(self._covered, "MORE_KEYS", ()))
        palette = _key(Binding(self.app.COMMAND_PALETTE_BINDING, ""))
        more.append((palette, "every action, found by typing its name"))
        return [*more, *((", ".join(keys), text) for text, keys in shown.items())]


def _hanging(term: str, text: str, indent: int, width: int) -> list[str]:
    """``term`` at the left, ``text`` beside it in a column of its own."""
    body = textwrap.wrap(text, max(width - indent, 10)) or [""]
    return [f"{term:<{indent - 1}} {body[0]}", *(" " * indent + line for line in body[1:])]


def _key(binding: Binding) -> str:
    names = {
        "plus,equals_sign": "+",
        "slash,f": "/ or f",
        "slash": "/",
        "minus": "−",
        "question_mark,f1": "? or F1",
        "left": "←",
        "right": "→",
        "shift+left,pageup": "shift ← or PgUp",
        "shift+right,pagedown": "shift → or PgDn",
        "greater_than_sign,full_stop,plus,equals_sign": "> or +",
        "less_than_sign,comma,minus": "< or −",
        "left_square_bracket": "[",
        "right_square_bracket": "]",
        "q,ctrl+c,ctrl+q": "q or ctrl-C",
    }
    return names.get(binding.key, binding.key.replace(",", " or "))
