"""The home screen: this host, and every recording of this user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from tuiapp.errors import TuiappError, UsageError
from tuiapp.session import library
from tuiapp.session.entry import UNREADABLE, Entry
from tuiapp.session.reader import load
from tuiapp.session.view import View
from tuiapp.tui.panes.about import about
from tuiapp.tui.panes.keys import KeyOffer, KeysBar
from tuiapp.tui.panes.recordings import SORTS, Recordings
from tuiapp.tui.panes.status import Item, StatusLine
from tuiapp.tui.renderables.numbers import format_bytes
from tuiapp.tui.renderables.palette import Ink
from tuiapp.tui.screens.ask import AskScreen, ConfirmScreen

Command = tuple[str, str, Callable[[], object]]
_BATCH = 8
_EMPTY = """\
No recordings yet. What you run is kept here.

n  starts a run on this host
d  replays a sample recording
i  imports a result of vllm bench, GuideLLM or AIPerf
a  watches a run that is being recorded"""
_KEYS: tuple[KeyOffer, ...] = (
    (("q", "quit", "app.quit"), 9),
    (("?", "help", "screen.help"), 8),
    (("n", "new run", "screen.new_run"), 9),
    (("a", "attach", "screen.attach"), 6),
    (("enter", "replay", "screen.open"), 9),
    (("/", "filter", "screen.filter"), 8),
    (("s", "sort", "screen.sort"), 7),
    (("space", "choose", "screen.choose"), 6),
    (("c", "compare two", "screen.compare"), 6),
    (("r", "rename", "screen.rename"), 5),
    (("t", "note", "screen.annotate"), 4),
    (("x", "export", "screen.export"), 5),
    (("i", "import", "screen.import_file"), 4),
    (("del", "delete", "screen.delete"), 5),
    (("d", "sample", "screen.demo"), 4),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do after the home screen: ``run``, ``attach``, ``replay`` or ``demo``, with what."""

    what: str
    text: str = ""
    path: Path | None = None


