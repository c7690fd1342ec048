import json
import subprocess
import sys
import types

import pytest

from seakeeping import __version__
from seakeeping.cli import main as cli
from seakeeping.errors import BadInput, Unavailable


def fake(outcome: "int | Exception") -> types.SimpleNamespace:
    """A command that adds one option, and ends as told."""

    def run(args: object) -> int:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return types.SimpleNamespace(
        run=run, add_arguments=lambda parser: parser.add_argument("--loud", action="store_true")
    )


def test_the_exit_code_of_a_command_is_that_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "command", lambda name: fake(1))
    with pytest.raises(SystemExit) as left:
        cli.run(["check", "--loud"])
    assert left.value.code == 1


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (BadInput("no such key", place="a.yaml:3", hint="did you mean b?"), "wrong input"),
        (Unavailable("away", hint="is it running?"), "error"),
    ],
)
def test_an_error_is_one_line_a_hint_and_exit_code_2(
    error: Exception,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cli, "command", lambda name: fake(error))
    assert cli.main(["check"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"seakeeping: {word}: ")
    assert lines[1].strip() in str(error)
    assert len(lines) == 2


def test_a_file_that_cannot_be_written_is_wrong_input_not_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = FileNotFoundError(2, "No such file or directory", "/nowhere/out.jsonl")
    monkeypatch.setattr(cli, "command", lambda name: fake(error))
    assert cli.main(["evaluate"]) == 2
    shown = capsys.readouterr().err
    assert shown == "seakeeping: wrong input: /nowhere/out.jsonl: No such file or directory\n"


def test_with_json_an_error_is_an_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "command", lambda name: fake(BadInput("no", place="x:1", hint="h")))
    assert cli.main(["check", "--json"]) == 2
    assert json.loads(capsys.readouterr().err) == {
        "error": {"code": "bad_input", "message": "x:1: no", "hint": "h"}
    }


def test_without_a_command_the_help_is_shown_and_it_counts_as_wrong_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main([]) == 2
    shown = capsys.readouterr().out
    assert all(name in shown for name in cli.COMMANDS)


def test_every_command_in_the_table_has_a_module_that_offers_it() -> None:
    for name in cli.COMMANDS:
        module = cli.command(name)
        assert callable(module.run), name
        cli.parser_of([name])


def test_the_version_is_printed_without_loading_any_command() -> None:
    program = (
        "import sys; from seakeeping.cli.main import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m.startswith('seakeeping.')))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert __version__ in shown
    assert (
        shown.splitlines()[-1] == "['seakeeping.cli', 'seakeeping.cli.main', 'seakeeping.errors']"
    )


@pytest.mark.parametrize("words", [["check", "--help"], ["send", "--help"], ["evaluate", "--help"]])
def test_commands_without_a_store_never_load_it(words: list[str]) -> None:
    program = (
        "import sys; from seakeeping.cli.main import main\n"
        f"try: main({words!r})\n"
        "except SystemExit: pass\n"
        "bad = {'chdb', 'pyarrow', 'pandas', 'sqlalchemy', 'clickhouse_connect', 'uvicorn'}\n"
        "print(sorted(bad & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert shown.splitlines()[-1] == "[]"
