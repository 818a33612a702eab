"""A folder with a Parquet file for every table of a session. Described in ``docs/exports.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tuiapp.errors import SessionError
from tuiapp.events import TEXT
from tuiapp.exports.tables import BATCH_ROWS, Numbers, Sheet, sheets
from tuiapp.session.view import View


def write(view: View, folder: Path) -> None:
    """Write the tables at the view's cursor to ``folder``, which is there and empty.

    Raises:
        SessionError: pyarrow is not installed, or the session's file cannot be read.
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise SessionError(
            "Parquet files need pyarrow, which is not installed.",
            "Install it with pip install 'tuiapp[parquet]', or export as csv.",
        ) from error
    for sheet in sheets(view):
        with (folder / f"{sheet.name}.parquet").open("wb") as out:
            _write_sheet(arrow, parquet, sheet, out)


def _write_sheet(arrow: Any, parquet: Any, sheet: Sheet, out: Any) -> None:
    """Batches are put together: a row group a second would make a long run's file slow to read."""
    types = {name: _type(arrow, kind) for name, kind in sheet.columns.items()}
    schema = arrow.schema(list(types.items()))
    held: list[Any] = []
    with parquet.ParquetWriter(out, schema) as writer:
        for batch in sheet.batches:
            columns = [_array(arrow, batch[name], kind) for name, kind in types.items()]
            held.append(arrow.record_batch(columns, schema=schema))
            if sum(part.num_rows for part in held) >= BATCH_ROWS:
                writer.write_table(arrow.Table.from_batches(held, schema))
                held.clear()
        if held:
            writer.write_table(arrow.Table.from_batches(held, schema))


def _type(arrow: Any, kind: str) -> Any:
    return arrow.string() if kind == TEXT else arrow.from_numpy_dtype(np.dtype(kind))


def _array(arrow: Any, column: Numbers | list[str], kind: Any) -> Any:
    if isinstance(column, list):
        return arrow.array(column, kind)
    return arrow.array(column.values, kind, mask=column.missing)
