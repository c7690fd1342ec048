"""What somebody has to copy from a table, an id or a name, is there in full at any width."""

import sys

import pytest

from seakeeping.cli.tables import print_table

ID = "0123456789abcdef" * 2
NAME = "space-classics-in-every-language/faithfulness"
HEADERS = ("id", "what")
ROW = (ID, " ".join(["much"] * 40))


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")


def test_in_a_pipe_nothing_is_cut_or_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_table(HEADERS, [ROW])
    assert any(ID in line and ROW[1] in line for line in printed(capsys))


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_on_a_narrow_terminal_other_columns_give_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    on_a_terminal(monkeypatch, columns)
    print_table(HEADERS, [ROW], whole=("id",))
    told = printed(capsys)
    assert any(ID in line for line in told)
    assert sum(line.count("much") for line in told) == 40


def test_two_long_names_are_both_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_terminal(monkeypatch, 60)
    print_table(("id", "name", "what"), [(ID, NAME, "x" * 50)], whole=("id", "name"))
    told = printed(capsys)
    assert any(ID in line and NAME in line for line in told)
    assert sum(line.count("x") for line in told) == 50


def test_what_looks_like_markup_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(HEADERS, [("chat[model=gpt]", "[bold]it[/bold]")])
    told = capsys.readouterr().out
    assert "chat[model=gpt]" in told
    assert "[bold]it[/bold]" in told


def test_a_table_without_rows_has_its_headers(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(HEADERS, [], whole=("id",))
    assert "what" in printed(capsys)[1]
