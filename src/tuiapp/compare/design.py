"""The design of a trial: which run is made when, and the folder that holds them.

A folder holds one recording a run and ``trial.json``. Each recording's header says its place in
the trial as well, so the recordings stand for themselves when they are moved.

Machines drift: what is measured later is measured on a warmer machine with other neighbours. Two
arms are therefore interleaved, AB BA AB …, and compared within blocks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from tuiapp.errors import SessionError, UsageError

PLAN = "trial.json"
SCHEMA = "tuiapp.trial/1"
PLANNED, DONE, FAILED = "planned", "done", "failed"
ONE, AA, SWEEP = "one host", "A/A", "sweep"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Planned:
    """One run of a trial.

    Attributes:
        file: its name in the folder.
        arm: ``A`` or ``B``.
        block: which pair it belongs to.
        order: when it is made, from 0.
        level: of a sweep: the load, clients or prompt tokens of this run; 0 in other trials.
        outcome: ``planned``, ``done`` or ``failed``.
    """

    file: str
    arm: str
    block: int
    order: int
    level: float = 0.0
    outcome: str = PLANNED


@dataclass(frozen=True, slots=True)
class Design:
    """A trial.

    Attributes:
        name: of the trial; in every header.
        kind: ``one host`` (runs of one side, to be compared with another trial) or ``A/A``.
        digest: of the workload: arrivals, lengths and tokens of every run are the same; of a
            sweep, but for what it steps.
        over: what a sweep steps: ``rate``, ``concurrency`` or ``input-len``; empty otherwise.
    """

    name: str
    kind: str
    digest: str
    runs: tuple[Planned, ...]
    over: str = ""

    def header(self, run: Planned) -> dict[str, Any]:
        """What a run's header says of its place."""
        place = {"block": run.block, "arm": run.arm, "order": run.order}
        if self.over:
            place |= {"over": self.over, "level": run.level}
        return {"trial": {"set": self.name, "kind": self.kind, **place}}

    def is_like(self, other: Design) -> bool:
        """The same runs of the same load, made or not."""
        places = [[(run.file, run.arm, run.level) for run in it.runs] for it in (self, other)]
        told = [(it.kind, it.digest, it.over) for it in (self, other)]
        return places[0] == places[1] and told[0] == told[1]

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


def plan_sweep(
    name: str, digest: str, over: str, levels: Sequence[float], runs: int, seed: int
) -> Design:
    """A design of ``runs`` runs at each level.

    Each round visits every level once, in an order drawn from ``seed``: a machine that gets slower
    with time must not look like one that gets slower with load.
    """
    random = Random(seed)  # noqa: S311 - an order, not a secret
    planned: list[Planned] = []
    for block in range(runs):
        for level in random.sample(list(levels), len(levels)):
            order = len(planned)
            file = f"{order + 1:02}-{level:g}.tuiapp"
            planned.append(Planned(file, "A", block, order, level))
    return Design(name, SWEEP, digest, tuple(planned), over)


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
            float(run.get("level", 0.0)),
            str(run["outcome"]),
        )
        for run in value["runs"]
    )
    told = (str(value[name]) for name in ("name", "kind", "digest"))
    name, kind, digest = told
    return Design(name, kind, digest, runs, str(value.get("over", "")))
