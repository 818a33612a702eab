"""``tuiapp sessions`` on what the program itself has just recorded over the stand-in engine."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.program import Done, Surroundings

SHORT = ("run", "--headless", "--json", "--requests", "40", "--rate", "60", "--output-len", "8")


@pytest.fixture(scope="module")
def ran() -> Iterator[tuple[Surroundings, Done]]:
    """A real run over the stand-in engine, and what it printed."""
    around = Surroundings()
    yield around, around.run(*SHORT, "--warmup", "2", "--slo", "voice")
    around.close()


def test_show_prints_exactly_what_the_run_printed(ran: tuple[Surroundings, Done]) -> None:
    around, done = ran
    shown = around.run("sessions", "show", around.recording.stem, "--json")
    assert done.code == shown.code == 0
    assert shown.err == ""
    assert shown.json == done.json
    assert shown.out == done.out


def test_a_real_recording_is_listed_and_whole(ran: tuple[Surroundings, Done]) -> None:
    around, done = ran
    (entry,) = json.loads(around.run("sessions", "list", "--json").out)
    assert entry["name"] == around.recording.stem
    assert entry["whole"] is True
    assert entry["ttft_p99_s"] == done.json["ttft_s"]["p99"]
    assert entry["tpot_p50_s"] == done.json["tpot_s"]["p50"]
    assert entry["host"] == done.json["host"]["hostname"]
    verified = around.run("sessions", "verify", around.recording.stem, "--json")
    assert verified.code == 0
    assert verified.json["index"] is True
    assert str(around.recording) in verified.json["identifying"]["path of the session"]


def test_a_real_recording_cut_and_merged_shows_the_same(
    ran: tuple[Surroundings, Done],
) -> None:
    around, done = ran
    a, b, both = (around.temp / f"{name}.tuiapp" for name in "abc")
    name = around.recording.stem
    assert around.run("sessions", "cut", name, "--to", "70%", "-o", str(a)).code == 0
    assert around.run("sessions", "cut", name, "--from", "70%", "-o", str(b)).code == 0
    assert around.run("sessions", "merge", str(b), str(a), "-o", str(both)).code == 0
    assert around.run("sessions", "show", str(both), "--json").out == done.out


def test_a_real_recording_redacted_holds_nothing_of_its_owner(
    ran: tuple[Surroundings, Done],
) -> None:
    around, done = ran
    copy = around.temp / "copy.tuiapp"
    assert around.run("sessions", "redact", around.recording.stem, "-o", str(copy)).code == 0
    verified = around.run("sessions", "verify", str(copy), "--json").json
    assert verified["identifying"] == {}
    shown = around.run("sessions", "show", str(copy), "--json").json
    assert shown["ttft_s"] == done.json["ttft_s"]
    assert shown["host"]["hostname"] == "redacted"


def test_what_is_torn_off_is_said(ran: tuple[Surroundings, Done]) -> None:
    around, _ = ran
    torn = around.temp / "torn.tuiapp"
    torn.write_bytes(around.recording.read_bytes()[:-5000])
    shown = around.run("sessions", "show", str(torn), "--json")
    assert shown.code == 0
    assert shown.json["model"]
    assert "was torn off" in shown.err
    assert "It ends at" in shown.err


def test_several_recordings_are_verified_at_once(ran: tuple[Surroundings, Done]) -> None:
    around, _ = ran
    damaged = around.temp / "damaged.tuiapp"
    data = bytearray(around.recording.read_bytes())
    data[len(data) // 2] ^= 255
    damaged.write_bytes(data)
    both = around.run("sessions", "verify", around.recording.stem, str(damaged))
    assert both.code == 3
    assert f"{around.recording.name}: whole" in both.out
    assert "damaged.tuiapp: NOT WHOLE" in both.out
    told = json.loads(around.run("sessions", "verify", str(damaged), str(damaged), "--json").out)
    assert [one["whole"] for one in told] == [False, False]
