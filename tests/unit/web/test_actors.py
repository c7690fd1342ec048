"""Who did it: the name of the key, as the request carries it."""

import base64

import pytest
from starlette.requests import Request

from seakeeping.config.keys import hash_key
from seakeeping.web.actors import LOCAL, Actors

NAMES = {hash_key("sk-sea-one"): "ada", hash_key("sk-sea-two"): "ci"}


def request(**headers: str) -> Request:
    given = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": given})


BASIC = base64.b64encode(b"anybody:sk-sea-two").decode()


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"authorization": "Bearer sk-sea-one"}, "ada"),
        ({"x_api_key": "sk-sea-two"}, "ci"),
        ({"authorization": f"Basic {BASIC}"}, "ci"),
        ({}, LOCAL),
    ],
)
def test_an_actor_is_called_by_the_name_of_the_key(headers: dict[str, str], name: str) -> None:
    assert Actors(lambda: NAMES).of(request(**headers)) == name


def test_a_key_made_a_moment_ago_is_called_by_its_hash_and_never_by_itself() -> None:
    name = Actors(lambda: NAMES).of(request(x_api_key="sk-sea-new"))
    assert name == f"key {hash_key('sk-sea-new')[:8]}"
    assert "sk-sea" not in name


def test_without_keys_everybody_is_local_whatever_they_claim() -> None:
    assert Actors(dict).of(request(x_api_key="sk-sea-one")) == LOCAL


def test_names_are_read_again_on_demand() -> None:
    known = dict(NAMES)
    actors = Actors(lambda: known)
    known[hash_key("sk-sea-new")] = "grace"
    actors.refresh()
    assert actors.of(request(x_api_key="sk-sea-new")) == "grace"
