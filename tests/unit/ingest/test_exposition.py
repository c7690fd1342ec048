import math

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from seakeeping.errors import BadPayload
from seakeeping.ingest.exposition import parse_exposition
from seakeeping.records import MetricPoint

VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="meta-llama/Llama-3.1-8B-Instruct"} 3.0
# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="meta-llama/Llama-3.1-8B-Instruct"} 0.25
# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="meta-llama/Llama-3.1-8B-Instruct"} 1.2345e+04
# HELP vllm:prompt_tokens_created Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_created gauge
vllm:prompt_tokens_created{engine="0",model_name="meta-llama/Llama-3.1-8B-Instruct"} 1.7e+09
# HELP vllm:time_to_first_token_seconds Histogram of time to first token in seconds.
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="m"} 0.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.02",model_name="m"} 5.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.1",model_name="m"} 9.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="m"} 10.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 10.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 1.5
# TYPE vllm:request_success_total counter
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 8.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 2.0
"""


def parsed(text: str, *, open_metrics: bool = False) -> list[MetricPoint]:
    return parse_exposition(
        text,
        at=100.0,
        service_name="vllm",
        resource={"service.name": "vllm"},
        open_metrics=open_metrics,
    )


def only(text: str, *, open_metrics: bool = False) -> MetricPoint:
    (found,) = parsed(text, open_metrics=open_metrics)
    return found


def test_an_inference_server_is_read_whole() -> None:
    found = {(p.name, p.attributes.get("finished_reason")): p for p in parsed(VLLM)}
    assert len(found) == 6
    running = found["vllm:num_requests_running", None]
    assert running == MetricPoint(
        name="vllm:num_requests_running",
        unit="",
        kind="gauge",
        at=100.0,
        service_name="vllm",
        resource={"service.name": "vllm"},
        attributes={"engine": "0", "model_name": "meta-llama/Llama-3.1-8B-Instruct"},
        value=3.0,
    )
    tokens = found["vllm:prompt_tokens_total", None]
    assert (tokens.kind, tokens.value, tokens.temporality) == ("counter", 12345.0, "cumulative")
    ttft = found["vllm:time_to_first_token_seconds", None]
    assert ttft.buckets == ((0.001, 0.0), (0.02, 5.0), (0.1, 4.0), (math.inf, 1.0))
    assert (ttft.kind, ttft.count, ttft.value, ttft.unit) == ("histogram", 10, 1.5, "s")
    assert ttft.attributes == {"engine": "0", "model_name": "m"}
    assert found["vllm:request_success_total", "length"].value == 2.0


def registry() -> CollectorRegistry:
    found = CollectorRegistry()
    Counter("calls", "Calls.", ["route"], registry=found).labels('a "quoted"\n\\route').inc(3)
    Gauge("queue_bytes", "Queue.", registry=found).set(-0.5)
    histogram = Histogram("latency_seconds", "Latency.", registry=found, buckets=(0.1, 1.0))
    for value in (0.05, 0.5, 5.0, 5.0):
        histogram.observe(value)
    Summary("size", "Size.", registry=found).observe(4)
    return found


@pytest.mark.parametrize("open_metrics", [False, True])
def test_both_formats_of_the_reference_library_read_the_same(open_metrics: bool) -> None:
    generate = generate_openmetrics if open_metrics else generate_latest
    found = {p.name: p for p in parsed(generate(registry()).decode(), open_metrics=open_metrics)}
    assert set(found) == {"calls_total", "queue_bytes", "latency_seconds", "size"}
    calls = found["calls_total"]
    assert (calls.kind, calls.value) == ("counter", 3.0)
    assert calls.attributes == {"route": 'a "quoted"\n\\route'}
    assert (found["queue_bytes"].value, found["queue_bytes"].unit) == (-0.5, "By")
    latency = found["latency_seconds"]
    assert latency.buckets == ((0.1, 1.0), (1.0, 1.0), (math.inf, 2.0))
    assert (latency.value, latency.count) == (10.55, 4)
    assert (found["size"].kind, found["size"].value, found["size"].count) == ("summary", 4.0, 1)


def test_a_summary_keeps_the_quantiles_that_have_values() -> None:
    found = only(
        "# TYPE rpc summary\n"
        'rpc{quantile="0.99"} 0.9\nrpc{quantile="0.5"} 0.4\nrpc{quantile="1"} NaN\n'
        "rpc_sum 10\nrpc_count 20\n"
    )
    assert found.buckets == ((0.5, 0.4), (0.99, 0.9))
    assert (found.value, found.count) == (10.0, 20)


def test_times_are_milliseconds_or_in_openmetrics_seconds() -> None:
    assert only("a 1 1700000000123").at == pytest.approx(1_700_000_000.123)
    assert only("a 1 1700000000.5", open_metrics=True).at == 1_700_000_000.5
    assert only("a 1 -5").at == -0.005


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", 1.0), ("-2.5e3", -2500.0), ("+Inf", math.inf), ("-Inf", -math.inf), ("NaN", None)],
)
def test_values_are_doubles_and_none_is_not_a_number(value: str, expected: float | None) -> None:
    assert only(f"a {value}").value == expected


def test_exemplars_comments_and_blank_lines_are_passed_over() -> None:
    text = (
        '# just a comment\n\n#\n# EOF-like\n# HELP a Help with { and " in it\n# TYPE a histogram\n'
        'a_bucket{le="1"} 1 # {trace_id="abc"} 0.5 1700000000\n'
        'a_bucket{le="+Inf"} 1\n# EOF\n'
    )
    assert only(text, open_metrics=True).buckets == ((1.0, 1.0), (math.inf, 0.0))


def test_a_declared_unit_is_used() -> None:
    assert only("# TYPE a gauge\n# UNIT a joules\na 1", open_metrics=True).unit == "J"
    assert only("# TYPE a gauge\n# UNIT a furlongs\na 1", open_metrics=True).unit == "furlongs"


def test_an_untyped_sample_is_a_gauge_whatever_its_name_ends_in() -> None:
    assert [(p.name, p.kind) for p in parsed("a_sum 1\na_total 2\na_created 3")] == [
        ("a_sum", "gauge"),
        ("a_total", "gauge"),
        ("a_created", "gauge"),
    ]


def test_a_histogram_without_an_infinite_bucket_gets_it_from_the_count() -> None:
    found = only('# TYPE a histogram\na_bucket{le="1"} 3\na_count 5\na_sum 9')
    assert found.buckets == ((1.0, 3.0), (math.inf, 2.0))


def test_counts_that_fall_within_one_scrape_are_no_negative_buckets() -> None:
    found = only(
        '# TYPE a histogram\na_bucket{le="1"} 5\na_bucket{le="2"} 4\na_bucket{le="+Inf"} 6'
    )
    assert found.buckets == ((1.0, 5.0), (2.0, 0.0), (math.inf, 1.0))


@pytest.mark.parametrize(
    "line",
    [
        "novalue",
        "a",
        "a x",
        "a 1_0",
        "1a 1",
        "a{b=1} 1",
        'a{b="1} 1',
        'a{b="1"c="2"} 1',
        'a{b="1",b="2"} 1',
        'a{,b="1"} 1',
        'a{b="1"',
        "a 1 2 3",
        "a 1 later",
        "<html>",
        'h_bucket{x="1"} 1',
        'h_bucket{le="x"} 1',
    ],
)
def test_a_line_that_cannot_be_read_refuses_the_whole_with_its_number(line: str) -> None:
    with pytest.raises(BadPayload, match="line 3"):
        parsed(f"# TYPE h histogram\ngood 1\n{line}\n")


def test_long_garbage_is_refused_quickly() -> None:
    for garbage in (
        "a{" + "b" * 200_000,
        'a{b="' + "\\" * 200_001,
        "a" + " " * 200_000 + "x y z !",
    ):
        with pytest.raises(BadPayload):
            parsed(garbage)
