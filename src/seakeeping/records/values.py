"""The JSON values that attributes, messages and documents are made of."""

from collections.abc import Mapping, Sequence

Json = str | bool | int | float | None | Sequence["Json"] | Mapping[str, "Json"]
"""Any JSON value."""

JsonObject = Mapping[str, Json]
"""A JSON object, e.g. the attributes of a span. Never mutated once inside a record."""
