"""What is asked of the engine, and when: pure functions of a seed.

The same workload and seed give the same arrivals, lengths and token ids on every host, operating
system and numpy version. Importing ``spec`` and ``presets`` loads no numpy.
"""
