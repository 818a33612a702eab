"""A scripted libnvidia-ml.so.1, compiled on demand. See nvml_double.c for the scenario's words."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("nvml_double.c")
SCENARIO = "TUIAPP_NVML_DOUBLE"


def build(directory: Path) -> Path:
    """Compile the double into ``directory``; LookupError when there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise LookupError("no C compiler (cc) is installed.")
    library = directory / "libnvidia-ml.so.1"
    options = ["-Wall", "-Wextra", "-O1", "-fPIC", "-fvisibility=hidden", "-shared"]
    subprocess.run([compiler, *options, "-o", library, SOURCE], check=True)
    return library


def environment(library: Path, scenario: str) -> dict[str, str]:
    """Variables that make a child process see the GPUs of ``scenario``."""
    path = library.with_name("scenario.txt")
    path.write_text(scenario)
    return {"LD_LIBRARY_PATH": str(library.parent), SCENARIO: str(path)}
