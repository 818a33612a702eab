"""Findings on GPUs that are divided, or are a part of the processor."""

from __future__ import annotations

from typing import Any

import pytest

from tuiapp.diagnosis import rule
from tuiapp.diagnosis.finding import FINE, UNKNOWN, WARN, Finding
from tuiapp.diagnosis.moment import Moment
from tuiapp.diagnosis.reading import gpus, gpus_used

GIB = 1 << 30
MIG = {"index": 0, "mig": {"enabled": True, "instances": [{}, {}]}}


def divided(*slices: dict[str, float], engine: bool = False) -> Finding | None:
    """What is said of neighbours on a GPU with these slices, itself at rest."""
    samples: dict[str, Any] = {"gpu0": [(1, {"mem_used_bytes": 1e8, "other_bytes": 0.0})]}
    samples |= {f"gpu0.mig{at}": [(1, gauges)] for at, gauges in enumerate(slices)}
    meta: dict[str, Any] = {"host": {"gpus": [MIG]}}
    meta |= {"engine": {"name": "vllm"}} if engine else {}
    return rule("gpu_neighbour")(Moment(meta, samples))


@pytest.mark.parametrize(
    ("slices", "engine", "severity"),
    [
        ([{"mem_used_bytes": 18.0 * GIB}, {"mem_used_bytes": 1e7}], False, WARN),
        ([{"mem_used_bytes": 1e7}, {"mem_used_bytes": 1e7}], False, FINE),
        ([{"mem_used_bytes": 1e7}, {}], False, UNKNOWN),
        ([{"other_bytes": 0.0}, {"other_bytes": 3.0 * GIB}], True, WARN),
        ([{"other_bytes": 0.0}, {"other_bytes": 0.0}], True, FINE),
        ([{"mem_used_bytes": 18.0 * GIB}, {"other_bytes": 0.0}], True, UNKNOWN),
        ([], False, UNKNOWN),
    ],
)
def test_neighbours_of_a_divided_gpu_are_looked_for_in_its_slices(
    slices: list[dict[str, float]], engine: bool, severity: str
) -> None:
    found = divided(*slices, engine=engine)
    assert found is not None
    assert found.severity == severity
    assert "of its time" not in found.evidence


def test_graphics_inside_a_processor_count_where_there_is_nothing_else() -> None:
    inside, card = {"index": 0, "integrated": True}, {"index": 1}
    samples = {f"gpu{at}": [(1, {"util": 0.1})] for at in (0, 1)}
    both = Moment({"host": {"gpus": [inside, card]}}, samples)
    assert ([gpu.group for gpu in gpus(both)], gpus_used(both)) == (["gpu1"], 1)
    alone = Moment({"host": {"gpus": [inside]}}, {"gpu0": samples["gpu0"]})
    assert ([gpu.group for gpu in gpus(alone)], gpus_used(alone)) == (["gpu0"], 1)


@pytest.mark.parametrize(
    ("driver", "counts", "reason"),
    [
        (None, [3.0], "told once"),
        (None, [], "no sample of it"),
        ("amdgpu", [], "not read for this driver"),
    ],
)
def test_why_nothing_is_known_of_replays(
    driver: str | None, counts: list[float], reason: str
) -> None:
    samples: dict[str, Any] = {"gpu0": [(1, {"util": 0.1})]}
    samples["gpu0.health"] = [(at, {"pcie_replays": count}) for at, count in enumerate(counts)]
    meta = {"host": {"gpus": [{"index": 0, "driver": driver}]}}
    found = rule("pcie_replays")(Moment(meta, samples))
    assert found is not None
    assert (found.severity, reason in found.evidence) == (UNKNOWN, True)
