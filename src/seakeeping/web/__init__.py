"""Web: the JSON API, server-sent events and the control room, and the process that serves them."""
