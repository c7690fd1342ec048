"""Seakeeping as its README starts it; counted by queries on its own store."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench import tree
from bench.ingest.servers import free_port


@dataclass
class Seakeeping:
    """``seakeeping up`` with its defaults, on free ports."""

    folder: Path
    port: int = field(default_factory=free_port)
    grpc_port: int = field(default_factory=free_port)
    name: str = "seakeeping"
    evaluators: int = 3

    @property
    def base(self) -> str:
        """Where everything is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where spans are posted."""
        return f"{self.base}/v1/traces"

    @property
    def headers(self) -> Mapping[str, str]:
        """What each request carries."""
        return {}

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return the command and the environment that start it."""
        program = str(Path(sys.executable).parent / "seakeeping")
        ports = ["--port", str(self.port), "--grpc-port", str(self.grpc_port)]
        return [program, "up", "--data", str(self.data), *ports], {}

    def is_ready(self) -> bool:
        """Say whether it takes spans."""
        try:
            with urllib.request.urlopen(f"{self.base}/readyz", timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def ask(self, sql: str) -> int:
        """Return the one number that a query on the store gives; 0 while the store is not there."""
        try:
            store = json.loads((self.data / "run" / "store.json").read_text())
            request = urllib.request.Request(
                store["url"], sql.encode(), {"x-clickhouse-key": store["token"]}, method="POST"
            )
            with urllib.request.urlopen(request, timeout=120) as reply:
                return int(reply.read() or 0)
        except (urllib.error.URLError, OSError, ValueError):
            return 0

    def stored(self) -> int:
        """Return how many different spans the store holds."""
        return self.ask(
            "select count() from (select distinct trace_id, span_id from seakeeping.spans)"
        )

    def scored(self) -> int:
        """Return how many different evaluations the store holds."""
        return self.ask(
            "select count() from"
            " (select distinct trace_id, span_id, name, evaluator from seakeeping.evaluations)"
        )

    def counted(self) -> int:
        """Return how many calls the pages count, from the rollups."""
        return self.ask("select sum(calls) from seakeeping.rollups final")

    def is_settled(self, spans: int, model_calls: int) -> bool:
        """Say whether every span is stored and every model call scored by every evaluator."""
        return self.stored() >= spans and self.scored() >= self.evaluators * model_calls

    def spool_bytes(self) -> int:
        """Return what lies in the spool on disk."""
        return tree.disk_bytes(self.data / "spool")

    def disk_bytes(self) -> int:
        """Return what the merged data takes: neither parts that a merge left nor the spool."""
        return self.ask(
            "select sum(bytes_on_disk) from system.parts where database = 'seakeeping' and active"
        )

    def trim(self) -> None:
        """Merge the store's parts, as its background work does in time."""
        for table in ("spans", "interactions", "interaction_texts", "evaluations"):
            self.ask(f"optimize table seakeeping.{table} final")
