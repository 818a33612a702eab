"""``tuiapp run --headless`` as scripts use it: what it prints, what it returns, what it records."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration.engine_child import STUB
from tests.integration.program import HELPER, TUIAPP, Surroundings, finish, until
from tuiapp.events import Phase, Status
from tuiapp.exports.summary import summary
from tuiapp.session.columns import Session
from tuiapp.session.reader import load, read_frames
from tuiapp.session.view import View

DOCS = Path(__file__).parents[2] / "docs" / "run-json.md"
S = 1_000_000_000
HEADLESS = ("run", "--headless", "--json", "--warmup", "2")
SHORT = (*HEADLESS, "--requests", "40", "--rate", "60", "--output-len", "8")
LONG = (*HEADLESS, "--duration", "60", "--rate", "20", "--warmup", "0")
LATENCIES = ("ttft_s", "tpot_s", "itl_s", "e2el_s")


@pytest.fixture
def around() -> Iterator[Surroundings]:
    found = Surroundings()
    yield found
    found.close()


@pytest.fixture(scope="module")
def plain() -> Iterator[tuple[Surroundings, Any]]:
    """One ordinary run that several tests look at."""
    found = Surroundings()
    yield found, found.run(*SHORT, "--slo", "voice")
    found.close()


# -- what it prints ------------------------------------------------------------------------


def test_the_json_has_the_documented_keys_and_no_other(plain: tuple[Surroundings, Any]):
    rows = re.findall(r"^\| (`.+?`) \|", DOCS.read_text(), re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    _, done = plain
    assert done.code == 0
    assert set(done.json) == documented


def test_the_numbers_of_the_json_make_sense(plain: tuple[Surroundings, Any]):
    around, done = plain
    result = done.json
    assert result["schema"] == "tuiapp.run/1"
    assert result["state"] == "done"
    assert result["requests"] == {
        "sent": 40, "ok": 40, "failed": 0, "unfinished": 0, "cut": 0, "lost": 0, "warmup": 2,
    }  # fmt: skip
    assert result["session"] == str(around.recording)
    assert 40 * 8 / result["measured_s"] == pytest.approx(result["output_tokens_per_s"], rel=0.1)
    assert 0 < result["goodput_per_s"] <= result["requests_per_s"] * 1.001
    slos = ["ttft:p99<400ms", "tpot:p99<50ms"]
    assert [slo["slo"] for slo in result["slo"]] == result["workload"]["slos"] == slos
    phases = dict(result["cold_start_s"])
    total = phases.pop("ready")
    assert set(phases) == {"spawn", "import", "config"}
    assert sum(phases.values()) == pytest.approx(total, abs=0.001)
    assert set(result["driver"]) == {"loop_lag_p99_s", "schedule_lag_p99_s"}
    assert all(lag >= 0 for lag in result["driver"].values())
    assert re.fullmatch("[0-9a-f]{12}", result["workload"]["digest"])
    assert result["host"]["hostname"] == os.uname().nodename


@pytest.mark.parametrize("key", LATENCIES)
def test_a_latency_of_the_json(plain: tuple[Surroundings, Any], key: str):
    found = plain[1].json[key]
    assert set(found) == {"n", "mean", "p50", "p90", "p95", "p99", "p99_ci", "caveats"}
    assert found["n"] == (40 * 7 if key == "itl_s" else 40)
    # The stand-in delivers a token every 5 ms; everything on top is this machine.
    assert 0.0045 < found["p50"] <= found["p90"] <= found["p95"] <= found["p99"]
    assert found["p99_ci"] is None
    assert any("too few" in caveat for caveat in found["caveats"])


def test_the_file_gives_the_same_result_again(plain: tuple[Surroundings, Any]):
    around, done = plain
    session = around.load()
    assert summary(View(session, session.end_ns)) == done.json


def test_progress_is_on_stderr_and_nothing_else(plain: tuple[Surroundings, Any]):
    around, done = plain
    lines = done.err.splitlines()
    assert lines[0] == f"tuiapp: recording to {around.recording}"
    assert all(line.startswith("tuiapp: ") for line in lines)
    assert [line.rpartition(" ")[2] for line in lines if "engine: " in line] == [
        "spawn", "import", "config", "ready",
    ]  # fmt: skip
    assert done.complaint == []


def test_the_table_is_for_people(around: Surroundings):
    done = around.run(*(arg for arg in SHORT if arg != "--json"), "--slo", "ttft:mean<1us")
    assert done.code == 3
    assert re.search(r"^TTFT +\d+\.\d+ ", done.out, re.MULTILINE)
    assert "40 sent, 40 ok, 0 failed" in done.out
    assert re.search(r"^objective +ttft:mean<1us .* MISSED$", done.out, re.MULTILINE)
    assert done.out.splitlines()[-1] == f"recording  {around.recording}"
    assert "\x1b" not in done.out


# -- exit codes ----------------------------------------------------------------------------


def test_a_missed_objective(around: Surroundings):
    done = around.run(*SHORT, "--slo", "ttft:p99<0.001ms", "--slo", "e2el:p50<100s")
    assert done.code == 3
    assert [slo["met"] for slo in done.json["slo"]] == [False, True]
    assert done.json["goodput_per_s"] == 0


@pytest.mark.parametrize(
    ("argument", "reason"),
    [("--fail", "ValueError: the stub is told to fail"), ("--dies", "The stub died.")],
)
def test_an_engine_that_fails(around: Surroundings, argument: str, reason: str):
    done = around.run(*SHORT, "--", argument)
    assert done.code == 1
    assert done.complaint[0] == f"tuiapp: {reason}"
    assert done.json["state"] == "dead"
    assert done.json["session"] == str(around.recording)
    around.assert_clean()


def test_a_failed_start_prints_no_table(around: Surroundings):
    done = around.run("run", "--headless", "--", "--fail")
    assert (done.code, done.out) == (1, "")
    assert len(done.complaint) == 2
    assert f"with `tuiapp sessions show {around.recording} --log`." in done.complaint[1]
    log = around.run("sessions", "show", str(around.recording), "--log")
    assert log.code == 0
    assert re.search(r"^ +\d+\.\d{3}  Traceback \(most recent call last\):$", log.out, re.MULTILINE)


# -- signals and pipes ---------------------------------------------------------------------


def start_and_wait(around: Surroundings, *args: str) -> subprocess.Popen[str]:
    """A run that has finished some requests."""
    process = around.start(*args)
    until(lambda: around.recordings and len(load(around.recording).ends))
    around.note()
    return process


def test_ctrl_c_lets_requests_finish(around: Surroundings):
    process = start_and_wait(around, *LONG, "--output-len", "200")
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == 0
    assert "stopping" in done.complaint[0]
    requests = done.json["requests"]
    assert requests["ok"] == requests["sent"] > 0
    around.assert_clean()


def test_ctrl_c_twice_ends_at_once(around: Surroundings):
    process = start_and_wait(around, *LONG, "--output-len", "uniform:10-3500", "--", "--helper")
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert_cut_short(around, process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_at_once(around: Surroundings, number: signal.Signals):
    process = start_and_wait(around, *LONG, "--output-len", "uniform:10-3500", "--", "--helper")
    process.send_signal(number)
    assert_cut_short(around, process)


def assert_cut_short(around: Surroundings, process: subprocess.Popen[str]) -> None:
    done = finish(process, 10)
    assert done.code in (0, 3)
    requests = done.json["requests"]
    assert requests["cut"] == requests["sent"] - requests["ok"] > 0
    assert any("were in flight" in caveat for caveat in done.json["caveats"])
    assert "Traceback" not in done.err
    around.assert_clean()


def test_a_signal_during_the_start(around: Surroundings):
    process = around.start(*HEADLESS, "--", "--hang", "--helper")
    until(lambda: around.has(HELPER))
    around.note()
    process.send_signal(signal.SIGTERM)
    done = finish(process, 10)
    assert done.code == 1
    assert "Nothing was measured" in done.err
    assert done.json["requests"]["sent"] == 0
    around.assert_clean()


def test_ctrl_c_during_the_start_ends_at_once(around: Surroundings):
    process = around.start(*HEADLESS, "--", "--hang", "--helper")
    until(lambda: around.has(HELPER))
    around.note()
    process.send_signal(signal.SIGINT)
    done = finish(process, 10)
    assert done.code == 1
    assert "Nothing was measured" in done.err
    around.assert_clean()


def test_what_nohup_ignores_stays_ignored(around: Surroundings):
    command = shlex.join([str(TUIAPP), *SHORT])
    process = around.start_shell(f"trap '' HUP; exec {command}")
    until(lambda: around.recordings)
    process.send_signal(signal.SIGHUP)
    done = finish(process)
    assert done.code == 0
    assert done.json["requests"]["ok"] == 40


def test_a_reader_that_leaves(around: Surroundings):
    done = finish(around.start_shell(f"{shlex.join([str(TUIAPP), *SHORT])} | head -1"))
    assert done.out == "{\n"
    assert done.complaint == []


def test_a_reader_that_was_never_there(around: Surroundings):
    process = around.start(*SHORT)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(30) == 1
    assert "Traceback" not in err
    assert "Error" not in err


def test_a_full_disk_under_the_result(around: Surroundings):
    with Path("/dev/full").open("w") as full:
        done = finish(around.start(*SHORT, stdout=full))
    assert done.code == 1
    assert done.complaint == [
        "tuiapp: The result cannot be written: No space left on device.",
        f"        It can be computed again from {around.recording}.",
    ]


# -- what the options do -------------------------------------------------------------------


def measured(session: Session) -> dict[str, np.ndarray]:
    chosen = session.requests["phase"] == Phase.MEASURE
    return {name: session.requests[name][chosen] for name in session.requests.names}


def recorded(around: Surroundings, *args: str) -> tuple[Session, dict[str, np.ndarray]]:
    """Of a quiet load with the options ``args``: the session, and its measured requests."""
    quiet = ("--preset", "steady", "--warmup", "0", "--output-len", "4", "--rate", "50")
    given = tuple(args)
    if "--concurrency" in given:
        quiet = quiet[:-2]
    done = around.run("run", "--headless", *quiet, *given)
    assert done.code == 0, done.err
    session = around.load()
    return session, measured(session)


def test_the_same_seed_asks_the_same(around: Surroundings):
    chat = (*HEADLESS, "--requests", "30", "--rate", "80", "--output-len", "uniform:2-20")
    results = [around.run(*chat, "--seed", seed).json for seed in ("7", "7", "8")]
    digests = [result["workload"]["digest"] for result in results]
    rows = [measured(load(Path(result["session"]))) for result in results]
    asked = [
        [row["prompt_tokens"].tolist(), row["output_tokens"].tolist(), arrivals(row).tolist()]
        for row in rows
    ]
    assert (digests[0], asked[0]) == (digests[1], asked[1])
    assert digests[0] != digests[2]
    assert all(one != other for one, other in zip(asked[0], asked[2], strict=True))


def arrivals(rows: dict[str, np.ndarray]) -> np.ndarray:
    return np.diff(np.sort(rows["t_sched_ns"]))


def test_lengths_warmup_and_constant_arrivals(around: Surroundings):
    options = ("--requests", "15", "--warmup", "3", "--input-len", "24", "--output-len", "5")
    session, rows = recorded(around, *options)
    assert set(rows["prompt_tokens"]) == {24}
    assert set(rows["output_tokens"]) == {5}
    assert set(arrivals(rows)) == {S // 50}
    assert len(rows["req"]) == 15
    assert (session.requests["phase"] == Phase.WARMUP).sum() == 3


def test_a_duration(around: Surroundings):
    _, rows = recorded(around, "--duration", "1.5s")
    assert len(rows["req"]) in (74, 75)  # the last one is due just then
    assert np.ptp(rows["t_sched_ns"]) <= 1.5 * S


def test_a_closed_loop(around: Surroundings):
    _, rows = recorded(around, "--arrival", "closed", "--concurrency", "3", "--requests", "30")
    ends = np.concatenate([rows["t_sent_ns"], rows["t_end_ns"]])
    change = np.repeat([1, -1], len(rows["req"]))
    in_flight = np.cumsum(change[np.lexsort((change, ends))])
    assert in_flight.max() == 3
    assert len(rows["req"]) == 30


def test_a_ramp(around: Surroundings):
    options = ("--rate", "10", "--ramp-to", "100", "--duration", "2")
    _, rows = recorded(around, *options)
    t_s = (rows["t_sched_ns"] - rows["t_sched_ns"].min()) / S
    assert (t_s > 1).sum() > 1.5 * (t_s <= 1).sum()


def test_bursts(around: Surroundings):
    options = ("--arrival", "gamma", "--burstiness", "0.2", "--requests", "60")
    _, rows = recorded(around, *options)
    gaps = arrivals(rows)
    assert gaps.std() / gaps.mean() > 1.4


def test_shared_prefixes(around: Surroundings):
    options = ("--prefix-groups", "2", "--prefix-tokens", "100", "--input-len", "9")
    _, rows = recorded(around, *options, "--requests", "5")
    assert set(rows["prompt_tokens"]) == {109}


def test_what_does_not_finish_in_time_counts_as_infinite(around: Surroundings):
    options = ("--requests", "6", "--rate", "50", "--output-len", "3000", "--drain", "1s")
    done = around.run(*HEADLESS, "--warmup", "0", *options)
    assert done.code == 3
    assert done.json["requests"]["unfinished"] == done.json["requests"]["failed"] == 6
    assert done.json["e2el_s"]["p99"] is None
    assert any("infinite" in caveat for caveat in done.json["e2el_s"]["caveats"])
    assert set(measured(around.load())["status"]) == {Status.UNFINISHED}


def test_a_place_of_the_users_own(around: Surroundings):
    path = around.folder / "new" / "mine.tuiapp"
    done = around.run(*SHORT, "--output", str(path))
    assert done.json["session"] == str(path)
    assert len(load(path).ends)
    assert around.recordings == []
    assert path.stat().st_mode & 0o777 == 0o600


# -- secrets -------------------------------------------------------------------------------

SECRETS = {
    "HF_TOKEN": "hf_PlantedPlantedPlanted1",
    "OPENAI_API_KEY": "sk-planted-planted-planted-2",
    "AWS_SECRET_ACCESS_KEY": "planted/planted+planted3",
    "SOME_PASSWORD": "planted horse battery 4",
}
BLABBER = """
import os, sys
from {module} import start as plain
def start(launch):
    for name in {names}:
        print("INFO", name, "is", os.environ[name], file=sys.stderr, flush=True)
    engine = plain(launch)
    if "--raise" in launch.engine_args:
        raise ValueError("cannot log in with " + os.environ["HF_TOKEN"])
    return engine
"""


@pytest.mark.parametrize("end", ["--chatty", "--raise"])
def test_no_secret_of_the_environment_is_recorded(around: Surroundings, end: str):
    """Not even when the engine prints it, or an option carries it."""
    engine = around.folder / "blabber.py"
    stub = Path(STUB.rpartition(":")[0])
    engine.write_text(BLABBER.format(module=stub.stem, names=list(SECRETS)))
    around.env |= SECRETS | {"TUIAPP_ENGINE": f"{engine}:start", "PYTHONPATH": str(stub.parent)}
    done = around.run(*SHORT, "--", end, "--hf-token", "planted-5", "--api-key=planted-6")
    assert done.code == (1 if end == "--raise" else 0)
    kept = [repr((frame.attrs, frame.columns)) for frame in read_frames(around.recording)]
    assert any("HF_TOKEN is ***" in text for text in kept)
    for text in (*kept, around.recording.read_bytes().decode("latin-1"), done.out, done.err):
        assert "planted" not in text.lower()
