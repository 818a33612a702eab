"""Plans: arrivals and requests by index, the same in any order."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest

from tuiapp.workload.plan import Plan
from tuiapp.workload.spec import Lengths, Workload

VOCAB, MODEL_LEN = 32_000, 4_096
PREFIXED = Workload(prefix_groups=3, prefix_tokens=40, prompt=Lengths.parse("uniform:5-30"))


def plan(load: Workload, vocab: int = VOCAB, model_len: int = MODEL_LEN) -> Plan:
    return Plan(load, vocab, model_len)


def gaps(load: Workload, n: int = 20_000) -> np.ndarray:
    made = plan(load)
    return np.array([made.gap(i) for i in range(n)])


def test_poisson_gaps_have_mean_and_spread_one() -> None:
    drawn = gaps(Workload())
    assert drawn.mean() == pytest.approx(1, abs=0.03)
    assert drawn.std() == pytest.approx(1, abs=0.03)


def test_gamma_gaps_are_as_bursty_as_asked() -> None:
    drawn = gaps(Workload(arrival="gamma", burstiness=0.25))
    assert drawn.mean() == pytest.approx(1, abs=0.06)
    assert drawn.std() == pytest.approx(2, rel=0.06)


def test_constant_gaps_and_none_in_a_closed_loop() -> None:
    assert set(gaps(Workload(arrival="constant"), 600)) == {1.0}
    assert set(gaps(Workload(arrival="closed", concurrency=2), 600)) == {0.0}


def test_gamma_of_burstiness_one_is_poisson() -> None:
    np.testing.assert_array_equal(
        gaps(Workload(arrival="gamma"), 600), gaps(Workload(arrival="poisson"), 600)
    )


def test_gaps_can_be_asked_in_any_order() -> None:
    forwards = gaps(Workload(), 700)
    made = plan(Workload())
    for i in (699, 0, 256, 255, 511, 512):
        assert made.gap(i) == forwards[i]


def test_sums_of_gaps_are_exact_whichever_way_they_are_added() -> None:
    drawn = gaps(Workload(arrival="gamma", burstiness=0.3), 5_000).tolist()
    assert list(accumulate(drawn))[-1] == list(accumulate(reversed(drawn)))[-1]


def test_the_rate_of_a_ramp_is_a_straight_line_that_stays_at_its_end() -> None:
    ramp = plan(Workload(arrival="ramp", rate=2, ramp_to=10, duration_s=40))
    assert [ramp.rate_at(t, 2) for t in (-1, 0, 10, 40, 90)] == [2, 2, 4, 10, 10]
    assert ramp.rate_at(20, 4) == 7
    assert plan(Workload()).rate_at(30, 5.5) == 5.5


def test_requests_are_functions_of_their_index_alone() -> None:
    forwards, backwards = plan(PREFIXED), plan(PREFIXED)
    made = [forwards.request(i) for i in range(50)]
    for i in (49, 3, 0, 20):
        backwards.warmup_request(i)
        backwards.gap(i)
        assert backwards.request(i) == made[i]
    assert len({tuple(request.prompt_token_ids) for request in made}) == 50


def test_seeds_give_different_loads() -> None:
    other = replace(PREFIXED, seed=1)
    assert plan(PREFIXED).request(0) != plan(other).request(0)
    assert plan(PREFIXED).gap(0) != plan(other).gap(0)


def test_prefixes_depend_on_seed_and_group_only() -> None:
    def prefixes(load: Workload) -> set[tuple[int, ...]]:
        made = plan(load)
        return {tuple(made.request(i).prompt_token_ids[:40]) for i in range(60)}

    three = prefixes(PREFIXED)
    assert len(three) == 3
    longer = replace(PREFIXED, prompt=Lengths.parse("77"), output=Lengths.parse("9"), rate=1)
    assert prefixes(longer) == three
    assert not prefixes(replace(PREFIXED, seed=9)) & three


def test_warmup_shares_prefixes_and_nothing_else() -> None:
    made = plan(PREFIXED)
    measured = [made.request(i).prompt_token_ids for i in range(60)]
    warmup = [made.warmup_request(i).prompt_token_ids for i in range(60)]
    assert {tuple(ids[:40]) for ids in warmup} == {tuple(ids[:40]) for ids in measured}
    own = {tuple(ids[40:]) for ids in measured}
    assert not own & {tuple(ids[40:]) for ids in warmup}


def test_lengths_are_those_of_the_requests() -> None:
    made = plan(PREFIXED)
    for i in range(20):
        request = made.request(i)
        assert made.lengths(i) == (len(request.prompt_token_ids) - 40, request.output_tokens)
        assert not request.shortened


@pytest.mark.parametrize(
    ("vocab", "low", "high"), [(1, 0, 1), (20, 0, 20), (512, 16, 504), (128_256, 2_004, 126_252)]
)
def test_ids_avoid_both_ends_of_the_vocabulary(vocab: int, low: int, high: int) -> None:
    made = plan(Workload(prompt=Lengths.parse("4000")), vocab=vocab)
    ids = made.request(0).prompt_token_ids + made.request(1).prompt_token_ids
    assert min(ids) >= low
    assert max(ids) < high
    if vocab == 512:
        assert set(ids) == set(range(low, high))


def test_ids_are_even() -> None:
    made = plan(Workload(prompt=Lengths.parse("4000")), vocab=144)
    counts = np.bincount(np.concatenate([made.request(i).prompt_token_ids for i in range(20)]))
    np.testing.assert_allclose(counts[16:], 80_000 / len(counts[16:]), rtol=0.2)


@pytest.mark.parametrize("model_len", [2, 3, 50, 64, 100, 150])
@pytest.mark.parametrize("output", ["1", "30", "500"])
@pytest.mark.parametrize("prefix", [0, 40])
def test_requests_fit_the_model(model_len: int, output: str, prefix: int) -> None:
    load = Workload(
        prompt=Lengths.parse("uniform:10-90"),
        output=Lengths.parse(output),
        prefix_groups=min(prefix, 1),
        prefix_tokens=prefix,
    )
    made = plan(load, model_len=model_len)
    requests = [made.request(i) for i in range(40)]
    for i, request in enumerate(requests):
        assert len(request.prompt_token_ids) >= 1
        assert request.output_tokens >= 1
        assert len(request.prompt_token_ids) + request.output_tokens <= model_len
        prompt, wanted = made.lengths(i)
        asked, kept = (
            (prompt + prefix, wanted),
            (len(request.prompt_token_ids), request.output_tokens),
        )
        assert request.shortened == (asked != kept)


def test_a_clipped_prompt_keeps_tokens_of_its_own() -> None:
    load = replace(PREFIXED, prefix_tokens=400, prompt=Lengths.parse("100"))
    made = plan(load, model_len=200)
    prompts = [made.request(i).prompt_token_ids for i in range(30)]
    assert {len(ids) for ids in prompts} == {200 - 64}
    assert len({tuple(ids[:68]) for ids in prompts}) == 3
    assert len({tuple(ids) for ids in prompts}) == 30
