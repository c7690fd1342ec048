"""What the telemetry store costs at size: disk, and CPU of every question the pages ask."""
