"""How many tokens a prompt or an answer has: ``64``, ``uniform:16-128``, ``lognormal:64,0.6``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tuiapp.errors import UsageError

MAX_TOKENS = 1 << 22
_MAX_SIGMA = 4.0
_FIXED = re.compile(r"(?:fixed:)?(\d{1,9})")
_UNIFORM = re.compile(r"uniform:(\d{1,9})-(\d{1,9})")
_LOGNORMAL = re.compile(r"lognormal:(\d{1,9}),(\d{1,3}(?:\.\d{1,9})?)(?:,(\d{1,9}))?")
_ADVICE = "Write 64, uniform:16-128, or lognormal:MEDIAN,SIGMA[,MAX] such as lognormal:64,0.6,512."


@dataclass(frozen=True, slots=True)
class Lengths:
    """A distribution of token counts.

    Attributes:
        kind: ``fixed``, ``uniform`` or ``lognormal``.
        tokens: the count, the smallest count, or the median.
        sigma: standard deviation of the logarithm; lognormal only.
        most: the largest count; uniform always, lognormal optionally.
    """

    kind: str
    tokens: int
    sigma: float = 0.0
    most: int | None = None

    def __post_init__(self) -> None:
        most = self.tokens if self.most is None else self.most
        if not 1 <= self.tokens <= most <= MAX_TOKENS:
            raise UsageError(
                f"Token counts must rise from 1 to {MAX_TOKENS} at most: {self}.", _ADVICE
            )
        if self.kind == "lognormal" and not 0 < self.sigma <= _MAX_SIGMA:
            raise UsageError(f"Sigma must be above 0 and at most {_MAX_SIGMA:g}: {self}.", _ADVICE)

    @classmethod
    def parse(cls, text: str) -> Lengths:
        """Read the text form; ``str()`` gives it back.

        Raises:
            UsageError: it is no distribution of lengths.
        """
        form = "".join(text.lower().split())
        if found := _FIXED.fullmatch(form):
            return cls("fixed", int(found[1]))
        if found := _UNIFORM.fullmatch(form):
            return cls("uniform", int(found[1]), most=int(found[2]))
        if found := _LOGNORMAL.fullmatch(form):
            most = int(found[3]) if found[3] else None
            return cls("lognormal", int(found[1]), float(found[2]), most)
        raise UsageError(f"{text[:60]!r} is not a distribution of lengths.", _ADVICE)

    def __str__(self) -> str:
        if self.kind == "fixed":
            return f"fixed:{self.tokens}"
        if self.kind == "uniform":
            return f"uniform:{self.tokens}-{self.most}"
        return f"lognormal:{self.tokens},{self.sigma:.9g}" + (f",{self.most}" if self.most else "")

    def sample(self, u: float, v: float) -> int:
        """A count from two uniforms in [0, 1); Box–Muller for the lognormal."""
        if self.kind == "fixed":
            return self.tokens
        if self.kind == "uniform":
            return self.tokens + int(u * (self._ceiling - self.tokens + 1))
        normal = math.sqrt(-2 * math.log1p(-u)) * math.cos(2 * math.pi * v)
        return min(max(round(self.tokens * math.exp(self.sigma * normal)), 1), self._ceiling)

    @property
    def _ceiling(self) -> int:
        return MAX_TOKENS if self.most is None else self.most
