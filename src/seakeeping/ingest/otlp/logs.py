"""The walk of a log request: every record into a :class:`~seakeeping.records.LogEvent`."""

from collections.abc import Iterator

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1 import logs_pb2

from seakeeping.ingest.otlp import derive
from seakeeping.ingest.otlp.body import Acceptance, acceptance, time_problem
from seakeeping.ingest.otlp.values import any_value, attributes
from seakeeping.records import JsonObject, LogEvent, Signal


def check_logs(request: ExportLogsServiceRequest) -> Acceptance:
    """Return which log records of a request can be kept."""
    items, problems = 0, []
    for group in request.resource_logs:
        for scope in group.scope_logs:
            items += len(scope.log_records)
            problems += [problem for log in scope.log_records if (problem := _problem(log))]
    return acceptance(Signal.LOGS, items, problems)


def logs_of(request: ExportLogsServiceRequest) -> list[LogEvent]:
    """Return the log records of a request without those that ``check_logs`` refuses."""
    return list(_logs(request))


def _logs(request: ExportLogsServiceRequest) -> Iterator[LogEvent]:
    for group in request.resource_logs:
        resource = attributes(group.resource.attributes)
        service_name = derive.service_name(resource)
        for scope in group.scope_logs:
            for log in scope.log_records:
                if not _problem(log):
                    yield _log(log, service_name, resource)


def _time_ns(log: logs_pb2.LogRecord) -> int:
    return log.time_unix_nano or log.observed_time_unix_nano


def _problem(log: logs_pb2.LogRecord) -> str:
    return time_problem(_time_ns(log))


def _log(log: logs_pb2.LogRecord, service_name: str, resource: JsonObject) -> LogEvent:
    found = attributes(log.attributes)
    return LogEvent(
        trace_id=derive.hex_id(log.trace_id, 16),
        span_id=derive.hex_id(log.span_id, 8),
        name=derive.log_name(log.event_name, found),
        at=derive.seconds(_time_ns(log)),
        body=any_value(log.body),
        attributes=found,
        severity=derive.severity(log.severity_number, log.severity_text),
        service_name=service_name,
        resource=resource,
    )
