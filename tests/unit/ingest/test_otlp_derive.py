import pytest

from seakeeping.ingest.otlp import derive


@pytest.mark.parametrize(
    ("trace_state", "weight"),
    [
        ("", 1.0),
        ("ot=th:0", 1.0),
        ("ot=th:8", 2.0),
        ("ot=th:c", 4.0),
        ("ot=th:fd70a3d70a3d71", 100.0),
        ("vendor=a:b,ot=rv:123;th:8;x:1,other=c", 2.0),
        (" ot=th:8 ", 2.0),
        ("ot=th:ffffffffffffff", 2.0**56),
        ("ot=th:", 1.0),
        ("ot=th:xyz", 1.0),
        ("ot=th:C", 1.0),
        ("ot=th:fffffffffffffff", 1.0),
        ("ot=rv:8", 1.0),
        ("ot=", 1.0),
        ("not=th:8", 1.0),
        ("ot", 1.0),
    ],
)
def test_the_threshold_gives_the_weight(trace_state: str, weight: float) -> None:
    assert derive.sampling_weight(trace_state, {}) == pytest.approx(weight, rel=1e-12)


@pytest.mark.parametrize(
    ("rate", "weight"),
    [
        (10, 10.0),
        (2.5, 2.5),
        (1, 1.0),
        (0, 1.0),
        (-4, 1.0),
        (float("inf"), 1.0),
        (float("nan"), 1.0),
        ("10", 1.0),
        (True, 1.0),
        (None, 1.0),
    ],
)
def test_a_sample_rate_gives_the_weight_where_no_threshold_does(
    rate: object, weight: float
) -> None:
    assert derive.sampling_weight("", {"SampleRate": rate}) == weight  # type: ignore[dict-item]
    assert derive.sampling_weight("ot=th:8", {"SampleRate": rate}) == 2.0  # type: ignore[dict-item]


@pytest.mark.parametrize("weight", [1.0, 2.0, 3.0, 10.0, 1000.0, 2.0**40])
def test_a_threshold_is_that_of_its_weight(weight: float) -> None:
    told = f"ot=th:{derive.threshold(weight)}"
    assert derive.sampling_weight(told, {}) == pytest.approx(weight, rel=1e-4)


@pytest.mark.parametrize("name", ["trace", "debug", "info", "warn", "error", "fatal"])
def test_severity_names_have_numbers(name: str) -> None:
    assert derive.severity(derive.severity_number(name), "") == name
    assert derive.severity_number("critical") == 0


def test_service_names_are_text() -> None:
    assert derive.service_name({"service.name": 7}) == "7"
    assert derive.service_name({"service.name": ""}) == "unknown_service"
    assert derive.service_name({"service.name": ["a"]}) == "unknown_service"
    assert derive.service_name({"service.name": True}) == "unknown_service"
