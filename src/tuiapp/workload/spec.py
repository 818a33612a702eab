"""What a workload is, as values that can be written down, checked, and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from tuiapp.errors import UsageError
from tuiapp.stats.slo import parse_slos
from tuiapp.workload.lengths import MAX_TOKENS, Lengths

__all__ = ["ARRIVALS", "Lengths", "Workload"]

ARRIVALS = ("poisson", "constant", "gamma", "closed", "ramp")
_SHAPED = ("gamma", "ramp")
_LENGTHS, _TEXTS = ("prompt", "output"), ("name", "arrival")
_MAX_RATE = 1e6
_SPOKEN = {"ramp_to": "rate at the end of the ramp"}
_MAX_NAME = 60
_DIGEST_REQUESTS = 64
_PROMPT, _OUTPUT = Lengths("fixed", 128), Lengths("fixed", 64)


@dataclass(frozen=True, slots=True)
class Workload:
    """A load, whole: the same value and seed ask the same of every host.

    Attributes:
        name: of the preset it came from, or the user's own.
        arrival: one of ``ARRIVALS``. ``closed`` keeps ``concurrency`` requests in flight; the
            others are open loop.
        rate: requests a second; where a ramp begins. Not used by ``closed``.
        burstiness: shape of the gamma distributed gaps (gamma, ramp), as in ``vllm bench serve``:
            1 is Poisson, less is burstier, more is smoother.
        ramp_to: requests a second at the end of a ramp, which lasts ``duration_s``.
        prompt: tokens of a request's own, behind its shared prefix.
        output: tokens asked for.
        prefix_groups, prefix_tokens: each request begins with one of this many prefixes.
        requests, duration_s: when to stop, whichever comes first; neither: when told to.
        warmup: requests sent before and left out of every result.
        slos: objectives that suit it, in the form ``stats.slo.parse_slos`` reads.

    Raises:
        UsageError: a value that makes no sense, or two that contradict each other.
    """

    name: str = "custom"
    arrival: str = "poisson"
    rate: float = 6.0
    burstiness: float = 1.0
    ramp_to: float | None = None
    concurrency: int | None = None
    prompt: Lengths = _PROMPT
    output: Lengths = _OUTPUT
    prefix_groups: int = 0
    prefix_tokens: int = 0
    requests: int | None = None
    duration_s: float | None = None
    warmup: int = 8
    seed: int = 0
    slos: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            if field.name in _NUMBERS:
                object.__setattr__(self, field.name, _positive(field.name, value))
            elif field.name in _COUNTS:
                _check_count(field.name, value)
        self._check_texts()
        self._check_arrival()
        if bool(self.prefix_groups) != bool(self.prefix_tokens):
            raise UsageError(
                "A shared prefix needs both a number of groups and a length.",
                "Set both, or neither.",
            )

    def _check_texts(self) -> None:
        if self.arrival not in ARRIVALS:
            raise UsageError(
                f"{self.arrival[:60]!r} is no arrival process.",
                f"Choose one of {', '.join(ARRIVALS)}.",
            )
        if not self.name.isprintable() or not 0 < len(self.name) <= _MAX_NAME:
            raise UsageError(f"The workload's name must be 1 to {_MAX_NAME} printable characters.")
        parse_slos(self.slos)

    def _check_arrival(self) -> None:
        if self.arrival == "closed" and self.concurrency is None:
            raise UsageError("A closed loop needs a concurrency.", "Give one, such as 8.")
        if self.arrival != "closed" and self.concurrency is not None:
            raise UsageError(
                f"Concurrency belongs to the closed loop, not to {self.arrival} arrivals.",
                "Choose one of the two.",
            )
        if (self.arrival == "ramp") != (self.ramp_to is not None):
            raise UsageError(
                "A ramp, and only a ramp, needs the rate it ends with.",
                "Give arrival ramp, a rate to end with, and a duration.",
            )
        if self.arrival == "ramp" and self.duration_s is None:
            raise UsageError("A ramp needs a duration.", "Give one in seconds, such as 60.")
        if self.burstiness != 1 and self.arrival not in _SHAPED:
            raise UsageError(
                f"Burstiness has no meaning for {self.arrival} arrivals.",
                "Choose gamma arrivals, or leave it at 1.",
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ``from_dict`` gives the workload back."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return plain | {
            "prompt": str(self.prompt),
            "output": str(self.output),
            "slos": list(self.slos),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Workload:
        """The workload that ``to_dict`` wrote down, perhaps in another version.

        Raises:
            UsageError: a key this version does not know (it would be another load without it),
                or a value that does not fit.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(str(key)[:60] for key in plain if key not in known)
        if unknown:
            raise UsageError(
                f"The workload has settings this version does not know: {', '.join(unknown)}.",
                "Use the version that wrote it, or a newer one.",
            )
        read = {name: Lengths.parse(str(plain[name])) for name in _LENGTHS if name in plain}
        slos = plain.get("slos", ())
        if not isinstance(slos, list | tuple):
            raise UsageError("The workload's slos must be a list.")
        texts = {name: str(plain[name]) for name in _TEXTS if name in plain}
        return cls(**{**plain, **texts, **read, "slos": tuple(str(text) for text in slos)})

    def digest(self) -> str:
        """Twelve hex digits that are equal where the same is asked of the engine.

        They cover every setting but the name and the SLOs, and the first 64 gaps and lengths
        themselves, so that a change of the generator shows too.
        """
        # The generator needs numpy, which those who only parse and list workloads do not.
        from tuiapp.workload.plan import Plan

        plan = Plan(self, vocab_size=1, max_model_len=2 * MAX_TOKENS)
        first = [(plan.gap(i), *plan.lengths(i)) for i in range(_DIGEST_REQUESTS)]
        plain = {key: value for key, value in self.to_dict().items() if key not in ("name", "slos")}
        text = json.dumps([plain, first], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def describe(self) -> str:
        """A few words for a header: ``chat 6.0 req/s``."""
        if self.arrival == "closed":
            return f"{self.name} {self.concurrency} in flight"
        if self.arrival == "ramp":
            return f"{self.name} {_rate_text(self.rate)} to {_rate_text(self.ramp_to)} req/s"
        return f"{self.name} {_rate_text(self.rate)} req/s"


_NUMBERS = ("rate", "burstiness", "ramp_to", "duration_s")
_COUNTS: dict[str, tuple[int, int]] = {
    "concurrency": (1, 1 << 16),
    "requests": (1, 1 << 31),
    "prefix_groups": (0, 1 << 16),
    "prefix_tokens": (0, MAX_TOKENS),
    "warmup": (0, 1 << 20),
    "seed": (0, 1 << 63),
}
"""Smallest and largest of the whole numbers."""


def _rate_text(rate: float | None) -> str:
    return "—" if rate is None else f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"


def _positive(name: str, value: Any) -> float:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not 0 < value <= _MAX_RATE:
        what = _SPOKEN.get(name) or name.replace("_", " ").removesuffix(" s")
        raise UsageError(
            f"The {what} must be a number above 0 and at most {_MAX_RATE:,.0f}, not {value!s:.60}.",
        )
    return float(value)


def _check_count(name: str, value: Any) -> None:
    least, most = _COUNTS[name]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(
            f"{name.replace('_', ' ').capitalize()} must be a whole number from {least} to {most}, "
            f"not {value!s:.60}."
        )
