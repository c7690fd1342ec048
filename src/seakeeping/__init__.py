"""Seakeeping: the reliability control plane for generative-AI services.

Records flow up, actions flow down, every step is a record. Telemetry comes in, every answer is
scored, scores become SLIs with honest uncertainty, SLIs spend error budgets. Floors and rooms are
described in ``docs/architecture.md``; importing this package imports none of them.
"""

__version__ = "0.1.0"
