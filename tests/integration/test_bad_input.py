"""What a user can get wrong: one clear sentence, what to do, the right exit code, nothing left."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.integration.program import TUIAPP, Done, Surroundings, finish
from tests.integration.test_terminal import Run, assert_told, flat
from tests.integration.test_terminal import pytestmark as in_a_terminal
from tuiapp.cli.run import PRESET_NAMES
from tuiapp.session import health
from tuiapp.session.view import View

SENTENCE = re.compile(r"tuiapp: [^\n]+[.]")
ADVICE = re.compile(r" {8}\S[^\n]+[.]")


@pytest.fixture
def around() -> Iterator[Surroundings]:
    """With vLLM's own checks, which come before its import."""
    found = Surroundings(engine=None)
    yield found
    found.close()


@pytest.fixture
def run() -> Iterator[Run]:
    found = Run(Surroundings(engine=None))
    yield found
    found.close()


def assert_one_sentence(done: Done, code: int, said: str) -> None:
    """On stderr: the sentence, at most one line of advice, and nothing else."""
    assert done.code == code, done
    first, *others = done.complaint
    assert said in first
    assert SENTENCE.fullmatch(first), first
    assert len(others) <= 1
    assert all(ADVICE.fullmatch(line) for line in others), others
    assert "Traceback" not in done.err


# -- the command line ----------------------------------------------------------------------

WRONG_USAGE = {
    ("frobnicate",): "COMMAND: invalid choice: 'frobnicate'",
    ("run", "--nonsense"): "tuiapp does not know --nonsense.",
    ("run", "model", "--max-model-len", "9"): "tuiapp does not know --max-model-len 9.",
    ("run", "--req=9"): "tuiapp does not know --req=9.",
    ("run", "one", "two"): "tuiapp does not know two.",
    ("run", "--rate"): "--rate: expected one argument.",
    ("run", "--rate", "abc"): "--rate: 'abc' is no number.",
    ("run", "--requests", "1.5"): "--requests: '1.5' is no whole number.",
    ("run", "--duration", "soon"): "--duration: 'soon' is no length of time",
    ("run", "--preset", "nonsense"): "--preset: invalid choice: 'nonsense'",
    ("run", "--json"): "--json needs --headless.",
    ("run",): "The screen needs a terminal",
    ("run", "--rate", "-1"): "The rate must be a number above 0",
    ("run", "--slo", "fast"): "'fast' is not an SLO",
    ("run", "--fps", "0"): "--fps 0 is out of range.",
    ("run", "--headless", "--fps", "0"): "--fps 0 is out of range.",
    ("run", "--headless", "--theme", "pink"): "There is no theme 'pink'.",
    ("run", "--headless", "--rate", "-1"): "The rate must be a number above 0",
    ("run", "--headless", "--rate", "0"): "The rate must be a number above 0",
    ("run", "--headless", "--rate", "nan"): "The rate must be a number above 0",
    ("run", "--headless", "--rate", "inf"): "The rate must be a number above 0",
    ("run", "--headless", "--concurrency", "0"): "Concurrency must be a whole number from 1",
    ("run", "--headless", "--requests", "0"): "Requests must be a whole number from 1",
    ("run", "--headless", "--seed", "-1"): "Seed must be a whole number from 0",
    ("run", "--headless", "--input-len", "many"): "'many' is not a distribution of lengths.",
    ("run", "--headless", "--output-len", "uniform:9-2"): "Token counts must rise",
    ("run", "--headless", "--slo", "fast"): "'fast' is not an SLO",
    ("run", "--headless", "--ramp-to", "9"): "--ramp-to needs to know by when.",
    ("run", "--headless", "--burstiness", "2"): "Burstiness has no meaning for poisson arrivals.",
    ("run", "--headless", "--rate", "1", "--concurrency", "2"): "exclude each other.",
    ("run", "--headless", "--engine-python", "/no/python"): "there is no such file.",
    ("run", "--headless", "--engine-python", "/etc/passwd"): "no program that can be run.",
    ("run", "--headless", "--engine-python", "/bin/true"): "it is no Python.",
    ("run", "--headless", "--engine-python", "~nobody-here/python"): "there is no such user.",
    ("run", "--headless", "--output", "/proc/x.tuiapp"): "Cannot record to /proc/x.tuiapp",
    ("run", "--headless", "--output", "/etc/passwd"): "/etc/passwd exists already.",
}


