"""Documents read from text, with their findings."""

from pathlib import Path
from textwrap import dedent, indent

from seakeeping.config import Finding, inspect
from seakeeping.config.openslo import Linked
from seakeeping.records import Objective


def read(folder: Path, *texts: str) -> tuple[Linked, list[Finding]]:
    """Return what texts say together, each a file of its own (``0.yaml``, ``1.yaml``, ...)."""
    for i, text in enumerate(texts):
        (folder / f"{i}.yaml").write_text(dedent(text))
    return inspect([folder])


def objective(folder: Path, *texts: str) -> Objective:
    """Return the one objective of texts that nothing is wrong with."""
    linked, findings = read(folder, *texts)
    assert findings == []
    (written,) = linked.written
    return written.objective


def complaint(folder: Path, *texts: str) -> str:
    """Return the one finding of texts, its place without the folder."""
    _, findings = read(folder, *texts)
    assert len(findings) == 1, findings
    return str(findings[0]).replace(f"{folder}/", "")


def slo(spec: str = "", *, metadata: str = "", objectives: str = "[{target: 0.99}]") -> str:
    """Return an SLO on the availability of ``chat``, with more in its spec or metadata."""
    return (
        "apiVersion: openslo/v1\nkind: SLO\n"
        f"metadata:\n  name: chat-works\n{indent(dedent(metadata), '  ')}"
        "\nspec:\n  service: chat\n  budgetingMethod: Occurrences\n"
        f"  objectives: {objectives}\n{indent(dedent(spec), '  ')}"
        + ("" if "indicator" in spec + objectives else f"\n  indicator: {inline('availability')}")
        + "\n---\n"
    )


def inline(signal: str, more: str = "") -> str:
    """Return an inline indicator of a signal of ours."""
    return f"{{spec: {{ratioMetric: {{rawType: success, raw: {source(signal, more)}}}}}}}"


def source(signal: str, more: str = "") -> str:
    """Return a metric source of a signal of ours."""
    return f"{{metricSource: {{type: seakeeping, spec: {{signal: {signal}{more}}}}}}}"


def document(kind: str, name: str, spec: str, annotations: str = "{}") -> str:
    """Return a document of a kind."""
    return (
        f"apiVersion: openslo/v1\nkind: {kind}\n"
        f"metadata: {{name: {name}, annotations: {annotations}}}\nspec: {spec}\n---\n"
    )
