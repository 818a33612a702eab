from __future__ import annotations

from dataclasses import replace

from tests.doubles.drawing import PALETTE, picture, style_at
from tuiapp.tui.renderables.palette import Ink
from tuiapp.tui.renderables.waterfall import Step, Waterfall

STEPS = (
    Step("spawn", 0, 0.3, "done"),
    Step("import", 0.3, 4, "done"),
    Step("weights", 4.3, None, "running"),
    Step("ready"),
)
SAMPLE = Waterfall(STEPS, now_s=6.3, frame=2)


def test_picture() -> None:
    assert picture(SAMPLE, 40, 5) == [
        "✓ spawn    ▋                       0.3 s",
        "✓ import   ████████▋               4.0 s",
        "⠹ weights          ████▋▓          2.0 s",
        "· ready",
        "  so far                           6.3 s",
    ]


def test_too_low_keeps_what_runs_and_the_total() -> None:
    assert [line.split()[1] for line in picture(SAMPLE, 40, 3)] == ["import", "weights", "far"]


def test_too_narrow_keeps_names_and_times() -> None:
    assert picture(SAMPLE, 20, 3)[0] == "✓ import       4.0 s"


def test_one_row_is_a_sentence_of_the_newest() -> None:
    assert picture(SAMPLE, 60, 1) == ["spawn 0.3 s · import 4.0 s · weights 2.0 s"]
    assert picture(SAMPLE, 30, 1) == ["import 4.0 s · weights 2.0 s"]


def test_running_turns() -> None:
    one, two = (picture(replace(SAMPLE, frame=frame), 40, 5) for frame in (0, 1))
    assert one[2] != two[2]
    assert one[:2] + one[3:] == two[:2] + two[3:]


def test_bars_do_not_creep_while_it_runs() -> None:
    """The axis grows in steps: what is done stays where it is between them."""
    early, late = (picture(replace(SAMPLE, now_s=now), 40, 5) for now in (6.3, 9.8))
    assert early[:2] == late[:2]


def test_the_end() -> None:
    done = tuple(
        replace(step, state="done", duration_s=step.duration_s or (2.0 if step.start_s else 0.0))
        for step in STEPS
    )
    lines = picture(Waterfall(done, 6.3, total="ready in"), 40, 5)
    assert lines[2].endswith("2.0 s")
    assert lines[4].split() == ["ready", "in", "6.3", "s"]
    assert "█" in lines[2]


def test_failure_is_red() -> None:
    failed = (STEPS[0], Step("import", 0.3, 2.0, "failed"), STEPS[3])
    drawing = Waterfall(failed, 9.9)
    strips = drawing.strips(40, 4, PALETTE)
    assert picture(drawing, 40, 4)[3].split() == ["failed", "2.3", "s"]
    assert strips[1].text.startswith("✗ import")
    assert style_at(strips, 1, 0) == PALETTE.styles[Ink.BAD]


def test_what_is_left_out_says_why_and_is_no_part_of_the_end() -> None:
    done = (STEPS[0], STEPS[1], Step("compile", state="left out", note="none: eager mode"))
    lines = picture(Waterfall(done, 9.9), 40, 4)
    assert lines[2:] == ["– compile  none: eager mode", "  ready                            4.3 s"]
    assert picture(Waterfall(done, 9.9), 20, 4)[2] == "– compi…  none: eag…"
    assert picture(Waterfall(done, 9.9), 60, 1) == ["spawn 0.3 s · import 4.0 s"]
