"""The rules of the house that no linter states: sizes, cycles, locks, and what may not be named."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
EVERY_PYTHON_FILE = [
    *SOURCES,
    *(
        path
        for top in ("tests", "bench", "scripts")
        for path in sorted((ROOT / top).rglob("*.py"))
        if ".work" not in path.parts
    ),
]
LONGEST_FUNCTION = 60
RUNTIME_PACKAGES_BELOW = 60

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT / "src").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield what is imported: ``a.b.name`` for ``from a.b import name``, absolute throughout."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = [*above * bool(node.level), *filter(None, [node.module])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def import_graph() -> dict[str, set[str]]:
    trees = {module_name(path): (path, ast.parse(path.read_text())) for path in SOURCES}
    graph = {}
    for name, (path, tree) in trees.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        # A name within a module is the module's; a module within a package is itself.
        known = (
            target if target in trees else target.rpartition(".")[0]
            for target in imported_names(tree, package)
        )
        graph[name] = {target for target in known if target in trees} - {name}
    return graph


def cycle_through(start: str, graph: dict[str, set[str]]) -> list[str] | None:
    trail: list[str] = []
    seen: set[str] = set()

    def walk(name: str) -> bool:
        if name == start and trail:
            return True
        if name in seen:
            return False
        seen.add(name)
        trail.append(name)
        if any(walk(target) for target in sorted(graph[name])):
            return True
        trail.pop()
        return False

    return trail if walk(start) else None


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {length} lines"
        for path in EVERY_PYTHON_FILE
        for function in functions(ast.parse(path.read_text()))
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not long


def test_no_module_imports_itself_through_others() -> None:
    graph = import_graph()
    assert len(graph) > 5
    cycles = {tuple(sorted(trail)) for name in graph if (trail := cycle_through(name, graph))}
    assert not cycles


def test_every_test_file_has_a_name_of_its_own() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert not [name for name, files in names.items() if files > 1]


def test_cycle_finder_finds_a_cycle() -> None:
    graph: dict[str, set[str]] = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert cycle_through("a", graph) == ["a", "b", "c"]
    assert cycle_through("d", graph) is None


def test_modules_import_at_the_top_but_for_optional_and_heavy_packages() -> None:
    # an extra; 6 MB that only some targets need, and 1 MB that only patterns need
    late = {"psycopg", "apprise", "re2"}
    lazy = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for function in functions(ast.parse(path.read_text()))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and not {name.split(".")[0] for name in imported_names(node, "")} & late
    ]
    assert not lazy


def locked_packages(lock: str) -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / lock).read_text(), flags=re.MULTILINE))


def test_default_install_stays_light() -> None:
    packages = locked_packages("requirements.lock")
    assert len(packages) < RUNTIME_PACKAGES_BELOW
    heavy = {"torch", "tensorflow", "transformers", "scikit-learn", "scipy", "polars", "duckdb"}
    assert not packages & heavy


def test_development_lock_holds_the_runtime_lock() -> None:
    assert locked_packages("requirements.lock") < locked_packages("requirements-dev.lock")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_pin_by_hash_and_name_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    pins = re.split(r"^(?=[A-Za-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=\[ ]", line)[0] for line in project["dependencies"]}
    assert declared <= locked_packages("requirements.lock")
