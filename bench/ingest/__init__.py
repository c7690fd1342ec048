"""Ingest side by side with the servers that people use instead."""
