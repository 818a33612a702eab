"""One recorded run, reduced to what a comparison needs of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tuiapp.compare.quantities import FAMILY
from tuiapp.diagnosis.gpu_lost import lost_gpu
from tuiapp.errors import SessionError, UsageError
from tuiapp.events import UNSET
from tuiapp.session.columns import TICK_NS
from tuiapp.session.itl import itl_blocks
from tuiapp.session.library import SUFFIX
from tuiapp.session.reader import Report, load
from tuiapp.session.view import View
from tuiapp.stats.bins import BINS, bin_index

_BLOCKS = 40
_MOST_RUNS = 200


@dataclass(frozen=True, slots=True)
class Run:
    """A run and its six quantities.

    Attributes:
        values: by ``Quantity.name``; None where nothing was measured.
        requests: measured requests that ended, the failed ones included.
        failed: of these.
        meta: the session's header.
        trial: what the trial that made it says of it: ``set``, ``block``, ``arm``, ``order``.
        caveats: what is wrong with it, whatever it is compared with.
        view: the run seen from its end, for whoever wants the distributions.
    """

    path: Path
    name: str
    created_ns: int
    values: Mapping[str, float | None]
    requests: int
    failed: int
    meta: Mapping[str, Any]
    trial: Mapping[str, Any]
    caveats: tuple[str, ...]
    view: View = field(repr=False, compare=False)

    def counts_by_block(self, metric: str) -> np.ndarray:
        """Counts of ``metric`` by time block: shape (blocks, BINS)."""
        window = self.view.measured
        if window is None:
            return np.zeros((0, BINS), np.int64)
        if metric == "itl":
            return itl_blocks(self.view.session, window.start_ns - 1, window.end_ns)
        t_ns, values = self.view.points(metric, window.start_ns - 1)
        finite = np.isfinite(values) & (t_ns != UNSET)
        blocks = _block_of(t_ns[finite], window.start_ns, self.view.cursor_ns)
        counts = np.zeros((_BLOCKS, BINS), np.int64)
        np.add.at(counts, (blocks, bin_index(values[finite].astype(np.int64))), 1)
        return counts

    def rate_by_block(self) -> np.ndarray:
        """Output tokens a second in each of at least 40 equal stretches of the measured load."""
        window = self.view.measured
        if window is None:
            return np.zeros(0)
        ticks = self.view.session.ticks["output_tokens"]
        inside = ticks[window.start_ns // TICK_NS + 1 : window.end_ns // TICK_NS].astype(float)
        each = max(len(inside) // _BLOCKS, 1)
        whole = len(inside) // each * each
        return np.asarray(inside[:whole].reshape(-1, each).mean(axis=1)) * (1e9 / TICK_NS)


def _block_of(t_ns: np.ndarray, start_ns: int, end_ns: int) -> np.ndarray:
    share = (t_ns - start_ns) / max(end_ns - start_ns, 1)
    return np.clip((share * _BLOCKS).astype(np.int64), 0, _BLOCKS - 1)


def read_run(path: Path) -> Run:
    """The run recorded at ``path``.

    Raises:
        SessionError: it cannot be read, or holds nothing.
    """
    report = Report()
    session = load(path, report)
    if not report.frames:
        raise SessionError(f"{path} holds no whole block.", "There is nothing to compare in it.")
    view = View(session, session.end_ns)
    e2el = view.run("e2el")
    meta = view.meta
    created, trial = meta.get("created_ns"), meta.get("trial")
    return Run(
        path=path,
        name=path.stem,
        created_ns=created if isinstance(created, int) else 0,
        values={quantity.name: quantity.of(view) for quantity in FAMILY},
        requests=e2el.n,
        failed=e2el.failed,
        meta=meta,
        trial=trial if isinstance(trial, dict) else {},
        caveats=tuple(_caveats(view, report)),
        view=view,
    )


def _caveats(view: View, report: Report) -> list[str]:
    caveats = []
    if view.measured is None:
        caveats.append("no request of the measured load is in it")
    if not report.whole:
        caveats.append(f"damaged: {report.missing} cannot be read")
    if view.health.alive:
        caveats.append("it ends while the engine was running")
    if view.health.state == "dead":
        caveats.append("the engine died in it")
    if trouble := lost_gpu(view):
        caveats.append(trouble)
    imported = view.meta.get("imported")
    if isinstance(imported, dict):
        caveats.append(f"imported from {str(imported.get('program') or 'another program')[:40]}")
        if imported.get("deliveries") is False:
            caveats.append("single tokens are not in it, so there is no ITL")
    return caveats


def expand(paths: Sequence[Path]) -> list[Path]:
    """The recordings at ``paths``; those in a folder in the order of their names.

    Raises:
        UsageError: a folder without recordings, a recording named twice, or too many.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob(f"*{SUFFIX}"))
            if not inside:
                raise UsageError(f"{path} holds no recording.", f"A recording ends in {SUFFIX}.")
            found += inside
        else:
            found.append(path)
    twice = {str(path) for path in found if found.count(path) > 1}
    if twice:
        raise UsageError(f"{min(twice)} is named twice.", "Each run counts once.")
    if len(found) > _MOST_RUNS:
        raise UsageError(f"{len(found)} recordings are too many.", f"At most {_MOST_RUNS} a side.")
    return found
