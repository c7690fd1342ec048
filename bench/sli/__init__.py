"""How far the estimates of quality may be believed: coverage and width, counted."""
