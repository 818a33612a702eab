"""The design of a trial: which run is made when, and the folder that holds them.

A folder holds one recording a run and ``trial.json``. Each recording's header says its place in
the trial as well, so the recordings stand for themselves when they are moved.

Machines drift: what is measured later is measured on a warmer machine with other neighbours. Two
arms are therefore interleaved, AB BA AB …, and compared within blocks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tuiapp.errors import SessionError, UsageError

PLAN = "trial.json"
SCHEMA = "tuiapp.trial/1"
ONE, AA = "one host", "A/A"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Planned:
    """One run of a trial.

    Attributes:
        file: its name in the folder.
        arm: ``A`` or ``B``.
        block: which pair it belongs to.
        order: when it is made, from 0.
        outcome: ``planned``, ``done`` or ``failed``.
    """

    file: str
    arm: str
    block: int
    order: int
    outcome: str = "planned"


@dataclass(frozen=True, slots=True)
class Design:
    """A trial.

    Attributes:
        name: of the trial; in every header.
        kind: ``one host`` (runs of one side, to be compared with another trial) or ``A/A``.
        digest: of the workload: arrivals, lengths and tokens of every run are the same.
    """

    name: str
    kind: str
    digest: str
    runs: tuple[Planned, ...]

    def header(self, run: Planned) -> dict[str, Any]:
        """What a run's header says of its place."""
        place = {"block": run.block, "arm": run.arm, "order": run.order}
        return {"trial": {"set": self.name, "kind": self.kind, **place}}

    def with_outcome(self, run: Planned, outcome: str) -> Design:
        """The same trial after ``run`` was made."""
        runs = tuple(
            replace(other, outcome=outcome) if other.file == run.file else other
            for other in self.runs
        )
        return replace(self, runs=runs)


def plan(name: str, kind: str, digest: str, runs: int) -> Design:
    """A design of ``runs`` runs an arm."""
    arms = ("A",) if kind == ONE else ("A", "B")
    planned: list[Planned] = []
    for block in range(runs):
        for arm in arms if block % 2 == 0 else arms[::-1]:
            order = len(planned)
            planned.append(Planned(f"{order + 1:02}-{arm.lower()}.tuiapp", arm, block, order))
    return Design(name, kind, digest, tuple(planned))


def save(folder: Path, design: Design) -> None:
    """Write the plan, in one step.

    Raises:
        SessionError: it cannot be written.
    """
    value = {"schema": SCHEMA, **asdict(design)}
    temporary = folder / f".{PLAN}.new"
    try:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        temporary.replace(folder / PLAN)
    except OSError as error:
        raise SessionError(f"Cannot write {folder / PLAN}: {error.strerror}.") from error


def read(folder: Path) -> Design | None:
    """The plan in ``folder``; None when there is none.

    Raises:
        UsageError: it is no plan.
    """
    path = folder / PLAN
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_MOST_BYTES))
        return _design(value)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SessionError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(f"{path} is no plan of a trial.", "Choose another folder.") from error


def _design(value: Mapping[str, Any]) -> Design:
    if value["schema"] != SCHEMA:
        raise ValueError("another schema")
    runs = tuple(
        Planned(
            Path(str(run["file"])).name,
            str(run["arm"]),
            int(run["block"]),
            int(run["order"]),
            str(run["outcome"]),
        )
        for run in value["runs"]
    )
    return Design(str(value["name"]), str(value["kind"]), str(value["digest"]), runs)
