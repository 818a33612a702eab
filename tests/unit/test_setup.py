"""The set-up: what it installs where, what it repairs, and what it says when it cannot."""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
import tomllib
import venv
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.doubles.programs import write_script

ROOT = Path(__file__).parents[2]
NOT_FOUND = "ERROR: No matching distribution found for torch==2.13.0+cpu"
OFFLINE = "Retrying: NewConnectionError: [Errno 101] Network is unreachable\n"


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The set-up's module, at work on an environment in ``tmp_path``."""
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    module = importlib.import_module("setup")
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv/bin/python")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv/.setup-done")
    monkeypatch.setattr(sys.modules["steps"], "LOG", tmp_path / "setup.log")
    return module


class ScriptedRun:
    """Answers step after step from a list: text is a step's output, an exception its failure."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self.commands: list[str] = []

    def __call__(self, title: str, *command: object) -> str:
        self.commands.append(" ".join(str(part) for part in command))
        answer = self._answers.pop(0) if self._answers else ""
        if isinstance(answer, Exception):
            raise answer
        return answer


# Pins


def pins() -> dict[str, str]:
    lines = (ROOT / ".ci/constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_constraints_are_exact_versions_without_hosts() -> None:
    lines = [
        line
        for line in (ROOT / ".ci/constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[a-z0-9.]+", line)] == []
    assert lines == sorted(set(lines), key=lambda line: line.split("==")[0])


def test_whatever_the_app_and_its_checks_bring_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    waiting = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    waiting += project["project"]["optional-dependencies"]["vllm-cpu"]
    seen: set[str] = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name in seen or not applies(requirement):
            continue
        seen.add(name)
        try:
            waiting += importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # another machine's, or removed because it does not load
    assert len(seen) > 20
    assert seen - pins().keys() == set()


def applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


# What this machine needs


def test_a_gpu_device_means_vllm(setup: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "nvidia3").touch()
    assert setup.nvidia_gpu_visible(tmp_path)


@pytest.mark.parametrize(
    ("script", "visible"),
    [
        ("echo 'GPU 0: NVIDIA H100 (UUID: GPU-1)'", True),
        ("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18", False),
        ("echo 'No devices found.'", False),
    ],
)
def test_without_a_device_nvidia_smi_decides(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, visible: bool
) -> None:
    write_script(tmp_path / "bin/nvidia-smi", script)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    (tmp_path / "nvidiactl").touch()
    assert setup.nvidia_gpu_visible(tmp_path) is visible


def test_the_engine_can_be_named(setup: ModuleType) -> None:
    assert setup.choose_engine("none")[0] == "none"
    assert setup.choose_engine("vllm")[0] == "vllm"
    assert setup.choose_engine("auto")[0] in {"vllm", "vllm-cpu"}
    with pytest.raises(setup.SetupError, match="VLLM=sglang is none of vllm-cpu, vllm, none"):
        setup.choose_engine("sglang")


def test_a_small_disk_is_said_before_anything_is_installed(setup: ModuleType) -> None:
    setup.check_disk(0)
    with pytest.raises(setup.SetupError, match=r"GB free and the environment needs about 1000000"):
        setup.check_disk(1_000_000)


# Torch


def test_plain_pip_is_asked_first(setup: ModuleType) -> None:
    run = ScriptedRun("Successfully installed torch-2.13.0+cpu")
    assert setup.install_torch(run) == []
    assert len(run.commands) == 1
    assert "index" not in run.commands[0]


@pytest.mark.parametrize("answer", [NOT_FOUND, "ERROR: ResolutionImpossible: for help visit"])
def test_another_index_is_added_only_where_pip_finds_none(
    setup: ModuleType, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    run = ScriptedRun(setup.StepError("torch", answer), "Successfully installed")
    assert setup.install_torch(run) == ["--extra-index-url", setup.TORCH_CPU_INDEX]
    assert setup.TORCH_CPU_INDEX in run.commands[1]
    assert "adding PyTorch's CPU index" in capsys.readouterr().err


def test_no_network_is_not_taken_for_no_torch(setup: ModuleType) -> None:
    run = ScriptedRun(setup.StepError("torch", OFFLINE + NOT_FOUND))
    with pytest.raises(setup.StepError):
        setup.install_torch(run)
    assert len(run.commands) == 1


@pytest.mark.parametrize(
    ("second", "said"), [(NOT_FOUND, "index has none"), (OFFLINE + NOT_FOUND, "does not answer")]
)
def test_no_torch_for_this_python_says_what_to_do(
    setup: ModuleType, second: str, said: str
) -> None:
    run = ScriptedRun(setup.StepError("torch", NOT_FOUND), setup.StepError("torch", second))
    with pytest.raises(setup.SetupError, match=rf"{said}: try another Python"):
        setup.install_torch(run)


def test_a_gpu_host_never_gets_the_cpu_build(setup: ModuleType) -> None:
    run = ScriptedRun()
    setup.install("vllm", run)
    assert "torch!=2.13.0+cpu" in run.commands[0]
    assert ".[vllm]" in run.commands[0]


def test_builds_for_another_device_are_removed(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("torchvision-0.28.0", "torchaudio-2.11.0"):
        (setup.site_packages() / f"{name}.dist-info").mkdir(parents=True)
    monkeypatch.setattr(setup, "loads", lambda name: name == "torchaudio")
    run = ScriptedRun()
    setup.drop_unloadable(run)
    assert [command.split("--yes ")[1] for command in run.commands] == ["torchvision"]


# The state of the environment


def install_fake(packages: Path, name: str) -> Path:
    """A distribution of one module in a folder of ``packages``; returns its dist-info."""
    info = packages / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (packages / f"{name}.py").write_text("x = 1\n")
    record = f"{name}.py,sha256=x,6\n__pycache__/{name}.pyc,,\n{info.name}/RECORD,,\n"
    (info / "RECORD").write_text(record)
    return info


def test_a_whole_environment_has_no_damage(setup: ModuleType) -> None:
    install_fake(setup.site_packages(), "sound")
    assert setup.damage() == []


@pytest.mark.parametrize("harm", ["missing", "truncated", "unrecorded", "garbled"])
def test_damage_is_found_and_pip_made_to_repair_it(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    packages = setup.site_packages()
    install_fake(packages, "sound")
    info = install_fake(packages, "hurt")
    match harm:
        case "missing":
            (packages / "hurt.py").unlink()
        case "truncated":
            (packages / "hurt.py").write_text("x")
        case "unrecorded":
            (info / "RECORD").unlink()
        case "garbled":
            (info / "RECORD").write_text("hurt.py,sha256\n")
    assert setup.damage() == [info]
    monkeypatch.setattr(setup, "unusable_because", lambda engine: "")
    setup.prepare_venv("none", ScriptedRun())
    assert not info.exists()
    assert (packages / "sound-1.0.dist-info").exists()


def make_venv(setup: ModuleType) -> None:
    venv.create(setup.VENV, with_pip=False)
    (setup.VENV / "bin/pip").write_text(f"#!{setup.VENV}/bin/python\n")
    (setup.site_packages() / "pip").mkdir()
    (setup.site_packages() / "pip/__init__.py").touch()


def test_a_sound_environment_is_kept(setup: ModuleType) -> None:
    make_venv(setup)
    assert setup.unusable_because("vllm-cpu") == ""


def test_an_environment_that_cannot_be_kept_says_why(setup: ModuleType) -> None:
    assert setup.unusable_because("none") == "there is none"
    make_venv(setup)
    (setup.VENV / "bin/pip").write_text("#!/elsewhere/.venv/bin/python\n")
    assert "another place" in setup.unusable_because("none")


def test_an_environment_without_its_python_is_not_kept(setup: ModuleType) -> None:
    make_venv(setup)
    (setup.VENV / "bin/python").unlink()
    assert setup.unusable_because("none") == "its Python does not run"


def test_an_environment_of_another_python_is_not_kept(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_venv(setup)
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    assert setup.unusable_because("none") == "it was not made with Python 3.99"


def test_the_two_vllm_distributions_never_share_an_environment(setup: ModuleType) -> None:
    make_venv(setup)
    install_fake(setup.site_packages(), "vllm_cpu")
    assert setup.unusable_because("vllm-cpu") == ""
    assert "holds vllm-cpu" in setup.unusable_because("vllm")


def test_a_new_pin_or_another_engine_makes_the_stamp_stale(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = setup.fingerprint("vllm-cpu")
    assert before == setup.fingerprint("vllm-cpu")
    assert before != setup.fingerprint("vllm")
    monkeypatch.setattr(setup, "CONSTRAINTS", tmp_path / "constraints.txt")
    setup.CONSTRAINTS.write_text("numpy==2.3.4\n")
    assert before != setup.fingerprint("vllm-cpu")


def test_done_once_is_done_and_failed_is_not_done(setup: ModuleType) -> None:
    make_venv(setup)
    with pytest.raises(setup.StepError):
        setup.make_environment("none", "", ScriptedRun(setup.StepError("installing", "oops")))
    first, second = ScriptedRun(), ScriptedRun()
    setup.make_environment("none", "", first)
    setup.make_environment("none", "", second)
    assert len(first.commands) == 1
    assert second.commands == []


# What it says


def test_a_step_is_one_line_with_its_seconds(
    setup: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup.run_step("counting", sys.executable, "-c", "print('one')") == "one\n"
    assert re.fullmatch(r"  counting \.\.\. \d+ s\n", capsys.readouterr().err)


def test_an_unknown_failure_shows_the_end_of_its_output(
    setup: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "[print(f'line {n}') for n in range(100)]; raise SystemExit(3)"
    with pytest.raises(setup.StepError) as failure:
        setup.run_step("counting", sys.executable, "-c", script)
    assert re.fullmatch(r"  counting \.\.\. failed, \d+ s\n", capsys.readouterr().err)
    said = setup.explain(failure.value)
    assert "line 99" in said
    assert "line 80" not in said
    assert "The step 'counting' failed" in said


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "The disk is full"),
        (OFFLINE + NOT_FOUND, "The package index does not answer"),
        ("ERROR: No matching distribution found for vllm>=0.30", "pip finds no vllm>=0.30 for"),
        ("The virtual environment was not created: ensurepip is not available", "python3-venv"),
    ],
)
def test_a_known_failure_is_one_sentence(setup: ModuleType, output: str, said: str) -> None:
    sentence = setup.explain(setup.StepError("installing", output))
    assert said in sentence
    assert "\n" not in sentence


# tmux


def test_tmux_is_installed_where_we_may(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_script(tmp_path / "bin/apt-get", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    run = ScriptedRun()
    setup.install_tmux(run)
    assert [command.split()[1] for command in run.commands] == ["update", "install"]


def test_missing_tmux_fails_ci_and_is_said_elsewhere(
    setup: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    setup.install_tmux(ScriptedRun())
    assert "tmux is missing" in capsys.readouterr().err
    monkeypatch.setenv("CI", "true")
    with pytest.raises(setup.SetupError, match="tmux is missing"):
        setup.install_tmux(ScriptedRun())
