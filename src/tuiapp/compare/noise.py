"""How much a host's runs differ from each other: learned by trials, kept with the host.

A difference between two hosts that is smaller than what one host differs from itself is no
difference. The file is JSON in the user's data folder, keyed by the digest of the host's
fingerprint.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuiapp.compare.quantities import FAMILY, is_usable
from tuiapp.compare.runs import Run

_FILE = "noise.json"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Noise:
    """Run-to-run noise of one host under one load.

    Attributes:
        spread: by quantity: standard deviation of ln of a run's value; 0.05 is about 5 %.
        runs: how many it was learned from.
        trial: its name.
        digest: of the workload.
        aa: the trial was made for it, with the host undisturbed as far as one could.
    """

    spread: Mapping[str, float]
    runs: int
    trial: str
    digest: str
    aa: bool = False


def learn(runs: Sequence[Run], trial: str, *, aa: bool = False) -> Noise | None:
    """The noise of ``runs`` of one host; None with fewer than two that measured anything."""
    spread = {}
    for quantity in FAMILY:
        values = [run.values[quantity.name] for run in runs]
        known = [value for value in values if value is not None and is_usable(value)]
        if len(known) == len(runs) >= 2:
            spread[quantity.name] = float(np.std(np.log(known), ddof=1))
    if not spread:
        return None
    digest = runs[0].meta.get("workload")
    told = digest.get("digest") if isinstance(digest, dict) else None
    return Noise(spread, len(runs), trial, str(told or ""), aa)


def host_key(run: Run) -> str:
    """What a host is known by: its fingerprint's digest, or its name; empty when unknown."""
    host = run.meta.get("host")
    host = host if isinstance(host, dict) else {}
    fingerprint = host.get("fingerprint")
    digest = fingerprint.get("digest") if isinstance(fingerprint, dict) else None
    name = digest or host.get("hostname")
    return str(name)[:100] if name and name != "redacted" else ""


def keep(folder: Path, key: str, noise: Noise) -> None:
    """Remember the newest noise of a host; OSError when it cannot be written.

    What an A/A trial found stays until the next one: other trials are made for other ends.
    """
    known = _read(folder)
    told = known.get(key)
    if isinstance(told, dict) and told.get("aa") is True and not noise.aa:
        return
    known[key] = asdict(noise)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{_FILE}.new"
    temporary.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    temporary.replace(folder / _FILE)


def recall(folder: Path, key: str) -> Noise | None:
    """What is known of a host's noise; None when nothing, or nothing that makes sense, is."""
    told = _read(folder).get(key)
    if not key or not isinstance(told, dict):
        return None
    spread = told.get("spread")
    if not isinstance(spread, dict):
        return None
    known = {
        name: float(value)
        for name, value in spread.items()
        if isinstance(value, int | float) and math.isfinite(value) and value >= 0
    }
    runs = told.get("runs")
    if not known or not isinstance(runs, int):
        return None
    return Noise(
        known,
        runs,
        str(told.get("trial"))[:100],
        str(told.get("digest"))[:100],
        told.get("aa") is True,
    )


def _read(folder: Path) -> dict[str, Any]:
    try:
        with (folder / _FILE).open("rb") as file:
            value = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
