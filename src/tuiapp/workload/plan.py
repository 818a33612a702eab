"""The requests of a workload: when each arrives and what it asks, by index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuiapp.workload import streams
from tuiapp.workload.spec import Workload
from tuiapp.workload.streams import Stream, Words

_CHUNK = 256
_LENGTH_WORDS = 8
_LOWEST_ID = 16
_MARGIN = 64


@dataclass(frozen=True, slots=True)
class Planned:
    """One request; ``shortened`` when it had to be cut to fit the model."""

    prompt_token_ids: list[int]
    output_tokens: int
    shortened: bool = False


class Plan:
    """A workload made concrete for one model; random access, the same on every host.

    Args:
        workload: what to ask.
        vocab_size: ids are drawn evenly from its middle. The outer 1/64 at either end, and the
            first 16, are left out: that is where tokenizers keep their special tokens.
        max_model_len: prompt and output together never exceed it (at least 2).
    """

    def __init__(self, workload: Workload, vocab_size: int, max_model_len: int) -> None:
        self.workload = workload
        self.max_model_len = max_model_len
        margin = vocab_size // _MARGIN
        self._first_id = max(margin, _LOWEST_ID) if vocab_size > 2 * _LOWEST_ID else 0
        self._ids = np.uint64(max(vocab_size - margin - self._first_id, 1))
        self._words = Words(workload.seed)
        self._prefixes: dict[int, list[int]] = {}
        self._gaps: tuple[int, list[float]] = (-1, [])

    # -- arrivals --------------------------------------------------------------------------

    def gap(self, i: int) -> float:
        """Time from arrival i − 1 to arrival i in units of the mean gap; 0 in a closed loop.

        A multiple of 2⁻²⁰, so sums of gaps are exact in any order.
        """
        chunk, at = divmod(i, _CHUNK)
        if self._gaps[0] != chunk:
            self._gaps = (chunk, self._draw_gaps(chunk))
        return self._gaps[1][at]

    def _draw_gaps(self, chunk: int) -> list[float]:
        arrival, shape = self.workload.arrival, self.workload.burstiness
        if arrival in ("constant", "closed"):
            return [float(arrival == "constant")] * _CHUNK
        self._words.seek(Stream.GAPS, chunk)
        if shape == 1:
            gaps = streams.exponential(self._words.read_uniforms(_CHUNK))
        else:
            u = self._words.read_uniforms(_CHUNK * streams.GAMMA_WORDS)
            gaps = streams.gamma(u.reshape(_CHUNK, -1), shape)
        return [float(gap) for gap in gaps]

    def rate_at(self, elapsed_s: float, base_rate: float) -> float:
        """Requests a second at a moment of the run.

        Args:
            elapsed_s: since the first intended arrival.
            base_rate: the workload's rate, or what somebody changed it to.
        """
        ramp_to, duration_s = self.workload.ramp_to, self.workload.duration_s
        if ramp_to is None or duration_s is None:
            return base_rate
        done = min(max(elapsed_s / duration_s, 0.0), 1.0)
        return base_rate + (ramp_to - base_rate) * done

    # -- requests --------------------------------------------------------------------------

    def lengths(self, i: int) -> tuple[int, int]:
        """(prompt, output) tokens of request ``i`` as drawn, the prefix not counted."""
        self._words.seek(Stream.REQUESTS, i)
        _, prompt, output = self._draw_lengths()
        return prompt, output

    def request(self, i: int) -> Planned:
        """Request ``i`` of the measured load."""
        return self._request(Stream.REQUESTS, i)

    def warmup_request(self, i: int) -> Planned:
        """Request ``i`` of the warm-up: the same prefixes, but nothing else in common."""
        return self._request(Stream.WARMUP, i)

    def _request(self, stream: Stream, i: int) -> Planned:
        self._words.seek(stream, i)
        group, own, output = self._draw_lengths()
        total, kept_output = self._fit(self.workload.prefix_tokens + own, output)
        shortened = (total, kept_output) != (self.workload.prefix_tokens + own, output)
        if shortened:
            own = max(min(own, total // 2), total - self.workload.prefix_tokens)
        ids = self._draw_ids(own)
        # Only now: making a prefix moves the generator.
        if total > own:
            ids = self._prefix(group)[: total - own] + ids
        return Planned(ids, kept_output, shortened)

    def _draw_lengths(self) -> tuple[int, int, int]:
        """(prefix group, prompt, output); always the same number of words."""
        u = self._words.read_uniforms(_LENGTH_WORDS).tolist()
        prompt = self.workload.prompt.sample(u[0], u[1])
        output = self.workload.output.sample(u[2], u[3])
        return int(u[4] * self.workload.prefix_groups), prompt, output

    def _fit(self, prompt: int, output: int) -> tuple[int, int]:
        """Shorten the prompt first, down to half of the model's length, then the output."""
        room = self.max_model_len
        prompt = min(prompt, max(room - output, room // 2))
        return prompt, min(output, room - prompt)

    def _prefix(self, group: int) -> list[int]:
        """The shared beginning of a group: a function of (seed, group) alone."""
        if group not in self._prefixes:
            self._words.seek(Stream.PREFIXES, group)
            self._prefixes[group] = self._draw_ids(self.workload.prefix_tokens)
        return self._prefixes[group]

    def _draw_ids(self, count: int) -> list[int]:
        """``count`` token ids, two from each word: the high part of (32 bits · number of ids)."""
        halves = self._words.read(-(-count // 2)).astype("<u8").view("<u4")[:count]
        ids = (halves.astype(np.uint64) * self._ids >> np.uint64(32)).astype(np.int64)
        return (ids + self._first_id).tolist()  # type: ignore[no-any-return]
