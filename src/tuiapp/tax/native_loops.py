"""Loops in machine code, so that what is timed is not Python.

All follow the System V calling convention of x86-64.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import CFUNCTYPE, c_size_t, c_uint64, c_void_p

from tuiapp.errors import Unavailable
from tuiapp.machine.machine_code import load

NATIVE, PYTHON = "native", "python"

TIME_CPUID = bytes.fromhex(
    "f30f1efa"  # endbr64            may be jumped to, where that is enforced
    "53"  #       push rbx           the caller's; CPUID overwrites it
    "4989f8"  #   mov r8, rdi        first argument: where to put the differences
    "4989f1"  #   mov r9, rsi        second argument: how many
    # next:
    "0faee8"  #   lfence             everything before has ended
    "0f31"  #     rdtsc
    "48c1e220"  # shl rdx, 32
    "4809d0"  #   or rax, rdx
    "4989c2"  #   mov r10, rax       the counter before
    "31c0"  #     xor eax, eax       leaf 0
    "31c9"  #     xor ecx, ecx
    "0fa2"  #     cpuid              waits for everything before it, too
    "0f31"  #     rdtsc
    "48c1e220"  # shl rdx, 32
    "4809d0"  #   or rax, rdx
    "4c29d0"  #   sub rax, r10       ticks between
    "498900"  #   mov [r8], rax
    "4983c008"  # add r8, 8
    "49ffc9"  #   dec r9
    "75d3"  #     jnz next           45 bytes back
    "5b"  #       pop rbx
    "c3"  #       ret
)
"""``void time_cpuid(uint64 *ticks, size_t count)``."""

READ_TSC = bytes.fromhex(
    "f30f1efa"  # endbr64
    "0f31"  #     rdtsc
    "48c1e220"  # shl rdx, 32
    "4809d0"  #   or rax, rdx
    "c3"  #       ret
)
"""``uint64 read_tsc(void)``."""

RUN_CALLS = bytes.fromhex(
    "f30f1efa"  # endbr64
    "53"  #       push rbx           five registers of the caller's,
    "55"  #       push rbp           which also align the stack to 16 bytes
    "4154"  #     push r12
    "4155"  #     push r13
    "4156"  #     push r14
    "4989fc"  #   mov r12, rdi       first argument: the table
    "4989f5"  #   mov r13, rsi       second argument: its rows
    "4989d6"  #   mov r14, rdx       third argument: how often
    # round:
    "4c89e3"  #   mov rbx, r12
    "4c89ed"  #   mov rbp, r13
    # row:
    "488b7b08"  # mov rdi, [rbx+8]
    "488b7310"  # mov rsi, [rbx+16]
    "488b5318"  # mov rdx, [rbx+24]
    "31c0"  #     xor eax, eax       no vector arguments, for functions that take any number
    "ff13"  #     call [rbx]
    "4883c320"  # add rbx, 32
    "48ffcd"  #   dec rbp
    "75e7"  #     jnz row
    "49ffce"  #   dec r14
    "75dc"  #     jnz round
    "415e"  #     pop r14
    "415d"  #     pop r13
    "415c"  #     pop r12
    "5d"  #       pop rbp
    "5b"  #       pop rbx
    "c3"  #       ret
)
"""``void run_calls(struct {f, a, b, c} *table, size_t rows, size_t count)``: f(a, b, c) each."""

ADDITIONS = 16
ADD_CHAIN = bytes.fromhex(
    "f30f1efa"  # endbr64
    "31c0"  #     xor eax, eax
    # next:
    + "4801f8"
    * ADDITIONS  # add rax, rdi: each waits for the one before; 48 bytes
    + "48ffce"  # dec rsi
    "75cb"  #     jnz next           53 bytes back
    "c3"  #       ret
)
"""``uint64 add_chain(uint64 step, size_t turns)``: step × turns × ``ADDITIONS``."""

Call = tuple[str, int, int, int]
"""Name of a function of the C library, and three arguments."""


def cpuid_timer() -> Callable[[int], list[int]]:
    """Times CPUID so many times, one by one, in ticks of the time stamp counter; Unavailable."""
    function = CFUNCTYPE(None, c_void_p, c_size_t)(load(TIME_CPUID))

    def time_cpuid(count: int) -> list[int]:
        ticks = (c_uint64 * count)()
        function(ctypes.addressof(ticks), count)
        return list(ticks)

    return time_cpuid


def tsc_reader() -> Callable[[], int]:
    """Reads the time stamp counter; Unavailable."""
    return CFUNCTYPE(c_uint64)(load(READ_TSC))


def add_chain() -> Callable[[int, int], int]:
    """Adds a number to itself, 16 times a turn, a cycle each; Unavailable."""
    return CFUNCTYPE(c_uint64, c_uint64, c_size_t)(load(ADD_CHAIN))


class Calls:
    """A few calls of the C library, made over and over.

    Attributes:
        method: ``native``; ``python`` where there is no machine code for this processor, and some
            0.3 µs of Python come on top of every call.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        libc = ctypes.CDLL(None)
        self._functions = [(getattr(libc, name), arguments) for name, *arguments in calls]
        words = [
            word
            for function, arguments in self._functions
            for word in (ctypes.cast(function, c_void_p).value, *arguments)
        ]
        self._table = (c_uint64 * len(words))(*(word or 0 for word in words))
        try:
            self._native = CFUNCTYPE(None, c_void_p, c_size_t, c_size_t)(load(RUN_CALLS))
            self.method = NATIVE
        except Unavailable:
            self.method = PYTHON

    def run(self, count: int) -> None:
        """Make the calls, one after the other, ``count`` times."""
        if self.method == NATIVE:
            self._native(ctypes.addressof(self._table), len(self._functions), count)
            return
        calls = [
            (function, [c_void_p(word) for word in arguments])
            for function, arguments in self._functions
        ]
        for _ in range(count):
            for function, arguments in calls:
                function(*arguments)
