"""What kind of machine this is, told from its files and its CPU, with evidence."""

from __future__ import annotations

from tuiapp.machine.inspection import inspect

__all__ = ["inspect"]
