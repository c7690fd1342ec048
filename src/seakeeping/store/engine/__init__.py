"""The embedded ClickHouse as a child process that speaks a frozen subset of ClickHouse's HTTP.

chDB allows one process a data folder, brings 30 threads and a 170 MB library, and a crash of it is
a crash of its process: so it gets a process of its own, ``python -m seakeeping.store.engine``. All
others are plain ``clickhouse-connect`` clients, as they would be of a ClickHouse server. The subset
is written down in ``docs/reference/store-protocol.md``.
"""
