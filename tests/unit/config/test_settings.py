"""Settings: later sources win, unknown keys name the near one, children get them all."""

import json
from pathlib import Path

import pytest

from seakeeping.config import Settings, load_settings
from seakeeping.config.settings import PREFIX, setting_table
from seakeeping.errors import BadSetting


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "seakeeping.toml"
    path.write_text(text)
    return path


def test_defaults_run() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert (settings.host, settings.port, settings.grpc_port) == ("127.0.0.1", 4318, 4317)


def test_later_sources_win(empty_folder: Path) -> None:
    write(empty_folder, 'port = 1\ngrpc_port = 1\nadmin_port = 1\ndata = "kept"')
    settings = load_settings(
        environ={"SEAKEEPING_GRPC_PORT": "2", "SEAKEEPING_ADMIN_PORT": "2"},
        flags={"admin_port": 3, "port": None},
    )
    assert (settings.port, settings.grpc_port, settings.admin_port) == (1, 2, 3)
    assert settings.data == Path("kept")


def test_a_section_of_the_file_spells_the_long_names(empty_folder: Path) -> None:
    write(empty_folder, "[retention]\ntext_days = 7\nspans_days = 3")
    settings = load_settings()
    assert (settings.retention_text_days, settings.retention_spans_days) == (7, 3)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"absent\.toml: cannot be read"):
        load_settings(file=tmp_path / "absent.toml")


def test_a_broken_file_names_itself(empty_folder: Path) -> None:
    write(empty_folder, "port = = 1")
    with pytest.raises(BadSetting, match=r"seakeeping\.toml: cannot be read"):
        load_settings()


@pytest.mark.parametrize(
    ("environ", "flags", "place"),
    [
        ({"SEAKEEPING_PROT": "1"}, {}, "SEAKEEPING_PROT"),
        ({}, {"prot": 1}, "command line"),
    ],
)
def test_an_unknown_key_names_the_near_one(
    environ: dict[str, str], flags: dict[str, object], place: str
) -> None:
    with pytest.raises(BadSetting, match="did you mean port") as caught:
        load_settings(environ=environ, flags=flags)
    assert caught.value.place == place


def test_an_unknown_key_of_the_file_names_the_file(empty_folder: Path) -> None:
    write(empty_folder, "[retention]\ntxt_days = 7")
    with pytest.raises(BadSetting, match="did you mean retention_text_days"):
        load_settings()


def test_a_key_near_to_nothing_points_to_the_docs() -> None:
    with pytest.raises(BadSetting, match=r"settings\.md"):
        load_settings(flags={"zzzzzzzz": 1})


def test_variables_of_others_are_left_alone() -> None:
    environ = {"HOME": "/", "SEAKEEPING_TEST_CLICKHOUSE_URL": "x", "SEAKEEPING_SHARED": "x"}
    assert load_settings(environ=environ) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("DEMO", "yes", True),
        ("DEMO", "OFF", False),
        ("SCRAPE", "http://a/metrics, http://b/metrics", ("http://a/metrics", "http://b/metrics")),
        ("SCRAPE", "", ()),
        ("EVALUATOR_TIMEOUT_S", "2.5", 2.5),
        ("EVALUATOR_TIMEOUT_S", "2", 2.0),
        ("WORKERS", "3", 3),
        ("DATA", "/srv/data", Path("/srv/data")),
        ("STORE", "clickhouse://u:p@h/db", "clickhouse://u:p@h/db"),
    ],
)
def test_the_text_of_a_variable_is_read_as_its_type(
    variable: str, text: str, expected: object
) -> None:
    settings = load_settings(environ={PREFIX + variable: text})
    assert getattr(settings, variable.lower()) == expected


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("DEMO", "maybe"),
        ("PORT", "http"),
        ("PORT", "1.5"),
        ("PORT", "true"),
        ("PORT", "null"),
        ("EVALUATOR_TIMEOUT_S", "NaN"),
        ("EVALUATOR_TIMEOUT_S", "true"),
        ("DATA", ""),
    ],
)
def test_a_variable_of_the_wrong_type_is_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(environ={PREFIX + variable: text})
    assert caught.value.place == PREFIX + variable


@pytest.mark.parametrize("text", ["demo = 1", "scrape = 'x'", "data = 3", "host = ''"])
def test_a_value_of_the_wrong_type_in_the_file_is_refused(empty_folder: Path, text: str) -> None:
    write(empty_folder, text)
    with pytest.raises(BadSetting, match="is not"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", -1), ("port", 65536), ("body_limit_mb", 0), ("evaluator_timeout_s", 0.0)],
)
def test_a_number_out_of_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(BadSetting, match=name):
        load_settings(flags={name: value})


def test_the_spool_must_hold_two_bodies() -> None:
    with pytest.raises(BadSetting, match="at least twice body_limit_mb"):
        Settings(spool_limit_mb=100, body_limit_mb=64)


def test_text_cannot_outlive_its_interaction() -> None:
    with pytest.raises(BadSetting, match="cannot outlive"):
        Settings(retention_text_days=91, retention_interactions_days=90)


@pytest.mark.parametrize("name", ["store_url", "store_token", "run_dir"])
def test_runtime_settings_have_no_outside_source(name: str) -> None:
    for sources in ({"flags": {name: "x"}}, {"environ": {PREFIX + name.upper(): "x"}}):
        with pytest.raises(BadSetting, match="unknown setting"):
            load_settings(**sources)  # type: ignore[arg-type]  # both sources are mappings


def test_children_get_every_setting_through_json() -> None:
    settings = Settings(
        data=Path("/d"),
        scrape=("http://a",),
        store_url="http://127.0.0.1:1",
        store_token="t",
        run_dir=Path("/d/run"),
    )
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_json_with_an_unknown_setting_is_refused() -> None:
    with pytest.raises(BadSetting, match="did you mean data"):
        Settings.from_json({"dta": "x"})


def test_secrets_are_not_shown() -> None:
    shown = repr(Settings(store="clickhouse://u:hunter2@h", emit_headers=("authorization=s3cret",)))
    assert "hunter2" not in shown
    assert "s3cret" not in shown
    assert "port=4318" in shown


def test_every_setting_says_what_it_means_and_has_a_reader() -> None:
    for setting in setting_table().values():
        assert setting.spec.help.endswith("."), setting.name
    assert Settings.from_json(Settings().to_json()) == Settings()


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("EMIT_ENDPOINT", "collector:4318"),
        ("EMIT_HEADERS", "x-api-key"),
        ("SCRAPE", "http://gpu:8000, gpu:8000"),
        ("SCRAPE", "http://"),
    ],
)
def test_an_address_that_can_never_work_is_refused_at_the_start(variable: str, text: str) -> None:
    with pytest.raises(BadSetting, match=variable.lower()):
        load_settings(environ={f"{PREFIX}{variable}": text})
