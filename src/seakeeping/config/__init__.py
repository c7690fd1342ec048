"""Settings are read once and frozen; resources are documents that may change while we run."""

from seakeeping.config.policy import ContentPolicy
from seakeeping.config.prices import Price, PriceTable
from seakeeping.config.resources import (
    EvaluatorChoice,
    Finding,
    ResourceFolder,
    Resources,
    ScrapeTarget,
    check_files,
    load_resources,
)
from seakeeping.config.settings import Settings, load_settings

__all__ = [
    "ContentPolicy",
    "EvaluatorChoice",
    "Finding",
    "Price",
    "PriceTable",
    "ResourceFolder",
    "Resources",
    "ScrapeTarget",
    "Settings",
    "check_files",
    "load_resources",
    "load_settings",
]
