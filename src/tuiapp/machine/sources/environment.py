"""Variables that managers and providers set; only their names and ``container=`` are noted."""

from __future__ import annotations

from tuiapp.errors import Unavailable
from tuiapp.machine.report import CERTAIN, LIKELY, WEAK
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.sources.manager import manager_name, note_name
from tuiapp.machine.spelling import spelled

PATHS = ("/proc/1/environ", "/proc/self/environ")
MOST_VARIABLES = 2000

PROVIDERS = {
    "RUNPOD_POD_ID": "runpod",
    "VAST_CONTAINERLABEL": "vast",
    "MODAL_TASK_ID": "modal",
    "LAMBDA_TASK_ROOT": "aws",
    "ECS_CONTAINER_METADATA_URI_V4": "aws",
    "K_SERVICE": "gce",
    "CODESPACES": "azure",
    "PAPERSPACE_FQDN": "paperspace",
}


def look(notes: Notes) -> None:
    """The first process is the manager's own child; our variables may be inherited."""
    for path in PATHS:
        try:
            variables = _variables(notes.tree.bytes(path))
        except Unavailable as reason:
            if reason.message != "does not exist":
                notes.miss(path, reason.message)
            continue
        _note_variables(notes, path, variables)


def _variables(data: bytes) -> dict[str, str]:
    pairs = data.decode("utf-8", "replace").replace("\n", "\0").split("\0", MOST_VARIABLES)
    return dict(pair.partition("=")[::2] for pair in pairs[:MOST_VARIABLES] if "=" in pair)


def _note_variables(notes: Notes, path: str, variables: dict[str, str]) -> None:
    if (manager := variables.get("container")) and path == PATHS[0]:
        note_name(notes, f"{path} container", manager)
    elif manager:
        # Managers set it for every process inside, but anybody can: it needs a second sign.
        name = manager_name(manager)
        proves = f"a manager says that this is its container: {name}"
        notes.add(f"{path} container", manager, proves, f"container-mark={name}", LIKELY)
    if "KUBERNETES_SERVICE_HOST" in variables:
        proves = "Kubernetes tells its pods where its service is"
        name = "KUBERNETES_SERVICE_HOST"
        notes.add(path, name, proves, "container-runner=kubernetes", LIKELY)
    for name, provider in PROVIDERS.items():
        if name in variables:
            if path == PATHS[0]:
                notes.add(path, name, f"{spelled(provider)} sets it", f"cloud={provider}", CERTAIN)
            else:
                proves = f"{spelled(provider)} sets it, and so can anybody"
                notes.add(path, name, proves, f"cloud-mark={provider}", WEAK)
