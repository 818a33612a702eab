"""What switching between two processes on one core costs: a byte sent to and fro through pipes.

As lmbench's lat_ctx does it (McVoy & Staelin 1996): a round trip is two switches, and the cost of
the system calls, measured through a pipe to oneself, is taken off.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from tuiapp.machine.apart import call_apart
from tuiapp.tax.clocks import timed
from tuiapp.tax.native_loops import Call, Calls
from tuiapp.tax.ranks import apart, rank, time_text
from tuiapp.tax.report import Result

_ROUNDS, _TRIPS = 20, 300
_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Switch(Result):
    """One switch from a process to another; median."""

    NOISE_OF: ClassVar[str] = "context_switch"
    context_switch_s: float

    def lines(self) -> list[str]:
        return [f"switching between two processes on one core {time_text(self.context_switch_s)}"]


def probe() -> Switch:
    """Measure in a process of its own, which forks; Unavailable when that fails."""
    trips, own = call_apart("tuiapp.tax.switches:measure", limit_s=_LIMIT_S)
    switches = [max(trip - own, 0.0) / 2 for trip in trips]
    return Switch(apart(switches), rank(switches, 0.5))


def measure(*_: object) -> tuple[list[float], float]:
    """(seconds of a round trip in each round, seconds of its system calls alone)."""
    with suppress(OSError):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    there, back = os.pipe(), os.pipe()
    room = ctypes.create_string_buffer(8)
    address = ctypes.addressof(room)
    rounds = (_ROUNDS + 1) * _TRIPS
    child = os.fork()
    if child == 0:
        # Without our ends in its own hands it sees them close, and ends with its parent.
        os.close(there[1])
        os.close(back[0])
        with suppress(BaseException):
            Calls([("read", there[0], address, 1), ("write", back[1], address, 1)]).run(rounds)
        os._exit(0)
    os.close(there[0])
    os.close(back[1])
    trips = timed(
        [("write", there[1], address, 1), ("read", back[0], address, 1)], _ROUNDS, _TRIPS
    )[1]
    os.waitpid(child, 0)
    # The same four system calls without anybody to switch to.
    own = os.pipe()
    to_self: list[Call] = [("write", own[1], address, 1), ("read", own[0], address, 1)]
    alone = timed(to_self, _ROUNDS, _TRIPS)[1]
    return trips, 2 * rank(alone, 0.5)
