"""A header may hold anything: no rule raises, and no evidence holds what a terminal would obey."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

import tuiapp.diagnosis
from tests.doubles.synthetic import NS
from tuiapp.diagnosis import RULES, diagnose
from tuiapp.diagnosis.finding import SEVERITIES
from tuiapp.diagnosis.moment import Moment
from tuiapp.events import Frame, Kind
from tuiapp.session.columns import Session
from tuiapp.session.view import View

FOLDER = Path(tuiapp.diagnosis.__file__).parent
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
NAMES = sorted(set(re.findall(r'"([a-z][a-z0-9_]{2,40})"', SOURCE)))
"""Every name a rule may look for, and some more words."""
GROUPS = ("cpu", "memory", "load", "process", "process.app", "driver", "hiccup", "gpu0", "gpu1",
          "gpu0.health", "gpu1.health", "gpu0.mig0", "gpu12345678", "gpux")  # fmt: skip

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(("kvm", "guest", "0-3", "0-999999999", "3-1", "\x1b[2J", "cpu", "cuda", "ok"))
    | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=12,
)
facts = st.dictionaries(st.sampled_from(NAMES), anything, max_size=30)
gauges = st.dictionaries(
    st.sampled_from(NAMES), st.floats(width=32) | st.sampled_from((0.0, 1.0, 64.0)), max_size=12
)


@settings(max_examples=400, deadline=None)
@given(
    host=facts | anything,
    engine=facts | anything,
    gpus=st.lists(facts, max_size=3),
    samples=st.dictionaries(st.sampled_from(GROUPS), gauges, max_size=6),
)
def test_nothing_in_a_file_makes_a_rule_raise(
    host: Any, engine: Any, gpus: list[Any], samples: dict[str, dict[str, float]]
) -> None:
    session = Session()
    if isinstance(host, dict):
        host = host | {"gpus": [{"index": at, **found} for at, found in enumerate(gpus)]}
    session.meta.update({"host": host, "engine": engine})
    for group, columns in samples.items():
        rows = {"t_ns": [1, NS], **{name: [value, 0.5] for name, value in columns.items()}}
        session.fold(Frame(Kind.SAMPLES, 1, NS, rows, {"group": group}))
    view = View(session, 2 * NS)
    found = diagnose(view)
    assert {finding.rule for finding in found} <= set(RULES)
    for finding in found:
        assert finding.severity in SEVERITIES
        assert f"{finding.title}{finding.evidence}{finding.advice}".isprintable()
        assert len(finding.evidence) < 2000
    # One look at a host, without a session, is judged alike; of no load driver, for it runs none.
    meta = {"host": host, "engine": engine}
    looks = {
        group: [(1, columns), (NS, dict.fromkeys(columns, 0.5))]
        for group, columns in samples.items()
    }
    alike = diagnose(Moment(meta, looks, {}, 2 * NS))
    assert [one for one in alike if one.rule != "client"] == [
        one for one in found if one.rule != "client"
    ]
