-- The tables of schema 1, as released: what a store of that version holds.
CREATE TABLE IF NOT EXISTS spans
(
  trace_id String CODEC(ZSTD(1)),
  span_id String CODEC(ZSTD(1)),
  parent_span_id String CODEC(ZSTD(1)),
  name LowCardinality(String),
  kind LowCardinality(String),
  started_at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  duration_s Nullable(Float64) CODEC(ZSTD(1)),
  status LowCardinality(String),
  status_message String CODEC(ZSTD(3)),
  error_type LowCardinality(String),
  service_name LowCardinality(String),
  scope_name LowCardinality(String),
  sampling_weight Float64 CODEC(ZSTD(1)),
  attributes String CODEC(ZSTD(3)),
  events String CODEC(ZSTD(3)),
  resource LowCardinality(String),
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(started_at)
ORDER BY (trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 33554432, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 120, index_granularity = 1024, index_granularity_bytes = 1048576, min_compress_block_size = 8192;

CREATE TABLE IF NOT EXISTS interactions
(
  trace_id String CODEC(ZSTD(1)),
  span_id String CODEC(ZSTD(1)),
  parent_span_id String CODEC(ZSTD(1)),
  started_at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  bucket DateTime('UTC') MATERIALIZED toStartOfFiveMinutes(started_at) CODEC(Delta(4), ZSTD(1)),
  duration_s Nullable(Float64) CODEC(ZSTD(1)),
  time_to_first_token_s Nullable(Float64) CODEC(ZSTD(1)),
  streaming Nullable(UInt8),
  operation LowCardinality(String),
  provider LowCardinality(String),
  request_model LowCardinality(String),
  response_model LowCardinality(String),
  response_id String CODEC(ZSTD(1)),
  service_name LowCardinality(String),
  service_version LowCardinality(String),
  environment LowCardinality(String),
  is_answer UInt8,
  input_tokens Nullable(Int64) CODEC(ZSTD(1)),
  output_tokens Nullable(Int64) CODEC(ZSTD(1)),
  cache_read_tokens Nullable(Int64) CODEC(ZSTD(1)),
  reasoning_tokens Nullable(Int64) CODEC(ZSTD(1)),
  cost_usd Nullable(Float64) CODEC(ZSTD(1)),
  finish_reasons LowCardinality(String),
  error_type LowCardinality(String),
  conversation_id String CODEC(ZSTD(1)),
  user_id String CODEC(ZSTD(1)),
  tenant LowCardinality(String),
  route LowCardinality(String),
  region LowCardinality(String),
  prompt_name LowCardinality(String),
  prompt_version LowCardinality(String),
  release LowCardinality(String),
  traffic LowCardinality(String),
  sampling_weight Float64 CODEC(ZSTD(1)),
  groups LowCardinality(String),
  has_content UInt8,
  version UInt64 CODEC(Delta(8), ZSTD(1)),
  retracted UInt8,
  erased UInt8 DEFAULT 0,
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
  INDEX user_id user_id TYPE bloom_filter(0.01) GRANULARITY 2,
  INDEX conversation_id conversation_id TYPE bloom_filter(0.01) GRANULARITY 2
)
ENGINE = ReplacingMergeTree(version, retracted)
PARTITION BY toDate(started_at)
ORDER BY (service_name, bucket, trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 33554432, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 120, index_granularity = 1024, index_granularity_bytes = 1048576, min_compress_block_size = 8192;

CREATE TABLE IF NOT EXISTS interaction_texts
(
  trace_id String CODEC(ZSTD(1)),
  span_id String CODEC(ZSTD(1)),
  started_at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  bucket DateTime('UTC') MATERIALIZED toStartOfFiveMinutes(started_at) CODEC(Delta(4), ZSTD(1)),
  service_name LowCardinality(String),
  system_instructions String CODEC(ZSTD(3)),
  input_messages String CODEC(ZSTD(3)),
  output_messages String CODEC(ZSTD(3)),
  answer_text String CODEC(ZSTD(3)),
  tool_definitions String CODEC(ZSTD(3)),
  documents String CODEC(ZSTD(3)),
  attributes String CODEC(ZSTD(3)),
  version UInt64 CODEC(Delta(8), ZSTD(1)),
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toDate(started_at)
ORDER BY (service_name, bucket, trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 33554432, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 120, index_granularity = 256, index_granularity_bytes = 131072, min_compress_block_size = 32768;

CREATE TABLE IF NOT EXISTS evaluations
(
  trace_id String CODEC(ZSTD(1)),
  span_id String CODEC(ZSTD(1)),
  started_at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  bucket DateTime('UTC') MATERIALIZED toStartOfFiveMinutes(started_at) CODEC(Delta(4), ZSTD(1)),
  service_name LowCardinality(String),
  name LowCardinality(String),
  evaluator LowCardinality(String),
  evaluator_version LowCardinality(String),
  score_value Nullable(Float64) CODEC(ZSTD(1)),
  score_label LowCardinality(String),
  explanation String CODEC(ZSTD(3)),
  evidence String CODEC(ZSTD(3)),
  evaluated_at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  duration_s Nullable(Float64) CODEC(ZSTD(1)),
  cost_usd Nullable(Float64) CODEC(ZSTD(1)),
  skipped_reason LowCardinality(String),
  version UInt64 CODEC(Delta(8), ZSTD(1)),
  retracted UInt8,
  erased UInt8 DEFAULT 0,
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, retracted)
PARTITION BY toDate(started_at)
ORDER BY (service_name, bucket, trace_id, span_id, name, evaluator)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 33554432, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 120, index_granularity = 1024, index_granularity_bytes = 1048576, min_compress_block_size = 8192;

CREATE TABLE IF NOT EXISTS metric_points
(
  service_name LowCardinality(String),
  name LowCardinality(String),
  unit LowCardinality(String),
  kind LowCardinality(String),
  at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  resource LowCardinality(String),
  attributes LowCardinality(String),
  value Nullable(Float64) CODEC(ZSTD(1)),
  count Nullable(Int64) CODEC(ZSTD(1)),
  bounds Array(Float64) CODEC(ZSTD(1)),
  counts Array(Float64) CODEC(ZSTD(1)),
  temporality LowCardinality(String),
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(at)
ORDER BY (service_name, name, attributes, at)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 33554432, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 120;

CREATE TABLE IF NOT EXISTS trace_index
(
  trace_id String CODEC(ZSTD(1)),
  service_name LowCardinality(String),
  bucket DateTime('UTC') CODEC(Delta(4), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(bucket)
ORDER BY (trace_id, service_name, bucket)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 33554432, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 120, index_granularity = 512;

CREATE TABLE IF NOT EXISTS rollups
(
  service_name LowCardinality(String),
  bucket DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  traffic LowCardinality(String),
  calls UInt64,
  errors UInt64,
  answers UInt64,
  with_content UInt64,
  weighted_calls Float64,
  weighted_errors Float64,
  latency Map(UInt32, UInt64),
  weighted_latency Map(UInt32, Float64),
  ttft Map(UInt32, UInt64),
  input_tokens Int64,
  output_tokens Int64,
  cost_usd Float64,
  last_seen_at DateTime64(6, 'UTC'),
  version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(bucket)
ORDER BY (service_name, bucket, traffic)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 33554432, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 120, index_granularity = 1024;

CREATE TABLE IF NOT EXISTS evaluation_rollups
(
  service_name LowCardinality(String),
  bucket DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  traffic LowCardinality(String),
  name LowCardinality(String),
  evaluator LowCardinality(String),
  scored UInt64,
  weighted_scored Float64,
  score_sum Float64,
  labels Map(String, UInt64),
  weighted_labels Map(String, Float64),
  skipped Map(String, UInt64),
  lag Map(UInt32, UInt64),
  version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(bucket)
ORDER BY (name, service_name, bucket, traffic, evaluator)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 33554432, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 120, index_granularity = 1024;

CREATE TABLE IF NOT EXISTS meta
(
  key String,
  value String,
  at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (key)
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 33554432, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 120;
