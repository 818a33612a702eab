"""The written rules for whose machine it is.

1. Who rents out pods stands before the owner of the machine: the name is nearer to the user.
2. A name in the firmware, or in the environment of the first process, is believed.
3. A variable of our own may be inherited or exported anywhere, on a laptop as well. It counts with
   a second sign: a container that does not take its caller's variables along, or Firecracker, in
   which functions run without any firmware that could name the provider.
"""

from __future__ import annotations

from tuiapp.machine.containers import NAMESPACES_ONLY, container
from tuiapp.machine.facts import Facts
from tuiapp.machine.spelling import spelled

POD_PROVIDERS = ("runpod", "vast", "modal", "paperspace")
INHERITING = ("wsl", "bubblewrap", "apptainer", NAMESPACES_ONLY)
"""What is started from a shell, and keeps the shell's variables."""


def cloud(facts: Facts, hypervisor: str | None) -> str | None:
    """The provider's name; None when nothing that counts names one."""
    found = facts.all("cloud")
    if _supported(facts, hypervisor):
        found += facts.all("cloud-mark")
    return next((one for one in POD_PROVIDERS if one in found), found[0] if found else None)


def inherited(facts: Facts, hypervisor: str | None) -> str:
    """A sentence when a variable was not believed; empty otherwise."""
    mark = facts.first("cloud-mark")
    if mark is None or _supported(facts, hypervisor) or facts.has("cloud", mark):
        return ""
    where = facts.where("cloud-mark")
    whose = spelled(mark)
    return f"{where} has a variable of {whose}, yet nothing else speaks of it: anybody can set one"


def _supported(facts: Facts, hypervisor: str | None) -> bool:
    shut_in = container(facts)
    return (shut_in is not None and shut_in not in INHERITING) or hypervisor == "firecracker"
