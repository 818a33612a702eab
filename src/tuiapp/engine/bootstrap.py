"""The engine child's first lines: run by path, in any Python that has vLLM.

``python bootstrap.py MSGPACK_DIR CONTROL_FD FRAMES_FD``. It loads this very tuiapp from the files
beside it, whatever that Python has installed, and msgpack from MSGPACK_DIR where it has none (its
pure Python half works on any version). Standard library only, and no syntax newer than Python 3.7,
so that an old Python gets a sentence and not a SyntaxError.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path

OLDEST = (3, 11)


def load_package(name: str, folder: Path) -> None:
    """Import the package in ``folder`` as ``name`` without adding anything to ``sys.path``."""
    spec = importlib.util.spec_from_file_location(
        name, str(folder / "__init__.py"), submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def main() -> int:
    """Check the Python's version, load the packages and run the worker."""
    started_ns = int(time.monotonic() * 1e9)  # noqa: TID251 - nothing of tuiapp is loaded yet
    here = Path(__file__).resolve().parent
    # Python puts a script's folder first: its files would hide modules of the same names.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    if sys.version_info < OLDEST:
        found, oldest = (".".join(map(str, v[:2])) for v in (sys.version_info, OLDEST))
        reason = f"{sys.executable} is Python {found}; the engine child needs {oldest} or newer."
        report = {"reason": reason, "advice": "Name another one with --engine-python."}
        sys.stderr.write(f"\ntuiapp-report: {json.dumps(report)}\n")
        return 1
    load_package("tuiapp", here.parent)
    if importlib.util.find_spec("msgpack") is None:
        load_package("msgpack", Path(sys.argv[1]))
    from tuiapp.engine.worker import main as serve
    from tuiapp.priority import stand_firm

    stand_firm()
    return serve(sys.argv, started_ns)


if __name__ == "__main__":
    sys.exit(main())
