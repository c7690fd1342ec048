"""Fill a store with a month of calls, made inside the engine: text, evaluations, ids, rollups.

Text is drawn from 20,000 sentences of Zipf-distributed words, documents from 3,000 shared ones, so
that it compresses as retrieval traffic does. Eight evaluations a call.
"""

import random

from seakeeping.store.places import BUCKET_S
from seakeeping.store.telemetry import Store

SERVICES = 10
DAYS = 30
_AT_ONCE = 12_000
EVALUATIONS = (
    "faithfulness", "refusal", "response_validity", "toxicity", "relevance", "tone", "pii", "shape",
)  # fmt: skip


def _sentences(count: int, words: int, source: random.Random) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    lexicon = ["".join(source.choices(letters, k=source.randint(2, 9))) for _ in range(8000)]
    weights = [1 / (rank + 1) for rank in range(len(lexicon))]
    return [" ".join(source.choices(lexicon, weights, k=words)).capitalize() for _ in range(count)]


def prepare(store: Store, seed: int = 1) -> None:
    """Make the pools of text that calls are made of."""
    source = random.Random(seed)
    for table, count, words in (("pool", 20_000, 16), ("documents", 3_000, 110)):
        store.client.command(f"CREATE TABLE {table} (text String) ENGINE = Memory")
        texts = _sentences(count, words, source)
        values = ", ".join(f"('{text}.')" for text in texts)
        store.client.command(f"INSERT INTO {table} VALUES {values}")
    store.client.command(_MADE)


def fill_day(store: Store, start: int, day: int, calls: int) -> None:
    """Add one day of calls, evenly spread over the day and the services."""
    for first in range(0, calls, _AT_ONCE):
        count = min(_AT_ONCE, calls - first)
        values = {"start": start + day * 86_400, "calls": calls, "day": day, "n": SERVICES}
        store.client.command(_MAKE.format(first=first, count=count, **values))
        for statement in (_INTERACTIONS, _TEXTS, _INDEX, _EVALUATIONS):
            store.client.command(statement.format(names=list(EVALUATIONS)))
        store.client.command("TRUNCATE TABLE made")


def roll_up(store: Store, start: int) -> None:
    """Make the rollups of the month."""
    for day in range(DAYS):
        first = start + day * 86_400
        store.refresh_rollups(
            (f"service-{number}", float(at))
            for at in range(first, first + 86_400, BUCKET_S)
            for number in range(SERVICES)
        )
        print(f"rolled up day {day + 1} of {DAYS}", flush=True)


_MADE = """
CREATE TABLE made (
  trace_id String, span_id String, started_at DateTime64(6, 'UTC'), service_name String,
  model String, duration_s Float64, user_id String, error_type String, question String,
  answer String, document_1 String, document_2 String
) ENGINE = Memory
"""

_MAKE = """
INSERT INTO made
WITH
  (SELECT groupArray(text) FROM pool) AS pool,
  (SELECT groupArray(text) FROM documents) AS docs
SELECT
  lower(hex(sipHash64({day}, number, 'h')) || hex(sipHash64({day}, number, 'l'))) AS trace_id,
  lower(hex(sipHash64({day}, number, 's'))) AS span_id,
  toDateTime64({start} + number * 86400. / {calls}, 6, 'UTC') AS started_at,
  'service-' || toString(number % {n}) AS service_name,
  ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4', 'llama-3'][1 + cityHash64(number) % 4] AS model,
  exp(randNormal(0., 0.8)) AS duration_s,
  'user-' || toString(cityHash64(number, 'u') % 50000) AS user_id,
  if(cityHash64(number, 'e', {day}) % 50 = 0, 'timeout', '') AS error_type,
  arrayStringConcat(
    arrayMap(i -> pool[1 + cityHash64(number, i, {day}, 'q') % 20000], range(8)), ' ') AS question,
  arrayStringConcat(
    arrayMap(i -> pool[1 + cityHash64(number, i, {day}, 'a') % 20000], range(8)), ' ') AS answer,
  docs[1 + cityHash64(number, 'd1') % 3000] AS document_1,
  docs[1 + cityHash64(number, 'd2') % 3000] AS document_2
FROM numbers({first}, {count})
"""

_INTERACTIONS = """
INSERT INTO interactions (trace_id, span_id, started_at, duration_s, time_to_first_token_s,
  operation, provider, request_model, service_name, environment, is_answer, input_tokens,
  output_tokens, cost_usd, finish_reasons, error_type, user_id, traffic, sampling_weight,
  has_content, version)
SELECT trace_id, span_id, started_at, duration_s, duration_s / 4, 'chat', 'openai', model,
  service_name, 'production', 1, 900 + cityHash64(span_id) % 400, 150 + cityHash64(span_id) % 90,
  0.002, 'stop', error_type, user_id, 'live', 1, 1, toUnixTimestamp64Micro(started_at)
FROM made
"""

_TEXTS = """
INSERT INTO interaction_texts (trace_id, span_id, started_at, service_name, system_instructions,
  input_messages, output_messages, answer_text, documents, version)
SELECT trace_id, span_id, started_at, service_name, 'Answer from the documents alone.',
  '[{{"role":"user","parts":[{{"type":"text","content":"' || question || '"}}]}}]',
  '[{{"role":"assistant","parts":[{{"type":"text"}}]}}]', answer,
  '[["1","' || document_1 || '",0.9,{{}}],["2","' || document_2 || '",0.8,{{}}]]',
  toUnixTimestamp64Micro(started_at)
FROM made
"""

_INDEX = """
INSERT INTO trace_index SELECT trace_id, service_name, toStartOfFiveMinutes(started_at) FROM made
"""

_EVALUATIONS = """
INSERT INTO evaluations (trace_id, span_id, started_at, service_name, name, evaluator,
  evaluator_version, score_value, score_label, evidence, evaluated_at, duration_s, skipped_reason,
  version)
SELECT trace_id, span_id, started_at, service_name, name, name, '1',
  if(reason = '', (cityHash64(span_id, name) % 1000) / 1000, NULL),
  multiIf(reason != '', '', name != 'faithfulness', 'good',
    cityHash64(span_id) % 20 = 0, 'unsupported', 'supported'),
  if(name = 'faithfulness' AND cityHash64(span_id) % 20 = 0,
    '[{{"start":12,"end":140,"score":0.1,"label":"unsupported","document":0}}]', ''),
  started_at + toIntervalSecond(2), 0.002, reason, toUnixTimestamp64Micro(started_at) + 2000000
FROM (
  SELECT *, arrayJoin({names}) AS name,
    multiIf(
      error_type != '', 'call_failed', cityHash64(span_id, name, 't') % 200 = 0, 'timeout', ''
    ) AS reason
  FROM made
)
"""
