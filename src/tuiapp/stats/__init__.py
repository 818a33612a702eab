"""Numbers with their interval and their caveats; numpy only.

``STATISTICS`` names each statistic's function; it is resolved on use, so importing this package
loads nothing.
"""

from __future__ import annotations

STATISTICS: dict[str, str] = {
    "coincidence": "tuiapp.stats.coincidence:coincidence",
    "quantiles": "tuiapp.stats.quantile:quantiles",
    "quantile-interval": "tuiapp.stats.quantile:interval",
    "binned-quantiles": "tuiapp.stats.histogram:quantiles_from_counts",
    "binned-interval": "tuiapp.stats.blocks:block_interval",
    "summary": "tuiapp.stats.summary:summarize",
    "binned-summary": "tuiapp.stats.summary:summarize_counts",
}
