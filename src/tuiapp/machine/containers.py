"""The written rules for what shuts us in.

1. gVisor and Kata stand before the manager that started them: they are what we run on.
2. A manager that names itself, or whose control group or files we are in, is believed.
3. ``/.dockerenv`` and the like are marks: they stay behind when an image becomes a virtual machine.
   They count with a second sign: a namespace of processes or control groups, a group or a store.
4. Kubernetes and unnamed runtimes come after the engines, WSL after them: it may hold containers.
5. A guest of Hyper-V without firmware tables is WSL's utility machine, whatever its kernel is
   called: both generations of ordinary guests have such tables.
6. A process namespace alone is called ``namespaces-only``.
"""

from __future__ import annotations

from tuiapp.machine.facts import Facts

SANDBOXES = ("gvisor", "kata")
UNNAMED = ("oci", "other")
LAYERS = ("wsl", *UNNAMED)
NAMESPACES_ONLY = "namespaces-only"
ISOLATING = ("pid", "cgroup")
"""Services and sandboxes take the other namespaces, one by one, on any machine."""


def container(facts: Facts) -> str | None:
    """The name of what shuts us in; None when nothing does."""
    named = facts.all("container")
    for name in SANDBOXES:
        if name in named:
            return name
    specific = [name for name in named if name not in LAYERS]
    if "crio" in specific:  # it leaves podman's mark as well
        return "crio"
    if specific:
        return specific[0]
    supported = _supported(facts)
    if supported and (mark := facts.first("container-mark")):
        return mark
    stores = [name for name in facts.all("container-store") if name not in UNNAMED]
    runners = facts.all("container-runner")
    if not supported:
        runners = facts.from_source("container-runner", "cgroup")
    for name in (*stores, *runners, *facts.all("container-store"), *named):
        return name
    if _is_utility_machine(facts):
        return "wsl"
    return NAMESPACES_ONLY if facts.has("namespace", "pid") else None


def _is_utility_machine(facts: Facts) -> bool:
    guest = facts.last("signature") == "hyperv" and not facts.has("root", "yes")
    return guest and facts.has("no-dmi", "yes") and not facts.all("namespace")


def left_over(facts: Facts) -> str:
    """A sentence when a mark was not believed; empty otherwise."""
    mark = facts.first("container-mark")
    if mark is None or container(facts) is not None:
        return ""
    where = facts.where("container-mark")
    return (
        f"{where} is a mark of {mark}, yet neither a namespace of processes nor a"
        " control group nor a mount is a container's: it stayed behind in an image"
    )


def _supported(facts: Facts) -> bool:
    """A second sign beside a mark."""
    own = [kind for kind in ISOLATING if facts.has("namespace", kind)]
    grouped = facts.from_source("container-runner", "cgroup")
    return bool(own or grouped or facts.all("container-store"))
