"""Benchmarks: each prints its figures; ``docs/benchmarks.md`` says what, when and where."""
