"""What drawing costs, and what it looks like.

``python benchmarks/drawing.py``               CPU ms a redraw of each drawing at 70×15
``python benchmarks/drawing.py --show``        every drawing in the terminal, three sizes
``python benchmarks/drawing.py --svg FOLDER``  the same as SVG files, one a theme
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from rich.console import Console
from rich.segment import Segment, Segments
from rich.terminal_theme import TerminalTheme
from rich.text import Text
from textual.color import Color
from textual.renderables.sparkline import Sparkline
from textual.theme import BUILTIN_THEMES

from tuiapp.clock import cpu_s
from tuiapp.stats.ticks import log_ticks
from tuiapp.tui.renderables.axis import tick_label
from tuiapp.tui.renderables.bar import CoreBars, Gauge, Gauges, Part, StackedBar
from tuiapp.tui.renderables.canvas import Renderable, title_line
from tuiapp.tui.renderables.heatmap import Heatmap, Mark, plot_rows
from tuiapp.tui.renderables.histogram import Histogram, Marker
from tuiapp.tui.renderables.line import Area, LineChart, Series
from tuiapp.tui.renderables.numbers import Field, NumberLines, quantile_fields
from tuiapp.tui.renderables.palette import Depth, Ink, Palette
from tuiapp.tui.renderables.table import Column, Table
from tuiapp.tui.renderables.timeline import TokenTimeline
from tuiapp.tui.renderables.waterfall import Step, Waterfall
from tuiapp.tui.themes import ThemeLibrary

SIZES = ((58, 9), (70, 15), (80, 24))
LOW_MS, HIGH_MS, SLO_MS = 5.0, 300.0, 100.0


def latencies_ms(n: int, seed: int, shift: float = 1.0) -> np.ndarray:
    """TTFT as servers have it: a lognormal body, a second mode behind a queue, a long tail."""
    rng = np.random.default_rng(seed)
    body = rng.lognormal(np.log(22 * shift), 0.28, n)
    queued = rng.lognormal(np.log(58 * shift), 0.35, n)
    return np.where(rng.random(n) < 0.88, body, queued)


def column_of(value_ms: float, width: int) -> int:
    share = np.log(value_ms / LOW_MS) / np.log(HIGH_MS / LOW_MS)
    return int(share * width)


def counts(values_ms: np.ndarray, width: int) -> np.ndarray:
    edges = np.geomspace(LOW_MS, HIGH_MS, width + 1)
    return np.histogram(values_ms, edges)[0]


def histogram(width: int, scale: str = "linear", *, window: bool = True) -> Histogram:
    run = latencies_ms(12_000, 1)
    recent = latencies_ms(360, 2, shift=1.25) if window else np.empty(0)
    marks = zip(("p50", "p90", "p99"), (50, 90, 99), (Ink.P50, Ink.P90, Ink.P99), strict=True)
    shown = recent if window else run
    values = [(name, float(np.percentile(shown, q)), ink) for name, q, ink in marks]
    return Histogram(
        counts(recent, width),
        counts(run, width),
        ticks=tuple((c, tick_label(v)) for c, v in log_ticks(LOW_MS, HIGH_MS, width)),
        markers=tuple(Marker(column_of(v, width), name, ink) for name, v, ink in values),
        slo=column_of(SLO_MS, width),
        above=int((run > HIGH_MS).sum()),
        scale="log" if scale == "log" else "linear",
    )


def numbers() -> NumberLines:
    ns = 1e6
    good = quantile_fields(23.1 * ns, 41 * ns, 86 * ns, 1204, interval_ns=(71 * ns, 118 * ns))
    few = quantile_fields(23.1 * ns, 141 * ns, float("inf"), 61, caveat="too few (61/368)")
    none = quantile_fields(None, None, None, 0)
    load = (
        Field("out", "384", unit="tok/s", ink=Ink.STRONG),
        Field("in", "402", unit="tok/s"),
        Field("good", "5.9", unit="/s", ink=Ink.GOOD),
        Field("errors", "0", width=3, ink=Ink.TEXT),
    )
    return NumberLines((good, few, none, load))


def heatmap(columns: int, bins: int = 24) -> Heatmap:
    rng = np.random.default_rng(3)
    grid = np.zeros((bins, columns))
    edges = np.geomspace(LOW_MS, HIGH_MS, bins + 1)
    for column in range(columns):
        drift = 1 + 0.35 * np.sin(column / 9) + (1.3 if 30 <= column < 36 else 0)
        grid[:, column] = np.histogram(latencies_ms(40, 100 + column, drift), edges)[0]
    grid[:, columns * 2 // 3 : columns * 2 // 3 + 4] = np.nan
    ticks = log_ticks(LOW_MS, HIGH_MS, bins, 3)
    return Heatmap(
        grid,
        labels=tuple((b, tick_label(v)) for b, v in ticks),
        slo=column_of(SLO_MS, bins),
        marks=(Mark(31, "╽", Ink.WARN), Mark(columns - 9), *_stalls(rng, columns)),
        marks_label="marks",
        times=((2, "-60 s"), (columns // 2, "-30 s"), (columns - 3, "now")),
    )


def _stalls(rng: np.random.Generator, columns: int) -> tuple[Mark, ...]:
    return tuple(Mark(int(c), "╷", Ink.DIM) for c in rng.integers(0, columns, 5))


def walk(n: int, seed: int, level: float, spread: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = level + spread * np.convolve(rng.normal(size=n + 8), np.ones(9) / 9, "valid")[:n]
    return np.maximum(values, 0)


def lines(columns: int) -> LineChart:
    decode, prefill = walk(2 * columns, 5, 380, 260), walk(2 * columns, 6, 210, 180)
    decode[columns : columns + 9] = np.nan
    return LineChart(
        (Series(prefill, Ink.SERIES_1, "prefill"), Series(decode, Ink.SERIES_0, "decode")),
        limit=450,
    )


def area(columns: int) -> Area:
    values = walk(columns, 7, 0.6, 0.9)
    values[columns // 3 : columns // 3 + 4] = np.nan
    return Area(values, high=1.0, limit=0.85)


def gauges() -> Gauges:
    return Gauges(
        (
            Gauge("cpu", 0.81, "81 %", "steal 0.4 %"),
            Gauge("KV", 0.12, "12 %", "hit 34 %"),
            Gauge("mem", 0.97, "97 %", "15.4 of 15.9 GiB"),
            Gauge("gpu", None, "", "no driver found"),
            Gauge("power", 0.52, "52 %", "361 of 700 W"),
        )
    )


def parts() -> StackedBar:
    return StackedBar(
        (
            Part("queue", 18.1, "18.1 ms", Ink.QUEUE),
            Part("prefill", 29.4, "29.4", Ink.PREFILL),
            Part("rest", 3.2, "3.2", Ink.REST),
        )
    )


def cores(n: int = 64) -> CoreBars:
    busy = np.clip(np.random.default_rng(8).beta(0.9, 1.6, n), 0, 1)
    busy[n // 4] = np.nan
    busy[: n // 8] = 0.0
    return CoreBars(busy)


def table() -> Table:
    columns = (
        Column("req", "request", 8, "left", priority=9),
        Column("ttft", "TTFT", 7, priority=8),
        Column("queue", "queue", 7, priority=6),
        Column("prefill", "prefill", 7, priority=5),
        Column("tok", "tok", 5, priority=3),
        Column("tpot", "TPOT", 6, priority=4),
        Column("at", "at", 6, priority=2),
        Column("note", "", 6, "left", priority=1, grow=True),
    )
    rng = np.random.default_rng(9)
    rows = []
    for rank in range(40):
        ttft = 214 * 0.93**rank
        queue = ttft * rng.uniform(0.2, 0.85)
        rows.append(
            (
                f"#{1187 - 23 * rank:04}",
                (f"{ttft:.0f}", Ink.WARN if ttft > SLO_MS else Ink.STRONG),
                (f"{queue:.0f}", Ink.QUEUE),
                (f"{ttft - queue:.1f}", Ink.PREFILL),
                "64",
                f"{rng.uniform(6, 9):.1f}",
                (f"01:{rank:02}", Ink.DIM),
                ("⚑ 重い batch" if rank == 2 else "", Ink.ACCENT),
            )
        )
    return Table(columns, rows, selected=3, sort=("ttft", True))


def waterfall(frame: int = 3) -> Waterfall:
    return Waterfall(
        (
            Step("spawn", 0.0, 0.3, "done"),
            Step("import", 0.3, 8.1, "done"),
            Step("config", 8.4, 1.2, "done"),
            Step("weights", 9.6, 0.4, "done"),
            Step("KV cache", 10.0, 2.0, "done"),
            Step("warm-up", 12.0, None, "running"),
            Step("ready"),
        ),
        now_s=14.1,
        frame=frame,
    )


def timeline() -> TokenTimeline:
    rng = np.random.default_rng(10)
    gaps = rng.normal(0.0071, 0.0006, 63)
    gaps[[20, 44]] = (0.031, 0.048)
    deliveries = 0.214 + np.concatenate(([0.0], np.cumsum(gaps)))
    return TokenTimeline(0.181, 0.029, deliveries, np.ones(64))


Drawing = Callable[[int, int], Renderable]

DRAWINGS: Mapping[str, Drawing] = {
    "histogram": lambda w, _: histogram(w),
    "histogram, run only, log": lambda w, _: histogram(w, "log", window=False),
    "numbers": lambda _w, _h: numbers(),
    "heatmap": lambda w, h: heatmap(w, 2 * plot_rows(h, marks=True, times=True)),
    "line": lambda w, _: lines(w),
    "area": lambda w, _: area(w),
    "gauges": lambda _w, _h: gauges(),
    "stacked bar": lambda _w, _h: parts(),
    "core bars": lambda _w, _h: cores(),
    "table": lambda _w, _h: table(),
    "waterfall": lambda _w, _h: waterfall(),
    "token timeline": lambda _w, _h: timeline(),
}
SHORT = {"numbers": 4, "stacked bar": 2, "gauges": 5, "core bars": 4, "area": 4}
"""Heights of drawings that do not fill a pane."""


def show(console: Console, palette: Palette, sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
    """Print every drawing at every size."""
    for name, drawing in DRAWINGS.items():
        for width, height in sizes:
            height = min(height, SHORT.get(name, height))
            title = title_line(f"{name} ", f" {width}×{height}", width, "─")
            rows = drawing(width, height).strips(width, height, palette)
            console.print(Segments([Segment(f"{title}\n", palette.styles[Ink.FAINT])]), end="")
            for row in rows:
                console.print(Segments([*row, Segment("\n")]), end="", soft_wrap=True)


def variables_of(theme_name: str) -> dict[str, str]:
    theme = {**BUILTIN_THEMES, **ThemeLibrary().themes}[theme_name]
    return {**theme.to_color_system().generate(), **theme.variables}


def write_svg(folder: Path, theme: str, depth: Depth, width: int, height: int) -> None:
    """One picture a theme, for looking at."""
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(record=True, width=width, file=io.StringIO())
    variables = variables_of(theme)
    show(console, Palette(variables, depth), ((width, height),))
    ground, ink = (Color.parse(variables[n]).rgb for n in ("background", "foreground"))
    ansi = [(0, 0, 0)] * 8
    terminal = TerminalTheme(ground, ink, ansi, ansi)
    path = folder / f"{theme}-{depth.name.lower()}-{width}x{height}.svg"
    console.save_svg(str(path), title=theme, theme=terminal)


def peers(width: int, height: int) -> dict[str, Callable[[], object]]:
    """The same histogram as a Textual sparkline of that height, and as a Text with styled cells."""
    data = histogram(width).run
    console = Console(width=width, height=height, color_system="truecolor")
    options = console.options.update(width=width, height=height)
    spark = Sparkline(
        data.tolist(), width=width, height=height,
        min_color=Color.parse("#25495f").rich_color, max_color=Color.parse("#6cc5f0").rich_color,
    )  # fmt: skip

    def text_per_cell() -> object:
        text = Text()
        levels = data / data.max() * height
        for row in range(height, 0, -1):
            for level in levels:
                text.append("█" if level >= row else " ", style="#6cc5f0")
            text.append("\n")
        return console.render_lines(text, options)

    return {
        "Textual's Sparkline": lambda: console.render_lines(spark, options),
        "rich Text, a style a cell": text_per_cell,
    }


def cost_ms(draw: Callable[[], object], seconds: float = 0.25) -> float:
    """Median CPU ms of a call, over batches of calls for about ``seconds``."""
    draw()
    batches = []
    end = cpu_s() + seconds
    while cpu_s() < end or len(batches) < 5:
        start = cpu_s()
        for _ in range(5):
            draw()
        batches.append((cpu_s() - start) / 5 * 1e3)
    return statistics.median(batches)


def measure(theme: str, width: int = 70, height: int = 15) -> None:
    palette = Palette(variables_of(theme))
    print(f"CPU ms a redraw, data to strips, {width}×{height}")
    for name, drawing in DRAWINGS.items():
        data = drawing(width, height)
        cost = cost_ms(lambda data=data: data.strips(width, height, palette))
        runs = sum(len(list(strip)) for strip in data.strips(width, height, palette))
        print(f"  {name:<28}{cost:7.3f}   {runs:4} segments")
    for name, draw in peers(width, height).items():
        print(f"  {name:<28}{cost_ms(draw):7.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--show", action="store_true", help="print every drawing")
    parser.add_argument("--svg", type=Path, metavar="FOLDER", help="write pictures there")
    parser.add_argument("--theme", default="tuiapp-dark")
    parser.add_argument("--depth", choices=[d.name for d in Depth], default="TRUE")
    args = parser.parse_args()
    depth = Depth[args.depth]
    if args.show:
        console = Console(width=max(w for w, _ in SIZES), color_system="truecolor")
        show(console, Palette(variables_of(args.theme), depth))
    if args.svg:
        for width, height in SIZES:
            write_svg(args.svg, args.theme, depth, width, height)
    if not (args.show or args.svg):
        measure(args.theme)


if __name__ == "__main__":
    main()