class HomeScreen(Screen[None]):
    """Recordings to open, rename, annotate, export, compare and delete; runs to start.

    Args:
        folder: where the recordings are.
        host: facts of this host, by the names of a session's header.
        check_run: raises a ``TuiappError`` for a command line of ``tuiapp run`` that will not do.
        selected: the recording to stand on at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_run", "start a run"),
        Binding("a", "attach", "watch a run that is being recorded"),
        Binding("enter", "open", "replay the recording"),
        Binding("slash,f", "filter", "show what matches only"),
        Binding("escape", "unfilter", "show all again", show=False),
        Binding("s", "sort", "sort by the next column"),
        Binding("space", "choose", "choose for a comparison"),
        Binding("c", "compare", "two recordings side by side"),
        Binding("r", "rename", "rename the file"),
        Binding("t", "annotate", "write a note into the recording"),
        Binding("x", "export", "export the recording"),
        Binding("i", "import_file", "import a result of vLLM, GuideLLM or AIPerf"),
        Binding("delete,D", "delete", "delete the recording"),
        Binding("d", "demo", "replay a sample"),
        Binding("question_mark,f1", "help", "this help"),
    ]

    def __init__(
        self,
        folder: Path,
        host: Mapping[str, Any],
        check_run: Callable[[str], object],
        selected: Path | None = None,
    ) -> None:
        super().__init__()
        self._folder, self._host, self._check_run = folder, host, check_run
        self._selected = selected
        self._entries: list[Entry] = []
        self._reading = True

    def compose(self) -> ComposeResult:
        yield StatusLine()
        yield Input(placeholder="filter: name, host, model, load, note …", id="filter")
        yield Recordings()
        yield Static(id="about", markup=False)
        yield KeysBar()

    def on_mount(self) -> None:
        self.query_one("#filter", Input).display = False
        self._list.pick(self._selected)
        self._list.focus()
        self.read()

    @property
    def _list(self) -> Recordings:
        return self.query_one(Recordings)

    # -- reading and drawing ---------------------------------------------------------------

    @work(thread=True, exclusive=True)
    def read(self) -> None:
        """Look at every file of the folder; those not seen before take a moment."""
        found: list[Entry] = []
        paths = library.files(self._folder)
        for at in range(0, len(paths), _BATCH):
            found += library.entries_of(paths[at : at + _BATCH])
            self.app.call_from_thread(self._take, list(found), reading=True)
        self.app.call_from_thread(self._take, found, reading=False)

    def _take(self, entries: list[Entry], *, reading: bool) -> None:
        self._reading = reading
        self._entries = entries
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self.redraw)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.redraw)

    def redraw(self, *, force: bool = False) -> None:
        """Draw everything; nothing here moves by itself."""
        if not self.is_mounted:
            return
        palette = self.app.palette  # type: ignore[attr-defined]
        shown, words = self._matching()
        self._list.entries = shown
        self._list.empty = self._why_empty(words)
        self._list.show(palette)
        self.query_one(StatusLine).put(self._badge(), self._count(shown), palette)
        self.query_one(KeysBar).show(palette, _KEYS, force=force)
        entry = self._list.selected
        self.query_one("#about", Static).update(about(entry) if entry else "")

    def _matching(self) -> tuple[list[Entry], str]:
        words = self.query_one("#filter", Input).value.strip()
        return library.sort(library.matching(self._entries, words), self._list.sort), words

    def _why_empty(self, words: str) -> str:
        if self._reading:
            return "looking at the recordings …"
        return f"nothing matches {words!r}; escape shows all" if words else _EMPTY

    def _badge(self) -> Sequence[Item]:
        host = self._host
        cores, memory = host.get("cores_logical"), host.get("memory_total_bytes")
        size = format_bytes(memory, binary=True) if memory else ""
        machine = [f"{cores} cores" if cores else "", size]
        items = [
            Item("tuiapp", Ink.ACCENT, keep=9),
            Item(str(host.get("hostname") or ""), Ink.STRONG, keep=7),
            Item(str(host.get("virtualization") or ""), Ink.ACCENT, keep=8, most=30),
            Item(str(host.get("cpu_model") or ""), Ink.TEXT, keep=4, most=40),
            Item(" · ".join(filter(None, machine)), Ink.TEXT, keep=5),
            Item(str(host.get("os") or ""), Ink.DIM, keep=2),
        ]
        return [item for item in items if item.text]

    def _count(self, shown: Sequence[Entry]) -> Sequence[Item]:
        size = format_bytes(sum(entry.size for entry in self._entries))
        every = len(self._entries)
        count = f"{len(shown)} of {every}" if len(shown) < every else f"{every}"
        return [Item(f"{count} recording{'' if every == 1 else 's'} · {size}", Ink.DIM, keep=6)]

    # -- what can be done ------------------------------------------------------------------

    def on_recordings_moved(self) -> None:
        self.redraw()

    def on_recordings_opened(self) -> None:
        self.action_open()

    def on_input_changed(self) -> None:
        self.redraw()

    def on_input_submitted(self) -> None:
        self._list.focus()

    def action_filter(self) -> None:
        line = self.query_one("#filter", Input)
        line.display = True
        line.focus()

    def action_unfilter(self) -> None:
        line = self.query_one("#filter", Input)
        line.value, line.display = "", False
        self._list.focus()
        self.redraw()

    def action_sort(self) -> None:
        names = list(SORTS)
        self._list.sort = names[(names.index(self._list.sort) + 1) % len(names)]
        self.notify(f"by {self._list.sort}", timeout=1)
        self.redraw()

    def action_open(self) -> None:
        entry = self._list.selected
        if entry is not None and entry.condition != UNREADABLE:
            self.app.exit(Choice("replay", path=entry.path))
        elif entry is not None:
            self.notify(entry.reason, severity="warning", markup=False)

    @work(thread=True, exclusive=True, group="attach")
    def action_attach(self) -> None:
        """Watch the selected run, or the newest there is, while it is being recorded elsewhere."""
        found, entry = library.growing(self._folder), self._list.selected
        if not found:
            text = "No run is being recorded here; n starts one."
            self.app.call_from_thread(self.notify, text, timeout=4)
            return
        chosen = entry.path if entry is not None and entry.path in found else found[0]
        self.app.call_from_thread(self.app.exit, Choice("attach", path=chosen))

    def action_demo(self) -> None:
        self.app.exit(Choice("demo"))

    def action_new_run(self) -> None:
        """Ask for the command line of a run; nothing at all is the demo model's chat load."""
        self.app.push_screen(
            AskScreen(
                "tuiapp run …",
                "MODEL --preset voice --slo voice; or nothing: the demo model",
                check=self._check_run,
                advice="enter starts it, escape leaves; tuiapp run --help lists the options",
            ),
            lambda text: None if text is None else self.app.exit(Choice("run", text)),
        )

    def action_choose(self) -> None:
        entry, chosen = self._list.selected, self._list.chosen
        if entry is None or entry.condition == UNREADABLE:
            return
        if entry.path in chosen:
            chosen.remove(entry.path)
        else:
            chosen.append(entry.path)
            del chosen[:-2]
        self._list.action_select(1)

    def action_compare(self) -> None:
        from tuiapp.compare.reading import Question
        from tuiapp.tui.screens.compare import CompareScreen

        if len(self._list.chosen) != 2:
            self.notify("Choose two recordings with space first.", timeout=3)
            return
        a, b = self._list.chosen
        question = Question(([a], [b]), noise_folder=self._folder.parent)
        self.app.push_screen(CompareScreen(question))

    def action_rename(self) -> None:
        if entry := self._list.selected:

            def rename(name: str) -> Path:
                path = library.rename(entry.path, name)
                chosen = self._list.chosen
                self._list.chosen = [path if kept == entry.path else kept for kept in chosen]
                return path

            self._ask(f"Rename {entry.name}", entry.name, rename)

    def action_annotate(self) -> None:
        if entry := self._list.selected:
            annotate = partial(library.annotate, entry.path)
            self._ask(f"Note on {entry.name}", entry.note, annotate)

    def _ask(self, title: str, initial: str, do: Callable[[str], Path | None]) -> None:
        """Ask for a text and do something with it, which says itself when it cannot."""
        done: list[Path | None] = []
        self.app.push_screen(
            AskScreen(title, initial=initial, check=lambda text: done.append(do(text))),
            lambda text: None if text is None else self._changed(done[-1]),
        )

    def _changed(self, path: Path | None) -> None:
        if path is not None:
            self._list.pick(path)
        self.read()

    def action_export(self) -> None:
        if entry := self._list.selected:
            from tuiapp.tui.screens.exporting import ask_export

            ask_export(self, entry.path.stem, partial(_whole, entry.path))

    def action_import_file(self) -> None:
        def check(text: str) -> None:
            if not Path(text).expanduser().is_file():
                raise UsageError(f"There is no file {text}.", "Give the path of a result.")

        title, hint = "Import a result", "path of a vllm bench, GuideLLM or AIPerf result"
        self.app.push_screen(
            AskScreen(title, placeholder=hint, check=check),
            self._import_from,
        )

    def _import_from(self, text: str | None) -> None:
        if text is not None:
            self._import(Path(text).expanduser())

    @work(thread=True)
    def _import(self, path: Path) -> None:
        from tuiapp.imports import into_folder

        call = self.app.call_from_thread
        try:
            made = into_folder(path, self._folder)
        except (TuiappError, OSError) as error:
            text = str(error)
            call(self.notify, text, title="Not imported", severity="error", markup=False)
        else:
            call(self._changed, made[0][1])

    def action_delete(self) -> None:
        if entry := self._list.selected:
            lines = [entry.path.name, format_bytes(entry.size), "It cannot be brought back."]
            self.app.push_screen(
                ConfirmScreen("Delete this recording?", lines),
                lambda sure: self._delete(entry) if sure else None,
            )

    def _delete(self, entry: Entry) -> None:
        try:
            library.delete(entry.path)
        except TuiappError as error:
            self.notify(str(error), title="Not deleted", severity="error", markup=False)
        else:
            self._list.chosen = [path for path in self._list.chosen if path != entry.path]
            self._entries = [kept for kept in self._entries if kept.path != entry.path]
            self.redraw()

    def action_help(self) -> None:
        from tuiapp.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self))

    def commands(self) -> Iterable[Command]:
        """What the command palette offers."""
        for (_, label, action), _ in _KEYS:
            name = action.removeprefix("screen.")
            if hasattr(self, f"action_{name}"):
                yield label.capitalize(), "", getattr(self, f"action_{name}")


def _whole(path: Path) -> View:
    """The recording at its end."""
    session = load(path)
    return View(session, session.end_ns)
