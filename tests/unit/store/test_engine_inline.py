import pytest

from seakeeping.store.engine.inline import split_insert, with_data_apart


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        (b"INSERT INTO t FORMAT Native\nabc", (b"INSERT INTO t", b" FORMAT Native", b"abc")),
        (
            b"insert into db.t (a, b) settings x = 1 format TSV\r\n1\t2\n",
            (b"insert into db.t (a, b)", b" settings x = 1 FORMAT TSV", b"1\t2\n"),
        ),
        (
            b"INSERT INTO t (format, b) FORMAT JSONEachRow {}",
            (b"INSERT INTO t (format, b)", b" FORMAT JSONEachRow", b"{}"),
        ),
    ],
)
def test_an_insert_is_split_where_its_data_begin(
    sql: bytes, parts: tuple[bytes, bytes, bytes]
) -> None:
    if parts[2] == b"{}":  # data on the line of the statement stay with it
        assert split_insert(sql) is None
    else:
        assert split_insert(sql) == parts


@pytest.mark.parametrize(
    "sql",
    [
        b"SELECT 1 FORMAT Native\nabc",
        b"INSERT INTO t VALUES (1)\n\n",
        b"INSERT INTO t FORMAT Native",
        b"INSERT INTO t SELECT * FROM u",
        b"INSERT INTO t FROM INFILE 'x' FORMAT TSV\nabc",
    ],
)
def test_a_statement_without_data_behind_it_stays_as_it_is(sql: bytes) -> None:
    assert split_insert(sql) is None
    with with_data_apart(sql) as statement:
        assert statement == sql


def test_the_statement_names_a_file_that_holds_exactly_the_data() -> None:
    data = b"\n\n;--'" + bytes(range(256)) * 1000
    with with_data_apart(b"INSERT INTO t FORMAT Native\n" + data) as statement:
        path = statement.split(b"'")[1].decode()
        with open(path, "rb") as file:
            assert file.read() == data
    with pytest.raises(FileNotFoundError):
        open(path, "rb").close()
