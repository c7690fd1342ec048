"""Erasure of a user: rows are deleted for good, and the counts of the past stay true.

Rollups are recomputed from rows whenever a late row touches their bucket, so deleting rows alone
would quietly change the past. Therefore an erased call leaves its bare numbers behind (service,
time, tokens, cost, verdicts, labels without their comment) under ids made from a random salt that
nobody keeps: nothing leads from them to the user, the trace or a text.
"""

import secrets
from collections.abc import Iterator, Sequence

from seakeeping.store.client import StoreClient
from seakeeping.store.places import places_of
from seakeeping.store.rows import Row

_AT_ONCE = 2000

_NUMBERS = (
    "started_at, duration_s, time_to_first_token_s, streaming, operation, provider, request_model, "
    "response_model, service_name, service_version, environment, is_answer, input_tokens, "
    "output_tokens, cache_read_tokens, reasoning_tokens, cost_usd, finish_reasons, error_type, "
    "prompt_name, prompt_version, release, traffic, sampling_weight, has_content, version"
)
_VERDICTS = (
    "started_at, service_name, name, evaluator, evaluator_version, score_value, score_label, "
    "evaluated_at, duration_s, cost_usd, skipped_reason, version"
)
_JUDGED = "name, by, value, at, sampling_probability, version"
_ANONYMOUS_TRACE = (
    "lower(concat(hex(sipHash64({salt:String}, 'high', trace_id)), "
    "hex(sipHash64({salt:String}, 'low', trace_id))))"
)
_ANONYMOUS = f"{_ANONYMOUS_TRACE}, lower(hex(sipHash64({{salt:String}}, 'span', span_id)))"
_CHOSEN = "concat(trace_id, span_id) IN {keys:Array(String)}"

_LEAVE_NUMBERS = (
    f"INSERT INTO interactions (trace_id, span_id, erased, {_NUMBERS}) "
    f"SELECT {_ANONYMOUS}, 1, {_NUMBERS} FROM interactions FINAL WHERE {{where}} AND {_CHOSEN}"
)
_LEAVE_VERDICTS = (
    f"INSERT INTO evaluations (trace_id, span_id, erased, {_VERDICTS}) "
    f"SELECT {_ANONYMOUS}, 1, {_VERDICTS} FROM evaluations FINAL WHERE {{where}} AND {_CHOSEN}"
)
_LEAVE_LABELS = (
    f"INSERT INTO labels (trace_id, span_id, author, {_JUDGED}) "
    f"SELECT {_ANONYMOUS}, if(by = 'user', '', author), {_JUDGED} FROM labels FINAL WHERE {_CHOSEN}"
)
_LEAVE_PLACES = (
    "INSERT INTO trace_index (trace_id, service_name, bucket) "
    f"SELECT {_ANONYMOUS_TRACE}, service_name, bucket FROM trace_index "
    f"WHERE trace_id IN (SELECT trace_id FROM labels WHERE {_CHOSEN})"
)
_DELETE = (
    f"ALTER TABLE labels DELETE WHERE {_CHOSEN}",
    f"ALTER TABLE evaluations DELETE WHERE {_CHOSEN}",
    f"ALTER TABLE interaction_texts DELETE WHERE {_CHOSEN}",
    "ALTER TABLE spans DELETE WHERE trace_id IN {traces:Array(String)}",
    "ALTER TABLE trace_index DELETE WHERE trace_id IN {traces:Array(String)}",
    # last: while it is not done, the user's rows are found again
    f"ALTER TABLE interactions DELETE WHERE {_CHOSEN}",
)


def erase_subject(client: StoreClient, user_id: str) -> int:
    """Delete a user's interactions, their text, evaluations and traces; return how many there were.

    Safe to repeat after a failure half-way; done when it returns.
    """
    found = client.read(
        "SELECT DISTINCT trace_id, span_id, service_name, toUInt32(bucket) FROM interactions "
        "WHERE user_id = {user:String} ORDER BY bucket",
        {"user": user_id},
    )
    for some in _chunks(found):
        _erase(client, some)
    return len({(row[0], row[1]) for row in found})


def _erase(client: StoreClient, found: Sequence[Row]) -> None:
    where = places_of([(row[2], row[3]) for row in found])
    keys = {"keys": [row[0] + row[1] for row in found]}
    traces = sorted({row[0] for row in found})
    salted = {**where.params, **keys, "salt": secrets.token_hex(16)}
    for statement in (_LEAVE_NUMBERS, _LEAVE_VERDICTS, _LEAVE_PLACES, _LEAVE_LABELS):
        client.command(statement.replace("{where}", where.condition), salted)
    for statement in _DELETE:
        client.command(statement, {**keys, "traces": traces}, {"mutations_sync": 2})


def _chunks(found: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(found), _AT_ONCE):
        yield found[start : start + _AT_ONCE]
