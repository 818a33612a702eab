"""GPUs in a table each: how they work, what is wrong with them, and whose processes they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tuiapp.diagnosis.reading import probe_of
from tuiapp.tui.panes.devices import (
    Device,
    below,
    link_words,
    memory_words,
    number,
    percent,
    whole_or_none,
)
from tuiapp.tui.panes.gpu_cells import course
from tuiapp.tui.renderables.blocks import left_bar
from tuiapp.tui.renderables.canvas import fit
from tuiapp.tui.renderables.numbers import format_bytes, format_duration, format_si, format_unit
from tuiapp.tui.renderables.palette import Ink
from tuiapp.tui.renderables.table import GAP, Column, Table, place_columns

Cell = str | tuple[str, Ink]
_BAR = 6
_LEAST_COURSE = 8
_MOST_SLOTS = 6
_WORK = (
    Column("gpu", "gpu", 5, "left", priority=9),
    Column("util", "busy", _BAR + 6, "left", priority=9),
    Column("course", "history", _LEAST_COURSE, "left", priority=5, grow=True),
    Column("memory", "memory", 16, priority=8),
    Column("power", "power W", 11, priority=7),
    Column("temp", "°C", 3, priority=6),
    Column("sm", "SM MHz", 12, priority=4),
    Column("held", "held back by", 13, "left", priority=9),
)
_KEPT = ("gpu", "util", "course", "memory", "power", "temp", "held")
"""Columns that stay, however long the words of the last one are, where all these have room."""
_HELD_STEP = 10
"""The column of words grows by so many cells, so that others seldom move."""
_HEALTH = (
    Column("gpu", "gpu", 5, "left", priority=9),
    Column("path", "path", 11, "left", priority=8),
    Column("pcie", "PCIe", 6, priority=7),
    Column("pcie_rates", "↑ ↓ B/s", 13, priority=6),
    Column("replays", "replays", 7, priority=4),
    Column("links", "NVLink", 7, priority=7),
    Column("link_rates", "↑ ↓ B/s", 13, priority=5),
    Column("link_errors", "errors", 6, priority=5),
    Column("ecc", "ECC corr/unc", 12, priority=8),
    Column("rows", "remapped", 8, priority=6),
    Column("held", "capped", 7, priority=3),
    Column("energy", "energy", 8, priority=2),
)
_PROCESSES = (
    Column("gpu", "gpu", 10, "left", priority=9),
    Column("pid", "process", 9, priority=9),
    Column("memory", "memory", 10, priority=8),
    Column("whose", "whose", 12, "left", priority=7),
)


def work_table(found: Sequence[Device], width: int) -> Table:
    """A row a device, and one for each MIG instance."""
    instances = [instance for device in found for instance in device.instances]
    room = width - _span_of_others(_WORK)
    needed = [_cells_of(device, room) for device in found]
    columns = _wide_enough(max([*needed, *(len(_whose(each)) for each in instances)]), width)
    placed = place_columns(columns, width)
    course_cells = next((size for _, column, _, size in placed if column.key == "course"), 0)
    held_cells = next((size for _, column, _, size in placed if column.key == "held"), 0)
    rows: list[list[Cell]] = []
    for device in found:
        rows.append(_work(device, course_cells, held_cells))
        rows += [_instance(instance) for instance in device.instances]
    return Table(columns, rows)


def _wide_enough(cells: int, width: int) -> tuple[Column, ...]:
    """The columns of a table of ``width``, the last one for words of ``cells`` where it can be."""
    *others, held = _WORK
    kept = [column for column in _WORK if column.key in _KEPT]
    least = _span_of_others(kept)
    if width - least < held.width:
        least = _span_of_others([c for c in kept if c.key not in ("course", "temp")])
    steps = -(-max(cells - held.width, 0) // _HELD_STEP)
    wanted = held.width + steps * _HELD_STEP
    stepped, exact = (
        place_columns((*others, replace(held, width=size)), width) for size in (wanted, cells)
    )
    if len(stepped) < len(exact):
        wanted = max(cells, held.width)
    # Where not even the room of lesser columns would do, those stay.
    wide = (
        *others,
        replace(held, width=min(wanted, width - least) if cells <= width - least else held.width),
    )
    courses = any(column.key == "course" for _, column, *_ in place_columns(wide, width))
    return wide if courses else (*others, replace(wide[-1], grow=True))


def _span_of_others(columns: Sequence[Column]) -> int:
    """Cells of all columns but the last, with their gaps."""
    return 1 + sum(column.width + GAP for column in columns[:-1])


def _cells_of(device: Device, room: int) -> int:
    """Cells for what is said of a device; why that is so has only what costs no column."""
    cells = len(_words_of(device)[0])
    why = len(device.why) if device.why.startswith(":") else 0
    return max(cells - why, min(cells, room))


def _words_of(device: Device, width: int | None = None) -> tuple[str, Ink]:
    """What holds it back, who else uses it, how it is divided; as much as fits ``width``."""
    others = [word for word in (device.neighbours, device.mig) if word]
    # That nothing holds it back need not be said where there is something to say.
    fine = device.held_ink == Ink.GOOD
    ink = Ink.WARN if device.neighbours and fine else device.held_ink
    held = [] if others and fine else [device.held_words()]
    words = ", ".join(held + others)
    if width is not None and len(words) > width:
        first = device.held_words(width) if held else others[0]
        more = f" +{len(held + others) - 1}" if others and held and not device.why else ""
        words = fit(first, width - len(more)) + more
    return words, ink


def _work(device: Device, cells: int, held_cells: int) -> list[Cell]:
    util = device.gauge("util")
    bar = "╌" * _BAR if util is None else left_bar(round(min(max(util, 0.0), 1.0) * _BAR * 8))
    busy = whole_or_none(percent(util), 3)
    watts, limit = number(device.gauge("power_w")), number(device.gauge("power_limit_w"))
    clock, most = number(device.gauge("sm_clock_mhz")), number(device.gauge("sm_clock_max_mhz"))
    row: list[Cell] = [
        device.group,
        (f"{bar:<{_BAR}} {busy:>3} %", Ink.DIM if util is None else Ink.TEXT),
        (course(device, "util", cells), Ink.SERIES_2),
        memory_words(device),
        (watts if limit == "—" else f"{watts} of {limit}", Ink.STRONG),
        whole_or_none(number(device.gauge("temp_c")), 3),
        clock if most == "—" else f"{clock} of {most}",
        _words_of(device, held_cells),
    ]
    return faded(row) if device.dim else row


def faded(row: list[Cell]) -> list[Cell]:
    """A row of which only the last cell, the words, is of this moment."""
    return [*((cell if isinstance(cell, str) else cell[0], Ink.DIM) for cell in row[:-1]), row[-1]]


def _instance(device: Device) -> list[Cell]:
    name = device.group.rpartition(".")[2]
    busy: Cell = ("not given", Ink.DIM)
    return [f" {name}", busy, "", memory_words(device), "", "", "", (_whose(device), Ink.TEXT)]


def _whose(device: Device) -> str:
    """Who has the memory of a MIG instance."""
    own, others = device.gauge("own_bytes"), device.gauge("other_bytes")
    whose = f"engine {format_bytes(own, binary=True)}" if own else ""
    if others:
        whose = ", ".join(part for part in (whose, device.neighbours) if part)
    return whose


def health_table(found: Sequence[Device]) -> Table:
    """A row a device: its path, its links, and what it has counted of errors."""
    rows = [_health(device) for device in found]
    at = next(at for at, column in enumerate(_HEALTH) if column.key == "pcie")
    needed = max((len(row[at][0]) for row in rows), default=0)
    columns = [replace(c, width=max(c.width, needed)) if c.key == "pcie" else c for c in _HEALTH]
    # What only NVML tells is no column where it reads none of them.
    told: Sequence[int] = range(len(_HEALTH))
    if not any(probe_of(device.facts) == "nvml" for device in found):
        told = [at for at in told if any(_text(row[at]) != "—" for row in rows)]
    return Table(tuple(columns[at] for at in told), [[row[at] for at in told] for row in rows])


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _health(device: Device) -> list[Cell]:
    counted = device.health
    row: list[Cell] = [
        device.group,
        str(device.facts.get("path") or "—"),
        _pcie(device),
        rates(device, "pcie"),
        _count(counted("pcie_replays"), Ink.WARN),
        _links(device),
        rates(device, "nvlink"),
        _count(_sum(counted, "nvlink_crc_errors", "nvlink_replays", "nvlink_recoveries"), Ink.WARN),
        _ecc(device),
        _remaps(device),
        format_duration(_sum(counted, "held_power_s", "held_thermal_s")),
        format_unit(counted("energy_j"), "J"),
    ]
    return [(_text(cell), Ink.DIM) for cell in row] if device.dim else row


def _sum(counted: Callable[[str], float | None], *names: str) -> float | None:
    known = [value for name in names if (value := counted(name)) is not None]
    return sum(known) if known else None


def _count(value: float | None, ink: Ink) -> Cell:
    return (number(value), ink if value else Ink.DIM)


def _pcie(device: Device) -> Cell:
    link = (device.gauge("pcie_gen"), device.gauge("pcie_width"))
    best = (device.gauge("pcie_gen_max"), device.gauge("pcie_width_max"))
    if below(link, best):
        return (f"{link_words(*link)} of {link_words(*best)}", Ink.WARN)
    return (link_words(*link), Ink.TEXT)


def rates(device: Device, bus: str) -> str:
    """What goes out and what comes in, bytes per second."""
    sent, received = (device.gauge(f"{bus}_{way}_bytes_per_s") for way in ("tx", "rx"))
    if sent is None and received is None:
        return "—"
    return f"{format_si(sent)}  {format_si(received)}"


def _links(device: Device) -> Cell:
    found = device.facts.get("nvlink")
    if not isinstance(found, dict):
        return ("—", Ink.DIM)
    active, links = found.get("active"), found.get("links")
    return (f"{active}/{links}", Ink.TEXT if active == links else Ink.WARN)


def _ecc(device: Device) -> Cell:
    mode = device.facts.get("ecc")
    if isinstance(mode, dict) and mode.get("enabled") is False:
        return ("off", Ink.DIM)
    corrected, uncorrected = device.health("ecc_corrected"), device.health("ecc_uncorrected")
    ink = Ink.BAD if uncorrected else Ink.WARN if corrected else Ink.DIM
    if corrected is None and uncorrected is None:
        return ("—", ink)
    return (f"{number(corrected)}/{number(uncorrected)}", ink)


def _remaps(device: Device) -> Cell:
    rows = _sum(device.health, "rows_remapped_corrected", "rows_remapped_uncorrected")
    if rows is None:
        rows = _sum(device.health, "pages_retired_corrected", "pages_retired_uncorrected")
    pending, failed = device.health("rows_remap_pending"), device.health("rows_remap_failed")
    ink = Ink.BAD if failed else Ink.WARN if pending or rows else Ink.DIM
    return (number(rows) + (" + due" if pending else ""), ink)


def due_words(found: Sequence[Device]) -> list[str]:
    """What ``due`` means in the table of health, where it stands there."""
    due = [device.group for device in found if device.health("rows_remap_pending")]
    return [f"{', '.join(due)}: more rows will be remapped at the next reset (due)"] if due else []


def process_rows(found: Sequence[Device]) -> list[list[Cell]]:
    """A row a process, as the driver lists them."""
    rows: list[list[Cell]] = []
    for device in found:
        for place in (device, *device.instances):
            rows += _of(place)
    return rows


def _of(device: Device) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    group = f"{device.group}.procs"
    for slot in range(_MOST_SLOTS):
        pid = device.view.gauge(group, f"p{slot}_pid")
        if pid is None:
            break
        used = device.view.gauge(group, f"p{slot}_bytes")
        own = bool(device.view.gauge(group, f"p{slot}_own"))
        unsure = device.gauge("own_procs") is None
        whose: Cell = ("unknown", Ink.DIM) if unsure else ("engine", Ink.GOOD)
        if not unsure and not own:
            whose = ("another's", Ink.WARN)
        rows.append([device.group, f"{pid:.0f}", format_bytes(used, binary=True), whose])
    return rows


def process_table(rows: Sequence[Sequence[Cell]], found: Sequence[Device]) -> Table:
    """The table of ``process_rows``."""
    lists = any(probe_of(device.facts) == "nvml" for device in found)
    empty = "no process is listed" if lists else "the driver does not list them"
    return Table(_PROCESSES, rows, empty=empty)


def process_width() -> int:
    """Cells that ``process_table`` takes."""
    return 1 + sum(column.width + GAP for column in _PROCESSES)
