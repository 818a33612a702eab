"""A coverage-guided search for bytes that the readers of session files do not stand.

``python -m tests.fuzz.guided FOLDER [-max_total_time=600] [-runs=N] [-seed=N]``: options are
libFuzzer's. Inputs that failed are written into FOLDER, where those worth keeping are kept, too.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tuiapp.session", "tuiapp.exports", "tuiapp.stats"]):
    import tuiapp.exports
    import tuiapp.session.deliveries
    import tuiapp.session.file
    import tuiapp.session.reader
    import tuiapp.session.view  # noqa: F401

from tests.fuzz.corpus import corpus, once


def main() -> None:
    """Fuzz until libFuzzer has had enough; it leaves with its own exit code."""
    folder = Path(sys.argv[1])
    inputs = folder / "corpus"
    inputs.mkdir(parents=True, exist_ok=True)
    for name, data in corpus().items():
        (inputs / name).write_bytes(data)
    path = folder / "current.tuiapp"
    options = [sys.argv[0], *sys.argv[2:], f"-artifact_prefix={folder}/", "-max_len=4096"]
    atheris.Setup([*options, str(inputs)], lambda data: once(path, data))
    with suppress(KeyboardInterrupt):
        atheris.Fuzz()


if __name__ == "__main__":
    main()
