"""An app as its authors would write it: the real client, instrumentation, SDK and exporter.

Runs in an environment of its own (``run.py`` makes it), so it imports nothing of ours. A fake
provider answers on the loopback. For every model call that was exported it prints a line of JSON:
the span's identifiers and when the export began that carried it.

    python app.py http://127.0.0.1:4318 25 60     # 25 calls a second for 60 seconds
"""

import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai import OpenAI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

EXPORT_EVERY_MS = 1000
FACTS = (
    "The lighthouse was built in 1874 by the harbour board. It stands on the north pier. Its lamp "
    "was electric from 1921 on. The keeper's cottage became a museum in 1968. It is open from "
    "April to October, on week-ends only."
)
ANSWERS = itertools.cycle(
    (
        "The lighthouse was built in 1874 by the harbour board. It stands on the north pier.",
        "It was built by Norwegian fishermen in 1799, after the great storm. It is open all year.",
        "The cottage became a museum in 1968. It is open from April to October.",
    )
)


class Provider(BaseHTTPRequestHandler):
    """Answers chat completions."""

    protocol_version = "HTTP/1.1"
    numbers = itertools.count()

    def do_POST(self) -> None:
        """Answer one request."""
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": next(ANSWERS)}
        body = json.dumps(
            {
                "id": f"chatcmpl-{os.getpid()}-{next(self.numbers)}",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": "gpt-4o-mini-2024-07-18",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 120, "completion_tokens": 40, "total_tokens": 160},
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Noted(SpanExporter):
    """Notes when the export of each model call began."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export, and print what was exported."""
        began = time.time()
        result = self._exporter.export(spans)
        for span in spans:
            name = {"trace_id": f"{span.context.trace_id:032x}", "began": began}
            name |= {"span_id": f"{span.context.span_id:016x}", "taken": result.name == "SUCCESS"}
            if "gen_ai.operation.name" in (span.attributes or {}):
                print(json.dumps(name), flush=True)
        return result

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()


def main() -> None:
    """Call the model at a pace for so long."""
    endpoint, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    tracing = TracerProvider(resource=Resource.create({"service.name": "lighthouse-guide"}))
    exporter = Noted(OTLPSpanExporter(f"{endpoint}/v1/traces"))
    tracing.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_EVERY_MS))
    OpenAIInstrumentor().instrument(tracer_provider=tracing)
    client = OpenAI(base_url=f"http://127.0.0.1:{provider.server_port}/v1", api_key="fake")

    def ask() -> None:
        messages = [{"role": "user", "content": f"{FACTS}\n\nWhat is known of the lighthouse?"}]
        client.chat.completions.create(model="gpt-4o-mini", messages=messages)

    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            pool.submit(ask)
    tracing.shutdown()


if __name__ == "__main__":
    main()
