"""Prices from a TOML file, one table a side."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from tuiapp.compare.cost import Prices
from tuiapp.errors import UsageError

_MOST_BYTES = 1 << 16
_DISCOUNT = "spot_discount"
_NAMES = tuple(field.name for field in fields(Prices))
_ALL = ", ".join((*_NAMES, _DISCOUNT))


def read_prices(path: Path) -> tuple[Prices, Prices]:
    """The prices of A and B.

    Raises:
        UsageError: the file cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            told = tomllib.loads(file.read(_MOST_BYTES).decode())
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{path} is no TOML file: {error}.") from error
    unknown = [name for name in told if name not in ("a", "b")]
    if unknown:
        raise UsageError(f"{path} has a table [{unknown[0]}].", "There are [a] and [b].")
    return _prices(path, told, "a"), _prices(path, told, "b")


def _prices(path: Path, told: Mapping[str, Any], side: str) -> Prices:
    table = told.get(side)
    if not isinstance(table, dict):
        raise UsageError(f"{path} has no table [{side}].", "Write [a] and [b].")
    table = _without_discount(path, side, table)
    for name, value in table.items():
        if name not in _NAMES:
            raise UsageError(
                f"{path} knows no {name} in [{side}].",
                f"There are {_ALL}.",
            )
        check_price(f"{name} in [{side}]", value)
    if "on_demand_per_h" not in table:
        raise UsageError(f"{path} names no on_demand_per_h in [{side}].", "It is needed.")
    return Prices(**{name: float(value) for name, value in table.items()})


def _without_discount(path: Path, side: str, table: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table with its spot price, where it tells how much less than on demand that is."""
    if _DISCOUNT not in table:
        return table
    name = f"{_DISCOUNT} in [{side}]"
    share = check_price(name, table[_DISCOUNT])
    if share >= 1:
        raise UsageError(f"{name} of {path} is no discount.", "Write 0.6 for 60 % less.")
    if "spot_per_h" in table:
        raise UsageError(f"{path} names spot_per_h and {_DISCOUNT} in [{side}].", "Choose one.")
    rest = {key: value for key, value in table.items() if key != _DISCOUNT}
    on_demand = check_price(f"on_demand_per_h in [{side}]", rest.get("on_demand_per_h", 1.0))
    return {**rest, "spot_per_h": on_demand * (1 - share)}


def check_price(name: str, value: Any) -> float:
    """``value`` as an amount.

    Raises:
        UsageError: it is none.
    """
    positive = name.startswith(("on_demand", "quantum", "session", "--rate"))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{name} is no number.")
    if value < 0 or (positive and value == 0):
        raise UsageError(
            f"{name} must be above 0." if positive else f"{name} must not be negative."
        )
    return float(value)
