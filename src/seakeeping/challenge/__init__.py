"""Traffic on purpose: the demo's replay of human-labelled answers."""
