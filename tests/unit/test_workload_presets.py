"""The presets: fixed for ever, and documented with the numbers they have."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tuiapp.errors import UsageError
from tuiapp.stats.slo import SLO_PRESETS, parse_slos
from tuiapp.workload.plan import Plan
from tuiapp.workload.presets import DEFAULT, PRESETS, preset
from tuiapp.workload.spec import Workload

METRICS = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
NAMES = ("chat", "rag", "code", "voice", "agent", "translate", "batch", "bursty", "steady")

# (digest, hash of gaps and whole requests). A change means that recordings made before and after
# no longer ran the same load: give the workload another name, or say so in the changelog.
GOLDEN = {
    "chat": ("5354adaab53d", "ba4bf45e16e7"),
    "rag": ("dcf33179fc6b", "9cc238627f4f"),
    "code": ("357fc5381794", "e7d339a877ec"),
    "voice": ("186d354396c0", "d12f6e94179e"),
    "agent": ("c7ae19e13c2b", "2385fc167286"),
    "translate": ("ee7aaf873435", "d114c5f8b84b"),
    "batch": ("176167f84a46", "c238d2754862"),
    "bursty": ("4eda28c0cd5e", "42e325244f24"),
    "steady": ("67d4cf450185", "3967c0de2dbf"),
}


def stream_hash(load: Workload) -> str:
    plan = Plan(load, vocab_size=32_000, max_model_len=8_192)
    every = [
        [
            plan.gap(i),
            *(
                (request.prompt_token_ids, request.output_tokens)
                for request in (plan.request(i), plan.warmup_request(i))
            ),
        ]
        for i in (*range(40), 255, 256, 100_000)
    ]
    return hashlib.sha256(json.dumps(every).encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", GOLDEN)
def test_the_load_is_the_same_as_ever(name: str) -> None:
    assert (PRESETS[name].digest(), stream_hash(PRESETS[name])) == GOLDEN[name]


def test_known_first_requests() -> None:
    plan = Plan(PRESETS["chat"], vocab_size=32_000, max_model_len=8_192)
    assert [plan.gap(i) for i in range(3)] == [
        1.0318050384521484,
        0.06563568115234375,
        0.12820053100585938,
    ]
    assert [plan.lengths(i) for i in range(4)] == [(5, 66), (24, 37), (41, 69), (160, 90)]
    assert plan.request(0).prompt_token_ids[:3] == [16019, 21802, 7026]


def test_all_presets_are_there_and_named_as_they_are_called() -> None:
    assert tuple(PRESETS) == NAMES == tuple(GOLDEN)
    assert all(load.name == name for name, load in PRESETS.items())
    assert preset(DEFAULT).describe() == "chat 6.0 req/s"
    assert preset(" Voice ") is PRESETS["voice"]


@pytest.mark.parametrize("name", NAMES)
def test_presets_run_until_stopped_with_known_objectives(name: str) -> None:
    load = PRESETS[name]
    assert (load.requests, load.duration_s, load.seed) == (None, None, 0)
    assert Workload.from_dict(load.to_dict()) == load
    assert bool(parse_slos(load.slos)) == (name != "batch")


@pytest.mark.parametrize("name", NAMES)
def test_shared_prefixes_fill_whole_blocks_of_the_prefix_cache(name: str) -> None:
    assert PRESETS[name].prefix_tokens % 128 == 0


def test_an_unknown_name_is_refused_with_the_choice() -> None:
    with pytest.raises(UsageError, match="steady"):
        preset("shat")


@pytest.mark.parametrize("name", NAMES)
def test_the_documentation_has_its_numbers(name: str) -> None:
    load = PRESETS[name]
    beginning = f"| `{name}` | {load.arrival}"
    row = next(line for line in METRICS.splitlines() if line.startswith(beginning))
    prefix = f"{load.prefix_groups} × {load.prefix_tokens}" if load.prefix_groups else "none"
    for fact in (f"`{load.prompt}`", f"`{load.output}`", f"| {prefix} |"):
        assert fact in row
    offered = f"{load.concurrency} in flight" if load.concurrency else f"{load.rate:g} req/s"
    assert offered in row


@pytest.mark.parametrize("name", SLO_PRESETS)
def test_the_documentation_has_the_objectives(name: str) -> None:
    row = next(line for line in METRICS.splitlines() if line.startswith(f"| `{name}` | `"))
    for text in SLO_PRESETS[name]:
        assert f"`{text}`" in row
