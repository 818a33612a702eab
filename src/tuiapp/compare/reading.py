"""Reads both sides of a comparison, saying how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuiapp.compare.answer import Answer, answer
from tuiapp.compare.comparison import MARGIN, compare
from tuiapp.compare.cost import Prices
from tuiapp.compare.design import SWEEP, Design, read
from tuiapp.compare.runs import Run, read_run
from tuiapp.compare.sweep import Sweep, no_run_of_a_sweep, sweep
from tuiapp.errors import UsageError

Progress = Callable[[int, int, str], None]
"""Called with how many recordings are read, of how many, and the next one's name."""


def _silent(done: int, total: int, name: str) -> None:
    """Nobody asked how far it is."""
    del done, total, name


Sides = tuple[Sequence[Path], Sequence[Path]]


@dataclass(frozen=True, slots=True)
class Compared:
    """Everything a screen shows of two sides.

    Attributes:
        sweeps: of A and B, where they are sweeps; empty otherwise. The answer is then about the
            runs at ``level``.
        level: the middle one of those both sweeps have.
    """

    answer: Answer
    sweeps: tuple[Sweep, ...] = ()
    level: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be compared.

    Attributes:
        sides: recordings of A and of B; of two sweeps their folders.
        noise_folder: where trials keep the hosts' own noise.
    """

    sides: Sides
    margin: float = MARGIN
    prices: tuple[Prices, Prices] | None = None
    noise_folder: Path | None = None

    def read(self, progress: Progress = _silent) -> Compared:
        """Read and compare; takes about a second for a million tokens.

        Raises:
            TuiappError: a recording cannot be read, or the sides do not fit each other.
        """
        designs = [_sweep_design(side) for side in self.sides]
        if all(designs):
            return self._read_sweeps([design for design in designs if design], progress)
        total = sum(map(len, self.sides))
        a, b = self.sides
        runs = [_read(path, at, total, progress) for at, path in enumerate((*a, *b))]
        progress(total, total, "")
        return Compared(self._answer(runs[: len(a)], runs[len(a) :]))

    def _answer(self, a: Sequence[Run], b: Sequence[Run]) -> Answer:
        _check_different((*a, *b))
        return answer(compare(a, b, self.margin, self.noise_folder), self.prices)

    def _read_sweeps(self, designs: Sequence[Design], progress: Progress) -> Compared:
        made = [
            [(run.level, folders[0] / run.file) for run in design.runs if run.outcome == "done"]
            for design, folders in zip(designs, self.sides, strict=True)
        ]
        for side, folders in zip(made, self.sides, strict=True):
            if not side:
                raise no_run_of_a_sweep(folders[0])
        levels = sorted({at for at, _ in made[0]} & {at for at, _ in made[1]})
        if not levels:
            raise UsageError("The two sweeps have no level in common.", "Step the same levels.")
        total, done, sides = sum(map(len, made)), 0, []
        for side in made:
            sides.append([(at, _read(path, done + n, total, progress))
                          for n, (at, path) in enumerate(side)])  # fmt: skip
            done += len(side)
        progress(total, total, "")
        level = levels[len(levels) // 2]
        a, b = ([run for at, run in side if at == level] for side in sides)
        sweeps = tuple(sweep(design, side) for design, side in zip(designs, sides, strict=True))
        return Compared(self._answer(a, b), sweeps, level)


def _check_different(runs: Sequence[Run]) -> None:
    """Copies of a recording are no further runs: they would make any noise look small.

    Raises:
        UsageError: two of them are the same.
    """
    known: dict[object, Run] = {}
    for run in runs:
        numbers = (run.requests, run.failed, tuple(run.values.values()))
        measured = any(value is not None for value in run.values.values())
        # Two runs never have six equal numbers, whatever a file says of when it was made.
        key = numbers if measured else (run.created_ns, *numbers)
        if (measured or run.created_ns) and (other := known.setdefault(key, run)) is not run:
            raise UsageError(
                f"{other.path} and {run.path} are one recording.", "Each run counts once."
            )


def _read(path: Path, at: int, total: int, progress: Progress) -> Run:
    progress(at, total, path.stem)
    return read_run(path)


def _sweep_design(side: Sequence[Path]) -> Design | None:
    """The plan of a sweep, where the side is the folder of one."""
    if len(side) != 1 or not side[0].is_dir():
        return None
    design = read(side[0])
    return design if design is not None and design.kind == SWEEP else None
