"""tuiapp: which host should serve your latency-sensitive model, with evidence."""

__version__ = "0.1.0"
