"""The schema's version: an empty store is made, an older one led forward, a newer one refused."""

from seakeeping.errors import StoreTooNew
from seakeeping.store.client import StoreClient
from seakeeping.store.schema import (
    VERSION,
    Topology,
    create_statements,
    database_statement,
    migration_statements,
)


def migrate(client: StoreClient, topology: Topology) -> None:
    """Bring the tables to the current version. Raises StoreTooNew, StoreUnavailable."""
    client.command(database_statement(client.address.database, topology), in_database=False)
    found = stored_version(client)
    if found is not None and found > VERSION:
        raise StoreTooNew(
            f"the store has schema {found}, this Seakeeping knows {VERSION}",
            hint="start the newer Seakeeping, or restore a backup made by this one",
        )
    if found is not None:
        for statement in migration_statements(found, topology):
            client.command(statement)
    for statement in create_statements(topology):
        client.command(statement)
    if found != VERSION:
        client.command(f"INSERT INTO meta (key, value) VALUES ('schema_version', '{VERSION}')")


def stored_version(client: StoreClient) -> int | None:
    """Return the version of the tables that are there, None where there are none."""
    there = client.read(
        "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'meta'",
        {"database": client.address.database},
    )
    if not there[0][0]:
        return None
    found = client.read("SELECT value FROM meta FINAL WHERE key = 'schema_version'")
    return int(found[0][0]) if found else None
