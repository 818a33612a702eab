"""What is between us and the hardware, and is everything near to each other?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuiapp.diagnosis.finding import BAD, WARN, Finding, fine, unknown
from tuiapp.diagnosis.reading import (
    NOT_TOLD,
    cpus,
    flag,
    gpus,
    host,
    is_guest,
    items,
    listed,
    mapping,
    number,
    sentence,
    text,
    why,
)
from tuiapp.diagnosis.seen import Seen


def layers(view: Seen) -> Finding:
    """Hypervisors and containers: what each costs is measured by other rules."""
    facts = mapping(host(view), "machine")
    kind, hypervisor = text(facts, "machine"), text(facts, "hypervisor")
    container = text(facts, "container")
    because = sentence(facts, "because") or "what the machine's files and CPU tell"
    inside = f", in a container ({container})" if container else ""
    if kind in ("", "unknown"):
        if is_guest(view):
            return fine("layers", "a guest", f"a hypervisor, not told which (cpuinfo){inside}")
        return unknown("layers", "machine", sentence(facts, "because") or NOT_TOLD)
    if kind == "guest" and flag(facts, "nested"):
        title = f"nested guest{f' of {hypervisor}' if hypervisor else ''}"
        advice = "Two hypervisors take turns at every exit: take a machine with one, or none."
        return Finding("layers", WARN, title, f"{because}{inside}", advice, 0.2)
    words = {"guest": "guest", "bare-metal": "bare metal", "host-partition": "host partition"}
    named = f" of {hypervisor}" if hypervisor and kind != "bare-metal" else ""
    return fine("layers", f"{words.get(kind, kind)}{named}", f"{because}{inside}")


def numa(view: Seen) -> Finding:
    """Where the engine may run, against where its GPUs and its memory are."""
    facts = host(view)
    nodes = items(facts, "numa_nodes")
    if not nodes:
        return unknown("numa", "NUMA", why(view, "tuning.numa_nodes", otherwise=NOT_TOLD))
    if len(nodes) == 1:
        return fine("numa", "one NUMA node", "one node holds all CPUs and all memory (sysfs)")
    allowed = cpus(text(facts, "cpus_allowed"))
    if not allowed:
        return unknown("numa", "NUMA", why(view, "tuning.cpus_allowed", otherwise=NOT_TOLD))
    places = {
        at: cpus(text(node, "cpus")) for node in nodes if (at := number(node, "node")) is not None
    }
    ours = [at for at, its in places.items() if its & allowed]
    devices = items(facts, "pci_gpus")
    if devices:
        return _near_gpus(devices, places, allowed)
    evidence = f"the engine may run on {len(ours)} of {len(nodes)} nodes (affinity, sysfs)"
    if gpus(view) or len(ours) <= 1:
        return fine("numa", f"{len(ours)} of {len(nodes)} NUMA nodes", evidence)
    advice = "Bind the engine to one node: numactl --cpunodebind=0 --membind=0."
    return Finding("numa", WARN, f"spread over {len(ours)} NUMA nodes", evidence, advice, 0.35)


def _near_gpus(
    devices: Sequence[Mapping[str, Any]],
    places: Mapping[float, frozenset[int]],
    allowed: frozenset[int],
) -> Finding:
    """Each GPU's node against the CPUs we may run on."""
    told = [(text(gpu, "address"), number(gpu, "numa_node")) for gpu in devices]
    known = [(address, at) for address, at in told if at is not None and at in places]
    if not known:
        reason = f"{len(told)} GPU(s), and none tells its node (numa_node in sysfs)"
        return unknown("numa", "NUMA", reason)
    far = [f"{at} on node {node:.0f}" for at, node in known if not places[node] & allowed]
    own_nodes = frozenset().union(*(places[node] for _, node in known))
    if far:
        advice = "Bind the engine to the CPUs of the GPU's node: numactl --cpunodebind."
        evidence = f"no CPU we may run on is near {listed(far)} (affinity, sysfs)"
        return Finding("numa", BAD, "CPUs far from the GPU", evidence, advice, 0.5)
    if not allowed <= own_nodes:
        evidence = f"we may also run on CPUs of other nodes than that of {known[0][0]} "
        evidence += "(affinity, sysfs)"
        advice = "Bind the engine to the CPUs and the memory of the GPU's node: numactl."
        return Finding("numa", WARN, "not bound to the GPU's NUMA node", evidence, advice, 0.3)
    return fine("numa", "near the GPU", f"CPUs and {len(known)} GPU(s) share nodes (sysfs)")
