"""The keys of the live screen and of the replay."""

from __future__ import annotations

from textual.binding import Binding

from tuiapp.tui.panes import PANE_KEYS

SESSION_BINDINGS: tuple[Binding, ...] = (
    Binding("space", "pause", "pause"),
    Binding("left", "move(-1)", "back in time"),
    Binding("right", "move(1)", "forward in time"),
    Binding("shift+left,pageup", "move(-10)", "a window back", show=False),
    Binding("shift+right,pagedown", "move(10)", "a window forward", show=False),
    Binding("home", "jump_start", "to the start", show=False),
    Binding("end", "follow", "to the end", show=False),
    Binding("z", "zoom", "window"),
    Binding("l", "axis", "log/linear axis"),
    Binding("enter", "full", "full screen"),
    Binding("escape", "leave_full", "leave full screen, select nothing", show=False),
    Binding("m", "mark", "mark a moment"),
    Binding("left_square_bracket", "step('mark', -1)", "to the mark before", show=False),
    Binding("right_square_bracket", "step('mark', 1)", "to the next mark", show=False),
    Binding("s", "sort", "sort requests", show=False),
    Binding("d", "detail", "request's detail", show=False),
    Binding("L", "full_pane('log')", "engine's log", show=False),
    Binding("question_mark,f1", "help", "this help"),
    *(
        Binding(
            key,
            f"full_pane('{name}')",
            "why this host is slow" if key == "w" else name,
            show=False,
        )
        for name, key in PANE_KEYS.items()
    ),
)