@pytest.mark.parametrize("args", WRONG_USAGE, ids=" ".join)
def test_wrong_usage(around: Surroundings, args: tuple[str, ...]):
    done = around.run(*args)
    assert_one_sentence(done, 2, WRONG_USAGE[args])
    assert done.out == ""
    assert around.recordings == []
    assert around.processes() == []


def test_a_wrong_preset_tells_the_right_ones(around: Surroundings):
    done = around.run("run", "--preset", "nonsense")
    assert all(name in done.complaint[0] for name in PRESET_NAMES)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_folder_that_cannot_be_written(around: Surroundings, tmp_path: Path):
    tmp_path.chmod(0o500)
    done = around.run("run", "--headless", "--output", str(tmp_path / "x.tuiapp"))
    assert_one_sentence(done, 2, "Permission denied.")


def test_no_place_for_recordings(around: Surroundings):
    around.env["XDG_DATA_HOME"] = "/proc/nowhere"
    done = around.run("run", "--headless")
    assert_one_sentence(done, 1, "Cannot record to /proc/nowhere")


@pytest.mark.parametrize("args", [("--help",), ("run", "--help"), ()], ids=" ".join)
def test_help_has_examples_and_fits(around: Surroundings, args: tuple[str, ...]):
    around.env["COLUMNS"] = "100"
    done = around.run(*args)
    assert (done.code, done.err) == (0, "")
    assert re.search(r"examples:\n  tuiapp\b", done.out)
    assert max(map(len, done.out.splitlines())) <= 100


# -- the model and the engine's Python -----------------------------------------------------


def assert_engine_failed(around: Surroundings, done: Done, said: str) -> None:
    """Code 1, and a recording that tells why as well."""
    assert_one_sentence(done, 1, said)
    assert done.json["state"] == "dead"
    session = around.load()
    end = View(session, session.end_ns).health
    assert end.state == health.DEAD
    assert done.complaint[0] == f"tuiapp: {end.reason}"
    around.assert_clean()


def headless(around: Surroundings, *args: str) -> Done:
    return around.run("run", "--headless", "--json", *args)


def test_a_model_that_is_not_there(around: Surroundings):
    done = headless(around, "/no/such/model")
    assert_engine_failed(around, done, "There is no model at /no/such/model.")


def test_a_folder_that_is_no_model(around: Surroundings, tmp_path: Path):
    done = headless(around, str(tmp_path))
    assert_engine_failed(around, done, f"{tmp_path} is no model: it has no config.json.")


