"""Telemetry in: receive, spool, decode, normalise; scrape Prometheus targets; emit scores."""
