"""What may be why the sides of a comparison differ, over all their runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.doubles.comparing import NOISY, QUIET, SAMPLE_PAIR
from tuiapp.compare import causes as causes_module
from tuiapp.compare.causes import causes
from tuiapp.compare.cells import cause_line, cause_lines
from tuiapp.compare.reading import Question
from tuiapp.compare.reports import FORMATS, report
from tuiapp.diagnosis.finding import BAD, FINE, UNKNOWN, WARN, Finding

Grades = list[str]


def told(monkeypatch: pytest.MonkeyPatch, a: Grades, b: Grades) -> Any:
    """Causes of sides whose runs find one factor as grave as said."""
    severities = iter((*a, *b))
    found = lambda _: [Finding("steal", s, f"steal {s}", "", "Move.") for s in [next(severities)]]  # noqa: E731
    monkeypatch.setattr(causes_module, "diagnose", found)
    return causes([None] * len(a), [None] * len(b))  # type: ignore[list-item]


def test_a_noisy_neighbour_is_named_first_and_queues_for_cores_after_it() -> None:
    found = SAMPLE_PAIR.read().answer.causes
    assert [cause.rule for cause in found][:2] == ["neighbours", "run_wait"]
    assert {cause.side for cause in found[:2]} == {"B"}
    back = Question(([NOISY], [QUIET])).read().answer.causes
    assert [(cause.rule, cause.side) for cause in back[:2]] == [
        ("neighbours", "A"), ("run_wait", "A"),
    ]  # fmt: skip


def test_what_most_runs_of_one_side_have_is_told_with_its_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (cause,) = told(monkeypatch, [FINE, FINE, WARN], [BAD, WARN, FINE])
    assert cause_line(cause) == (
        "B: steal warn, a cause in 2 of 3 runs; A: steal fine, a cause in 1 of 3 runs. Move."
    )


def test_what_both_have_is_told_where_it_is_graver(monkeypatch: pytest.MonkeyPatch) -> None:
    (cause,) = told(monkeypatch, [BAD, BAD], [WARN, WARN])
    assert cause.side == "A"


def test_the_run_that_is_quoted_agrees_with_the_side_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sides = [(WARN, 0.13), (BAD, 0.73)], [(BAD, 0.55), (BAD, 0.46)]
    given = iter(
        [Finding("neighbours", how, f"others {share:.0%}", "", "Move.", share)]
        for side in sides for how, share in side
    )  # fmt: skip
    monkeypatch.setattr(causes_module, "diagnose", lambda _: next(given))
    (cause,) = causes([None] * 2, [None] * 2)  # type: ignore[list-item]
    assert (cause.side, cause.here.finding.title, cause.there.finding.title) == (
        "B", "others 46%", "others 13%",
    )  # fmt: skip


def test_a_graver_word_for_less_is_no_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter(
        [Finding("neighbours", how, "", "", "", share)]
        for how, share in ((WARN, 0.7), (WARN, 0.8), (BAD, 0.5), (BAD, 0.6))
    )
    monkeypatch.setattr(causes_module, "diagnose", lambda _: next(given))
    assert causes([None] * 2, [None] * 2) == ()  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([WARN] * 5, [WARN] * 5),
        ([FINE] * 5, [BAD, BAD, FINE, FINE, FINE]),
        ([FINE] * 3, [UNKNOWN] * 3),
        ([UNKNOWN, UNKNOWN, FINE], [BAD] * 3),
    ],
    ids=["alike", "in fewer than half", "not known", "mostly not known"],
)
def test_what_tells_nothing_is_left_out(
    monkeypatch: pytest.MonkeyPatch, a: Grades, b: Grades
) -> None:
    assert told(monkeypatch, a, b) == ()


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_says_it(form: str) -> None:
    written = report(form)(SAMPLE_PAIR.read().answer)
    if form == "json":
        first = json.loads(written)["causes"][0]
        assert (first["rule"], first["side"], first["b"]["causes"]) == ("neighbours", "B", 1)
        assert first["advice"]
    else:
        assert "other processes 49 % of CPU" in " ".join(written.split())


def test_none_is_said() -> None:
    assert cause_lines(()) == [
        "no factor that was looked at is graver on one side than on the other"
    ]
