"""Where records are kept: the telemetry store (ClickHouse SQL at every scale) and the ledger.

``telemetry`` holds the rows that flow (spans, interactions, evaluations, metric points, rollups),
``ledger`` the few that are changed (keys, resources, audit, leases). ``engine`` is the child
process that serves the embedded ClickHouse; no other module loads it.
"""
