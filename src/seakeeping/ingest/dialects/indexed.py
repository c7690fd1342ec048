"""Flattened lists: ``prefix.0.role``, ``prefix.1.contents.0.text`` and so on, back into lists.

Attributes of OpenTelemetry hold no nested values in old SDKs, so OpenInference and OpenLLMetry
spell a list of messages as one key a field. Indices may have holes; what does not parse as one is
left out.
"""

from collections.abc import Iterable

from seakeeping.records import Json, JsonObject

_LARGEST = 100_000
Node = dict[str, "Json | Node"]


def lists_under(attributes: JsonObject, prefixes: tuple[str, ...]) -> dict[str, list[JsonObject]]:
    """Return the list under each prefix (which ends in a dot), in order of the indices.

    >>> lists_under({"p.1.a": 2, "p.0.a": 1, "p.0.b.0.c": 3}, ("p.",))
    {'p.': [{'a': 1, 'b': {'0': {'c': 3}}}, {'a': 2}]}
    """
    trees: dict[str, Node] = {prefix: {} for prefix in prefixes}
    for key, value in attributes.items():
        if key.startswith(prefixes):
            for prefix in prefixes:
                if key.startswith(prefix):
                    _plant(trees[prefix], key[len(prefix) :].split("."), value)
                    break
    return {prefix: items_of(tree) for prefix, tree in trees.items() if tree}


def _plant(tree: Node, path: list[str], value: Json) -> None:
    for step in path[:-1]:
        below = tree.get(step)
        if not isinstance(below, dict):
            below = {}
            tree[step] = below
        tree = below
    tree[path[-1]] = value


def items_of(tree: Json | Node) -> list[JsonObject]:
    """Return the values under numeric keys that are objects, in order."""
    if not isinstance(tree, dict):
        return []
    found = ((int(key), value) for key, value in tree.items() if _is_index(key))
    return [value for _, value in sorted(found, key=_place) if isinstance(value, dict)]


def _place(item: tuple[int, object]) -> int:
    return item[0]


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 6 and int(key) < _LARGEST


def unwrapped(items: Iterable[JsonObject], name: str) -> list[JsonObject]:
    """Return what each item holds under ``name``, where that is an object."""
    return [inner for item in items if isinstance(inner := item.get(name), dict)]
