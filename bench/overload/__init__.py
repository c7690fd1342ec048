"""More than the server can take."""
