"""Ready-made workloads. Where the numbers come from stands in ``docs/metrics.md``."""

from __future__ import annotations

from tuiapp.errors import UsageError
from tuiapp.stats.slo import SLO_PRESETS
from tuiapp.workload.lengths import Lengths
from tuiapp.workload.spec import Workload

DEFAULT = "chat"

_parse = Lengths.parse

PRESETS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload(
            "chat",
            rate=6,
            prompt=_parse("lognormal:48,0.9,1024"),
            output=_parse("lognormal:64,0.6,512"),
            prefix_groups=1,
            prefix_tokens=128,
            slos=SLO_PRESETS["chat"],
        ),
        Workload(
            "rag",
            rate=1.5,
            prompt=_parse("lognormal:768,0.5,3072"),
            output=_parse("lognormal:128,0.5,512"),
            prefix_groups=16,
            prefix_tokens=256,
            slos=SLO_PRESETS["rag"],
        ),
        Workload(
            "code",
            rate=3,
            prompt=_parse("lognormal:1024,0.7,4096"),
            output=_parse("lognormal:16,0.8,256"),
            prefix_groups=8,
            prefix_tokens=512,
            slos=SLO_PRESETS["code"],
        ),
        Workload(
            "voice",
            rate=4,
            prompt=_parse("lognormal:32,0.5,256"),
            output=_parse("lognormal:40,0.4,160"),
            prefix_groups=1,
            prefix_tokens=256,
            slos=SLO_PRESETS["voice"],
        ),
        Workload(
            "agent",
            arrival="gamma",
            rate=1.5,
            burstiness=0.5,
            prompt=_parse("lognormal:512,1.2,4096"),
            output=_parse("lognormal:128,1,1024"),
            prefix_groups=4,
            prefix_tokens=1024,
            slos=SLO_PRESETS["agent"],
        ),
        Workload(
            "translate",
            rate=4,
            prompt=_parse("uniform:32-256"),
            output=_parse("uniform:32-256"),
            prefix_groups=1,
            prefix_tokens=128,
            slos=SLO_PRESETS["content"],
        ),
        Workload(
            "batch",
            arrival="closed",
            concurrency=16,
            prompt=_parse("lognormal:512,0.6,2048"),
            output=_parse("128"),
            warmup=16,
        ),
        Workload(
            "bursty",
            arrival="gamma",
            rate=6,
            burstiness=0.25,
            prompt=_parse("lognormal:48,0.9,1024"),
            output=_parse("lognormal:64,0.6,512"),
            prefix_groups=1,
            prefix_tokens=128,
            slos=SLO_PRESETS["chat"],
        ),
        Workload(
            "steady",
            arrival="constant",
            rate=4,
            prompt=_parse("128"),
            output=_parse("64"),
            slos=SLO_PRESETS["chat"],
        ),
    )
}


def preset(name: str) -> Workload:
    """The workload called ``name``.

    Raises:
        UsageError: there is none.
    """
    found = PRESETS.get(name.strip().lower())
    if found is None:
        raise UsageError(f"{name[:60]!r} is no workload.", f"Choose one of {', '.join(PRESETS)}.")
    return found
