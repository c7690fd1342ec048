"""Notify: what was decided reaches people and machines, at least once, and secrets stay secret.

Messages wait in the ledger's outbox; the courier carries each target's in a lane of its own; a
sender speaks each kind's language; alerts of an Alertmanager come in by the same data.
"""
