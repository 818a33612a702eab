"""A folder with a CSV file for every table of a session. Described in ``docs/exports.md``."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from tuiapp.exports.tables import Numbers, sheets
from tuiapp.session.view import View


def write(view: View, folder: Path) -> None:
    """Write the tables at the view's cursor to ``folder``, which is there and empty.

    Raises:
        SessionError: the session's file cannot be read.
    """
    for sheet in sheets(view):
        path = folder / f"{sheet.name}.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            # Lines end in CR LF, as RFC 4180 has it: csv then quotes either inside a text, too.
            writer = csv.writer(out)
            writer.writerow(sheet.columns)
            for batch in sheet.batches:
                columns = (_cells(batch[name]) for name in sheet.columns)
                writer.writerows(zip(*columns, strict=True))


def _cells(column: Numbers | list[str]) -> list[Any]:
    """What csv writes exactly: text and integers as they are, None for what is missing.

    A float32 is told by the fewest digits that give it back.
    """
    if isinstance(column, list):
        return column
    values = column.values
    cells: list[Any] = (values.astype(str) if values.dtype.kind == "f" else values).tolist()
    for at in np.flatnonzero(column.missing).tolist():
        cells[at] = None
    return cells
