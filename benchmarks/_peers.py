"""Other monitors of vLLM servers, from their PyPI packages, in an environment of their own."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import platformdirs

INSTALL_S = 600


@dataclass(frozen=True)
class Peer:
    """A monitor: its package, its command for a server, and a text it shows when it is up."""

    package: str
    command: tuple[str, ...]
    default_s: float

    @property
    def name(self) -> str:
        return self.package.replace("==", " ")

    def argv(self, folder: Path, url: str) -> list[str]:
        program, *options = self.command
        return [str(folder / "bin" / program), *(option.format(url=url) for option in options)]


PEERS = (
    Peer("vllm-htop==0.5.0", ("vllm-htop", "--url", "{url}"), 2.0),
    Peer("vllmpytop==0.3.0", ("vllmpytop", "--url", "{url}"), 1.0),
    Peer("vllmstat==0.9.1", ("vllmstat", "--url", "{url}"), 1.0),
    Peer("vllm-mon==0.1.0", ("vllm-dash", "--url", "{url}", "--db", "/dev/shm/vllm-mon.db"), 1.0),
)


def install() -> Path:
    """The environment with every peer in it; made once and kept in the user's cache.

    Raises:
        RuntimeError: pip could not install them.
    """
    folder = Path(platformdirs.user_cache_dir("tuiapp")) / "benchmark-peers"
    wanted = [peer.package for peer in PEERS]
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text().split() == wanted:
        return folder
    print(f"installing {', '.join(wanted)} into an environment of their own …", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *wanted]
    try:
        done = subprocess.run(pip, capture_output=True, text=True, timeout=INSTALL_S)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"pip took longer than {INSTALL_S} s") from error
    if done.returncode:
        raise RuntimeError(f"pip could not install the peers:\n{done.stderr.strip()[-1000:]}")
    stamp.write_text("\n".join(wanted))
    return folder
