"""What the words and signs of the comparison mean, for its help."""

from __future__ import annotations

from tuiapp.tui.pairs import TABS

TERMS = (
    ("TTFT, TPOT, ITL", "time to first token, from the intended arrival; time per output token "
                        "after it; gap between two deliveries of tokens."),
    ("p50, p99", "the value that 50, 99 % of requests (for ITL: of gaps) stay under."),
    ("mirror", "A's distribution upwards, B's hanging below it, on one axis. ×1.07 is B over A."),
    ("B/A", "the mean over runs of ln B − ln A, as a ratio. Above 1, B is slower; of tokens/s, "
            "faster."),
    ("at 99.2 %", "the interval of B/A. Six quantities were declared beforehand, and each one's "
                  "is widened (Bonferroni) so that all six hold in 95 of 100 comparisons."),
    ("±5 % band", "the margin (--margin): differences inside it do not matter. ┊ are its ends, ● "
                  "the estimate, ── the interval; ◀ ▶ it goes on, « » the estimate lies there."),
    ("SLOWER, FASTER", "the whole interval lies beyond the band."),
    ("size uncertain", "it excludes 1, but not the band: B differs, by how much is open."),
    ("EQUIVALENT", "it lies inside the band: by how much they may differ does not matter."),
    ("inconclusive", "anything else. It is not the same as equivalent; the runs a side that may "
                     "settle it stand beside it."),
    ("no verdict", "fewer than five runs a side, or too many failed requests."),
    ("✓ ✗", "the gate: whether anything but the hosts differs. ✗ names it, and nothing is "
            "concluded."),
    ("confounder", "a difference that would explain latency as well as the host: model, engine "
                   "settings, load, driver."),
    ("55 % of pairs", "of a value of A and one of B in which B's is larger; 50 % where the two "
                      "are alike."),
    ("noise", "how much runs of one host differ from each other, from trials: a difference below "
              "it is none."),
    ("knee", "of a sweep: the level with the largest throughput over mean response time."),
    ("good tokens", "output tokens of requests that met every objective; costs are for those."),
    ("∞", "too many requests failed: a failed one counts as infinitely late."),
    ("—", "not known; never zero."),
)  # fmt: skip
MOUSE = (
    ("click a tab", "opens it"),
    ("click a pane", "takes the focus: ↑↓ PgUp PgDn and the wheel scroll the tab's"),
    ("drag the strip", "seeks, both sides at once"),
)
TAB_KEYS = (f"1–{len(TABS)}", f"tabs: {', '.join(TABS)}")