def test_a_file_that_is_no_model(around: Surroundings, tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    done = headless(around, str(path))
    assert_engine_failed(around, done, f"{path} is no model folder.")


def test_a_model_larger_than_memory(around: Surroundings, tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(9 << 40)
    done = headless(around, str(tmp_path))
    assert_engine_failed(around, done, f"The weights of {tmp_path} take 9216.0 GiB and only ")


def test_a_python_without_vllm(around: Surroundings, tmp_path: Path):
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    done = headless(around, "--engine-python", python)
    assert_engine_failed(around, done, f"vllm is not installed in {python}.")


def test_a_python_that_does_not_run_what_it_is_given(around: Surroundings, tmp_path: Path):
    """A wrapper that swallows the engine and says that all is well."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} "$@"\nexit 0\n')
    python.chmod(0o755)
    done = headless(around, "--engine-python", str(python))
    assert_engine_failed(around, done, "The engine ended with exit code 0.")


@pytest.mark.engine
@pytest.mark.skipif(find_spec("vllm") is None, reason="vllm is not installed")
def test_an_argument_that_vllm_does_not_know(around: Surroundings, cache: Path):
    around.env["XDG_CACHE_HOME"] = str(cache)
    done = finish(around.start("run", "--headless", "--json", "--", "--no-such-thing", "3"), 120)
    said = "vLLM does not take these arguments: unrecognized arguments: --no-such-thing 3."
    assert_engine_failed(around, done, said)


# -- in a terminal -------------------------------------------------------------------------


@pytest.mark.terminal
class TestInATerminal:
    pytestmark = in_a_terminal

    def test_a_model_that_is_not_there(self, run: Run):
        run.start("/no/such/model")
        run.terminal.wait_for(" dead ")
        run.terminal.wait_until(lambda text: "There is no model at /no/such/model." in flat(text))
        run.terminal.press("q")
        assert_told(run, "tuiapp: There is no model at /no/such/model.")

    def test_an_unknown_theme(self, run: Run):
        run.start("--theme nonsense")
        screen = flat(run.terminal.wait_for("code=2"))
        assert "tuiapp: There is no theme 'nonsense'." in screen
        assert "tuiapp-dark" in screen
        self.assert_nothing_happened(run)

    def test_a_file_that_exists(self, run: Run):
        run.start("--output /etc/passwd")
        assert "/etc/passwd exists already." in flat(run.terminal.wait_for("code=2"))
        self.assert_nothing_happened(run)

    def test_an_error_stream_that_is_no_terminal(self, run: Run):
        run.start("2>/dev/null")
        run.terminal.wait_for("code=2")
        self.assert_nothing_happened(run)

    def test_a_terminal_that_is_too_small(self):
        run = Run(Surroundings(engine=None), columns=40, rows=10)
        try:
            run.start()
            screen = run.terminal.wait_for("code=2").replace("\n", "")
            assert "The terminal is too small: 40×10." in screen
            assert "60×16 or larger" in screen
            self.assert_nothing_happened(run)
        finally:
            run.close()

    def assert_nothing_happened(self, run: Run) -> None:
        run.terminal.assert_usable()
        assert "Traceback" not in run.terminal.screen()
        assert run.around.recordings == []
        run.around.assert_clean()


def test_the_module_can_be_run_too(around: Surroundings):
    call = [sys.executable, "-m", "tuiapp.cli", "run", "--rate", "abc"]
    done = subprocess.run(call, env=around.env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert TUIAPP.name in done.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--concurrency 4 --arrival poisson", "--concurrency is a closed loop"),
        ("--concurrency 4 --ramp-to 9", "--ramp-to and --concurrency exclude each other"),
        ("--arrival closed --rate 4", "--rate has no meaning in a closed loop"),
        ("--arrival ramp", "--arrival ramp needs a rate to end with"),
        ("--ramp-to 9", "--ramp-to needs to know by when"),
        ("--ramp-to 9 --duration 5 --arrival constant", "--ramp-to is a ramp"),
    ],
)
def test_options_that_contradict_each_other(options: str, complaint: str) -> None:
    from tuiapp.cli import main

    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("tuiapp.cli.say_trouble", lambda text, advice: said.extend((text, advice)))
        assert main(["run", "--headless", *options.split()]) == 2
    assert said[0].startswith(complaint)
    assert said[1]


def test_a_rate_opens_a_preset_that_is_a_closed_loop() -> None:
    from tuiapp.cli import _parser
    from tuiapp.cli.setup_run import make_workload

    args = _parser().parse_args(["run", "--preset", "batch", "--rate", "5"])
    workload = make_workload(args, 60.0)
    assert (workload.arrival, workload.rate, workload.concurrency) == ("poisson", 5.0, None)
