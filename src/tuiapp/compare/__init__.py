"""Two hosts, compared from recorded runs: what differs, by how much, and how sure that is.

The unit of replication is the run, a fresh engine start: requests of one run share its queue, its
memory layout and its neighbours, and a thousand of them say less about the host than five runs.
"""
