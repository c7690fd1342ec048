"""Changes: told by those who make them, or seen in the telemetry itself; and told on."""
