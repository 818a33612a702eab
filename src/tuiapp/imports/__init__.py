"""Results of other programs as recordings. One format a file, one line in ``IMPORTS``.

A format turns a document into a ``Run``: requests, and words on what the file does not tell. What
becomes of a run is the same for all of them (``timeline``), so an imported session replays and
compares like one that was recorded here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tuiapp.errors import SessionError, UsageError
from tuiapp.events import Frame
from tuiapp.registry import resolve

if TYPE_CHECKING:
    from tuiapp.imports.document import Document
    from tuiapp.imports.run import Run
    from tuiapp.session.writer import SessionWriter


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file that can be imported.

    Attributes:
        title: what a person calls it.
        target: ``"module:Class"`` of its reader, resolved on use.
    """

    title: str
    target: str


class Reader(Protocol):
    """Knows one format; has no state."""

    def holds(self, value: Any) -> bool:
        """A value of a document is one of this format, whole or not."""
        ...

    def runs(self, document: Document) -> list[str]:
        """A title for each run that the document holds, at least one."""
        ...

    def read(self, document: Document, part: int) -> Run:
        """The ``part``-th of those runs.

        Raises:
            SessionError: something that no run can be told without is missing.
        """
        ...


IMPORTS: dict[str, Format] = {
    "vllm-bench": Format("vllm bench serve --save-detailed", "tuiapp.imports.vllm_bench:VllmBench"),
    "guidellm": Format("GuideLLM benchmarks.json", "tuiapp.imports.guidellm:GuideLlm"),
    "aiperf": Format("AIPerf profile_export.jsonl", "tuiapp.imports.aiperf:AiPerf"),
}


def reader(name: str) -> Reader:
    """The reader registered under ``name``; KeyError when there is none."""
    found: Reader = resolve(IMPORTS[name].target)()
    return found


def detect(path: Path) -> str:
    """Which of ``IMPORTS`` the file at ``path`` is, told by what is in it.

    Raises:
        SessionError: it cannot be read, or is none of them.
    """
    from tuiapp.imports.document import Document

    return _detect(Document.open(path))


def parts(path: Path) -> list[str]:
    """Titles of the runs in the file at ``path``; ``read`` takes one at a time.

    Raises:
        SessionError: it cannot be read, or is none of ``IMPORTS``.
    """
    from tuiapp.imports.document import Document

    document = Document.open(path)
    return reader(_detect(document)).runs(document)


def read(path: Path, part: int | None = None) -> Iterator[Frame]:
    """The run in the file at ``path`` as frames in the order of time.

    Args:
        part: which of the runs it holds, from 0; may be left out when it holds one.

    Raises:
        SessionError: it cannot be read, is none of ``IMPORTS``, or tells too little.
        UsageError: it holds several runs and none was chosen, or one that it does not hold.
    """
    from tuiapp.imports.document import Document
    from tuiapp.imports.timeline import frames

    document = Document.open(path)
    found = reader(_detect(document))
    run = found.read(document, _choose(document, found.runs(document), part))
    yield from frames(run)


def import_file(path: Path, target: Path, part: int | None = None) -> Path:
    """Write the run in the file at ``path`` as a new session at ``target``, and return that.

    Nothing is left at ``target`` when it fails.

    Raises:
        SessionError: as ``read`` does; or ``target`` exists or cannot be written.
        UsageError: as ``read`` does.
    """
    from tuiapp.session.writer import SessionWriter

    meta, *rest = read(path, part)
    writer = SessionWriter(target)
    try:
        _write(writer, meta, rest)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def _write(writer: SessionWriter, meta: Frame, rest: list[Frame]) -> None:
    from tuiapp.session.file import SessionFile

    writer.put(meta)
    writer.close()
    if writer.failing:
        raise SessionError(f"Cannot write to {writer.path}: {writer.failing}.")
    # The writer merges what comes within a second of *its* clock into one block; here a block is a
    # second of the run, as in a recording.
    with SessionFile(writer.path) as file:
        file.append(rest)


def _detect(document: Document) -> str:
    for name in IMPORTS:
        if reader(name).holds(document.values[0]):
            return name
    known = ", ".join(form.title for form in IMPORTS.values())
    raise SessionError(
        f"{document.path} is no result that can be imported.", f"Known are: {known}."
    )


def _choose(document: Document, titles: list[str], part: int | None) -> int:
    if part is None and len(titles) == 1:
        return 0
    if part is not None and 0 <= part < len(titles):
        return part
    many = f"{len(titles)} runs" if len(titles) > 1 else "one run"
    shown = ", ".join(f"{at} ({title})" for at, title in enumerate(titles[:20]))
    raise UsageError(f"{document.path} holds {many}.", f"Choose one of them: {shown}.")


def into_folder(path: Path, folder: Path, only: int | None = None) -> list[tuple[int, Path]]:
    """Make a recording of every run in the file at ``path``, or of one, with free names.

    Args:
        folder: is made when it is not there.
        only: the run's place in the file, from 0.

    Returns:
        (place of the run, recording) of each.

    Raises:
        TuiappError: it is no result that can be read, or a recording cannot be made.
    """
    from tuiapp.session.library import SUFFIX, free_path

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for at in range(len(parts(path))) if only is None else [only]:
        target = free_path(folder / f"{path.stem}{SUFFIX}")
        import_file(path, target, at)
        made.append((at, target))
    return made
