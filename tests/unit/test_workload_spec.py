"""Workloads as values: what is refused, what is written down, and the digest."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from tuiapp.errors import UsageError
from tuiapp.workload.spec import ARRIVALS, Lengths, Workload

RAMP = Workload("up", arrival="ramp", rate=1, ramp_to=8, duration_s=60)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"rate": -1}, "rate must be a number above 0"),
        ({"rate": 0}, "rate"),
        ({"rate": math.nan}, "rate"),
        ({"rate": math.inf}, "rate"),
        ({"rate": None}, "rate"),
        ({"rate": "6"}, "rate"),
        ({"rate": True}, "rate"),
        ({"rate": 10**400}, "rate"),
        ({"burstiness": 0, "arrival": "gamma"}, "burstiness"),
        ({"burstiness": 0.5}, "no meaning for poisson"),
        ({"duration_s": 0}, "duration"),
        ({"requests": 0}, "Requests must be a whole number from 1"),
        ({"requests": 1.5}, "Requests"),
        ({"seed": -1}, "Seed"),
        ({"warmup": -1}, "Warmup"),
        ({"warmup": None}, "Warmup"),
        ({"arrival": "weekly"}, "no arrival process"),
        ({"arrival": "closed"}, "needs a concurrency"),
        ({"arrival": "closed", "concurrency": 0}, "Concurrency"),
        ({"concurrency": 4}, "belongs to the closed loop"),
        ({"arrival": "ramp", "duration_s": 9}, "rate it ends with"),
        ({"arrival": "ramp", "ramp_to": 9}, "needs a duration"),
        ({"ramp_to": 9}, "only a ramp"),
        ({"arrival": "ramp", "ramp_to": -2, "duration_s": 9}, "end of the ramp"),
        ({"prefix_groups": 4}, "both"),
        ({"prefix_tokens": 4}, "both"),
        ({"prefix_tokens": -4, "prefix_groups": 1}, "Prefix tokens"),
        ({"slos": ("ttft<1",)}, "not an SLO"),
        ({"name": "\x1b[31m"}, "printable"),
        ({"name": "x" * 61}, "printable"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(change: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError) as caught:
        Workload(**change)
    assert why in caught.value.message
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    "fine",
    [
        {},
        {"requests": 10},
        {"duration_s": 10},
        {"requests": 10, "duration_s": 10},
        {"arrival": "gamma", "burstiness": 0.25},
        {"arrival": "closed", "concurrency": 1},
        {"warmup": 0},
        {"seed": 1 << 63},
    ],
)
def test_every_way_of_ending_and_every_arrival_is_allowed(fine: dict[str, Any]) -> None:
    Workload(**fine)


def test_it_survives_json() -> None:
    load = replace(RAMP, prompt=Lengths.parse("lognormal:64,0.5,99"), slos=("chat",), requests=9)
    assert Workload.from_dict(json.loads(json.dumps(load.to_dict()))) == load
    assert Workload.from_dict({}) == Workload()


@pytest.mark.parametrize(
    "plain",
    [
        {"tenants": 4},
        {"prompt": "many"},
        {"prompt": None},
        {"rate": [6]},
        {"slos": "chat"},
        {"slos": {"ttft": 1}},
        {"arrival": None},
        {"concurrency": "4", "arrival": "closed"},
        {"name": ["a", "\n"] * 50},
        {7: 7},
    ],
)
def test_a_hostile_dict_is_a_usage_error(plain: dict[Any, Any]) -> None:
    with pytest.raises(UsageError):
        Workload.from_dict(plain)


def test_a_setting_of_a_newer_version_is_named_not_dropped() -> None:
    with pytest.raises(UsageError, match="tenants"):
        Workload.from_dict(Workload().to_dict() | {"tenants": 4})


def test_the_digest_follows_the_load_and_nothing_else() -> None:
    load = Workload()
    assert replace(load, name="other", slos=("chat",)).digest() == load.digest()
    different = [
        replace(load, rate=6.5),
        replace(load, seed=1),
        replace(load, output=Lengths.parse("65")),
        replace(load, requests=100),
        replace(load, arrival="constant"),
        replace(load, prefix_groups=1, prefix_tokens=16),
        RAMP,
    ]
    digests = {load.digest(), *(other.digest() for other in different)}
    assert len(digests) == len(different) + 1
    assert all(len(digest) == 12 for digest in digests)


def test_whole_and_decimal_numbers_are_one_load() -> None:
    assert Workload(rate=6).digest() == Workload(rate=6.0).digest()


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (Workload("chat", rate=6), "chat 6.0 req/s"),
        (Workload("slow", rate=0.25), "slow 0.25 req/s"),
        (Workload("batch", arrival="closed", concurrency=16), "batch 16 in flight"),
        (RAMP, "up 1.0 to 8.0 req/s"),
    ],
)
def test_a_few_words(load: Workload, text: str) -> None:
    assert load.describe() == text


def test_the_arrivals_are_the_documented_ones() -> None:
    assert ARRIVALS == ("poisson", "constant", "gamma", "closed", "ramp")
