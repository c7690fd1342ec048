"""Settings are read once and frozen; resources are documents that may change while we run."""

from seakeeping.config.settings import Settings, load_settings

__all__ = ["Settings", "load_settings"]
