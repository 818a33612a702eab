"""What each number means, and every key."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tuiapp.tui.panes import PANES, pane_class

_TERMS = (
    ("TTFT", "time to first token: first output token − intended arrival. A late send, a queue "
             "or a stall all count: nothing hides behind a slow client."),
    ("TPOT", "time per output token after the first: (last − first token) / (tokens − 1), one "
             "value a request."),
    ("ITL", "inter-token latency: every gap between two deliveries of tokens, counted in bins "
            "0.27 % wide."),
    ("E2EL", "end-to-end latency: last token − intended arrival."),
    ("p99 (a–b)", "the value 99 % of requests stay under, and its 95 % interval. With fewer than "
                  "368 requests no such interval exists: the screen says too few."),
    ("∞", "a request that failed or never finished counts as infinitely late."),
    ("n", "how many requests (for ITL: gaps) the numbers rest on."),
    ("bright over dim", "the last window over the whole run, each drawn to its own height: where "
                        "the bright one moves off the dim one, latency is drifting."),
    ("SLO, good", "objectives given with --slo; good: requests a second that met all of them."),
    ("queue", "from the engine's queue to being scheduled first."),
    ("prefill", "from being scheduled to the first token computed."),
    ("rest", "the rest of TTFT: getting to the engine and the token getting back."),
    ("out, in", "output tokens delivered and prompt tokens prefilled a second, last ten seconds."),
    ("run, wait", "requests the engine computes, and those it keeps waiting."),
    ("KV", "share of the KV cache in use."),
    ("hit", "share of prompt tokens that the prefix cache already had."),
    ("preempted", "requests thrown back into the queue for want of KV cache."),
    ("oldest", "how long the longest-waiting request has been without a token."),
    ("steal", "time the hypervisor gave our CPUs to somebody else."),
    ("client-limited", "the load driver itself was late: the numbers overstate latency."),
    ("—", "not known; never zero."),
)  # fmt: skip


class HelpScreen(ModalScreen[None]):
    """Keys of the screen it covers, panes, and definitions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "back")
    ]

    def __init__(self, covered: Screen[None]) -> None:
        super().__init__()
        self._covered = covered

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "What is this"
            dialog.border_subtitle = "escape goes back, ↑↓ scroll"
            yield Static(self._text(), markup=False)

    def _text(self) -> str:
        lines = ["KEYS", ""]
        shown: dict[str, list[str]] = {}
        for binding in (*self._covered.BINDINGS, *type(self.app).BINDINGS):
            if isinstance(binding, Binding) and not binding.action.startswith("full_pane"):
                shown.setdefault(binding.description, []).append(_key(binding))
        lines += [f"  {', '.join(keys):<22} {text}" for text, keys in shown.items()]
        lines += ["", "PANES (the digit gives one the whole screen, again or escape takes it back)"]
        for at, name in enumerate(PANES):
            kind = pane_class(name)
            summary = (kind.__doc__ or "").strip().splitlines()[0]
            lines.append(f"  {(at + 1) % 10}   {kind.TITLE:<20} {summary}")
        lines += ["", "NUMBERS", ""]
        lines += [f"  {term:<17} {text}" for term, text in _TERMS]
        return "\n".join(lines)


def _key(binding: Binding) -> str:
    names = {"plus,equals_sign": "+", "minus": "−", "question_mark,f1": "? or F1"}
    names |= {"left": "←", "right": "→", "q,ctrl+c,ctrl+q": "q or Ctrl-C"}
    return names.get(binding.key, binding.key.replace(",", " or "))
