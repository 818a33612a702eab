"""GPUs that have gone, and drivers that do not answer."""

from __future__ import annotations

import json

import pytest

from tests.doubles.synthetic import NS
from tuiapp.collectors.nvml import _REASONS
from tuiapp.compare.runs import _caveats as run_caveats
from tuiapp.diagnosis import rule
from tuiapp.diagnosis.finding import BAD, FINE, UNKNOWN, Finding
from tuiapp.events import DRIVER_SILENT, PROBE_UNAVAILABLE, Frame, Kind, facts_frame
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.reader import Report
from tuiapp.session.view import View

LOST = "the GPU is lost: it has fallen off the bus"


def seen(*reasons: tuple[str, str], gpus: int = 4, until_s: int = 30, driver: str = "") -> View:
    """What there is to see when each reason was told at second twelve, after a sample at one."""
    made = Session()
    facts = [{"index": at, "driver": driver} for at in range(gpus)]
    made.fold(Frame(Kind.META, 0, 0, attrs={"host": {"gpus": facts}}))
    for at in range(gpus):
        columns = {"t_ns": [NS], "util": [0.5]}
        made.fold(Frame(Kind.SAMPLES, NS, NS, columns, {"group": f"gpu{at}"}))
    for probe, reason in reasons:
        told = json.dumps({"probe": probe, "reason": reason})
        made.fold(facts_frame(12 * NS, PROBE_UNAVAILABLE, told))
    return View(made, until_s * NS)


def judged(*reasons: tuple[str, str], gpus: int = 4, until_s: int = 30) -> Finding | None:
    """What is said of that."""
    return rule("gpu_lost")(seen(*reasons, gpus=gpus, until_s=until_s))


@pytest.mark.parametrize(
    ("reasons", "severity", "title"),
    [
        ([], FINE, "every GPU in place"),
        ([("gpu3", LOST)], BAD, "gpu3 lost"),
        ([("gpu1", LOST), ("gpu3", LOST)], BAD, "gpu1, gpu3 lost"),
        ([("gpu0", _REASONS[16])], BAD, "gpu0 needs a reset"),
        ([("gpu0", _REASONS[6])], BAD, "gpu0 is gone"),
        ([("gpu3", LOST), ("gpu3", "")], FINE, "every GPU in place"),
        ([("gpu2", _REASONS[4])], UNKNOWN, "GPU in place"),
        ([("gpu2.power_w", _REASONS[4])], FINE, "every GPU in place"),
        ([("nvml", DRIVER_SILENT)], BAD, "NVIDIA driver silent"),
        ([("nvml", f"NVML went away: {_REASONS[1]}")], BAD, "NVIDIA driver gone"),
        ([("amdgpu", "no such device")], FINE, "every GPU in place"),
    ],
)
def test_what_is_gone_is_named(reasons: list[tuple[str, str]], severity: str, title: str) -> None:
    found = judged(*reasons)
    assert found is not None
    assert (found.severity, found.title) == (severity, title)
    assert bool(found.advice) == (severity == BAD)


def test_evidence_tells_the_error_and_since_when() -> None:
    found = judged(("gpu3", LOST))
    assert found is not None
    assert found.evidence == "fallen off the bus since 00:12; 1 of 4 GPUs"


def test_evidence_does_not_say_the_title_again() -> None:
    several = judged(("gpu0", _REASONS[16]), ("gpu2", _REASONS[16]))
    assert several is not None
    assert (several.title, several.evidence) == (
        "gpu0, gpu2 need a reset",
        "since 00:12; 2 of 4 GPUs",
    )
    silent = judged(("nvml", DRIVER_SILENT))
    assert silent is not None
    assert silent.evidence == "no answer since 00:01 (nvml)"


def test_a_driver_is_silent_since_its_newest_sample_not_since_that_was_noticed() -> None:
    for driver, probe in (("amdgpu", "amdgpu"), ("xe", "intel_gpu"), ("", "nvml")):
        found = rule("gpu_lost")(seen((probe, DRIVER_SILENT), driver=driver))
        assert found is not None
        assert found.evidence == f"no answer since 00:01 ({probe})"
    another = judged(("amdgpu", DRIVER_SILENT))
    assert another is not None
    assert another.evidence == "no answer since 00:12 (amdgpu)"


def test_nvidias_name_for_errors_is_not_said_of_other_drivers() -> None:
    for driver in ("", "amdgpu", "xe"):
        found = rule("gpu_lost")(seen(("gpu3", LOST), driver=driver))
        assert found is not None
        assert ("Xid" in found.advice) == (driver == "")
        assert "dmesg" in found.advice


def test_before_it_was_lost_it_is_not() -> None:
    found = judged(("gpu3", LOST), until_s=11)
    assert found is not None
    assert found.severity == FINE


def test_a_driver_that_never_answered_is_told_without_samples() -> None:
    found = judged(("nvml", DRIVER_SILENT), gpus=0)
    assert found is not None
    assert found.severity == BAD
    assert judged(("nvml", "libnvidia-ml.so.1 not found"), gpus=0) is None


def test_results_and_comparisons_carry_it() -> None:
    for view, told in ((seen(("gpu3", LOST)), True), (seen(), False)):
        result = summary(view)["caveats"]
        run = run_caveats(view, Report())
        assert any("gpu3" in caveat for caveat in result) == told
        assert any("gpu3" in caveat for caveat in run) == told
