"""The commands by hand: send, export, evaluate, erase, backup, restore, keys."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.e2e.conftest import Server

from seakeeping.records.codec import interaction_from_json

ROWS = [
    {
        "id": "good",
        "context": ["The ferry leaves at nine. A ticket costs four euros."],
        "question": "When does the ferry leave?",
        "answer": "The ferry leaves at nine.",
    },
    {
        "id": "bad",
        "context": ["The ferry leaves at nine. A ticket costs four euros."],
        "question": "What does a ticket cost?",
        "answer": "A ticket costs ninety dollars and includes a hot breakfast buffet.",
    },
]


def seakeeping(*words: str, code: int = 0, cwd: Path | None = None) -> str:
    """Run a command; return what it printed."""
    return _run(*words, code=code, cwd=cwd).stdout


def complaint(*words: str) -> str:
    """Run a command that is wrong use or has broken input; return what it says of it."""
    return _run(*words, code=2, cwd=None).stderr


def _run(*words: str, code: int, cwd: Path | None) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [sys.executable, "-m", "seakeeping", *words],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def exported(server: Server, path: Path) -> list[dict[str, object]]:
    seakeeping("export", "interactions", "-o", str(path), "--endpoint", server.url)
    return [json.loads(line) for line in path.read_text().splitlines()]


def labels(row: dict[str, object]) -> dict[str, str]:
    evaluations = row["evaluations"]
    assert isinstance(evaluations, list)
    return {e["name"]: e["score_label"] for e in evaluations}


def test_rows_sent_twice_are_there_once_with_their_scores(
    own_server: Server, rows: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        told = json.loads(seakeeping("send", str(rows), "--endpoint", own_server.url, "--json"))
        assert told == {"requests": 1, "rejected": 0, "messages": []}

    def both() -> list[dict[str, object]] | None:
        found = exported(own_server, tmp_path / "out.jsonl")
        whole = [row for row in found if row["documents"] and len(labels(row)) == 3]
        return whole if len(whole) == 2 else None

    found = own_server.until(both)
    verdicts = {str(row["answer_text"]): labels(row)["faithfulness"] for row in found}
    assert verdicts == {ROWS[0]["answer"]: "supported", ROWS[1]["answer"]: "unsupported"}
    for row in found:
        row.pop("evaluations")
        interaction_from_json(row)


def test_evaluate_says_the_same_offline_and_exits_with_findings(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "scored.jsonl"
    seakeeping("evaluate", str(rows), "-o", str(out), code=1)
    scored = [json.loads(line) for line in out.read_text().splitlines()]
    assert [labels(row)["faithfulness"] for row in scored] == ["supported", "unsupported"]
    assert [row["id"] for row in scored] == ["good", "bad"]


def test_a_broken_line_is_named_and_the_others_are_scored(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n{nonsense\n" + json.dumps(ROWS[0]) + "\n")
    assert len(seakeeping("evaluate", str(path), code=2).splitlines()) == 2


def test_check_finds_what_is_wrong_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("kind: ContentPolicy\nversion: 1\ndefalt: drop\n")
    findings = json.loads(seakeeping("check", str(path), "--json", code=1))["findings"]
    assert "policy.yaml:3" in findings[0]["place"]
    assert "default" in findings[0]["hint"]
    assert "nowhere.yaml" in complaint("check", str(tmp_path / "nowhere.yaml"))


def test_a_broken_resource_file_is_said_at_the_start_instead_of_going_round_in_restarts(
    tmp_path: Path,
) -> None:
    (tmp_path / "policy.yaml").write_text("kind: ContentPolicy\nversion: 1\ndefalt: drop\n")
    told = complaint(
        "up", "--data", str(tmp_path / "data"), "--config", str(tmp_path),
        "--port", "0", "--grpc-port", "0",
    )  # fmt: skip
    assert "policy.yaml:3" in told


def test_a_backup_of_a_running_server_restores_into_an_empty_folder(
    own_server: Server, rows: Path, tmp_path: Path
) -> None:
    seakeeping("send", str(rows), "--endpoint", own_server.url)
    own_server.until(lambda: len(exported(own_server, tmp_path / "a.jsonl")) == 2)
    own_server.until(
        lambda: all(len(labels(r)) == 3 for r in exported(own_server, tmp_path / "a.jsonl"))
    )
    saved = tmp_path / "saved.tar"
    seakeeping("backup", str(saved), "--data", str(own_server.data))
    assert saved.stat().st_mode & 0o077 == 0, "a backup holds text: owner only"
    second = tmp_path / "second"
    second.mkdir()
    seakeeping("restore", str(saved), "--data", str(second))
    revived = Server(second)
    revived.start()
    try:
        before = exported(own_server, tmp_path / "before.jsonl")
        after = exported(revived, tmp_path / "after.jsonl")
    finally:
        revived.stop()
    assert sorted(before, key=str) == sorted(after, key=str)
    seakeeping("restore", str(saved), "--data", str(own_server.data), code=2)


def test_an_erased_user_is_gone_and_stays_gone(own_server: Server, tmp_path: Path) -> None:
    row = {
        "trace_id": "a" * 32, "span_id": "b" * 16, "started_at": "2026-11-20T10:00:00Z",
        "service_name": "shop", "answer_text": "Hello Mallory.", "user_id": "mallory",
    }  # fmt: skip
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(row) + "\n")
    seakeeping("send", str(path), "--endpoint", own_server.url)
    own_server.until(lambda: len(exported(own_server, tmp_path / "x.jsonl")) == 1)
    request = urllib.request.Request(f"{own_server.url}/api/subjects/mallory", method="DELETE")
    with urllib.request.urlopen(request, timeout=30) as response:
        assert response.status == 200
    own_server.until(lambda: not exported(own_server, tmp_path / "x.jsonl") or None)
    seakeeping("send", str(path), "--endpoint", own_server.url)
    other = {**row, "trace_id": "c" * 32, "user_id": "alice"}
    path.write_text(json.dumps(other) + "\n")
    seakeeping("send", str(path), "--endpoint", own_server.url)
    own_server.until(lambda: exported(own_server, tmp_path / "x.jsonl"))
    users = {r["user_id"] for r in exported(own_server, tmp_path / "x.jsonl")}
    assert users == {"alice"}


def test_a_key_opens_what_its_scope_says_and_nothing_once_revoked(
    own_server: Server, rows: Path
) -> None:
    data = str(own_server.data)
    made = json.loads(seakeeping("key", "create", "--scope", "receive", "--data", data, "--json"))
    send = ("send", str(rows), "--endpoint", own_server.url)
    own_server.until(lambda: own_server.status("/api/services")[0] == 401)
    seakeeping(*send, code=2)
    seakeeping(*send, "--key", made["secret"])
    seakeeping("export", "interactions", "--endpoint", own_server.url, "--key", made["secret"],
               code=2)  # fmt: skip
    seakeeping("key", "create", "--scope", "read", "--data", data)
    seakeeping("key", "revoke", made["id"], "--data", data)
    own_server.until(lambda: refused(own_server, made["secret"]))


def refused(server: Server, secret: str) -> bool:
    status, _ = server.post(
        "/v1/traces", b"", "application/x-protobuf", Authorization=f"Bearer {secret}"
    )
    return status == 401
