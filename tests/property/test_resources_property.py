"""No resource file, however odd, does more than become a finding."""

import tempfile
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from seakeeping.config import check_files
from seakeeping.config.resources import KINDS

WORDS = st.sampled_from(
    ["kind", "version", "prices", "services", "match", "policy", "drop", "store", "redact", "url",
     "patterns", "pattern", "name", "targets", "provider", "model", "input", "only", "pii", *KINDS]
)  # fmt: skip
SCALARS = WORDS | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=15,
)
DOCUMENTS = st.builds(
    lambda kind, rest: {**rest, "kind": kind, "version": 1},
    st.sampled_from(list(KINDS)),
    st.dictionaries(WORDS, VALUES, max_size=5),
)
SYNTAX = st.text(alphabet="abc:-[]{}&*!|>'\"#%@,?\n \t\\0", max_size=200)


def check(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "resource.yaml"
        path.write_bytes(content)
        findings = check_files([path])
    assert all(finding.place.startswith(str(path)) for finding in findings)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_any_document(document: dict[str, object]) -> None:
    check(yaml.safe_dump(document, allow_unicode=True).encode())


@settings(max_examples=300, deadline=None)
@given(SYNTAX)
def test_any_syntax(text: str) -> None:
    check(text.encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    check(content)
