"""Settings are read once and frozen; resources are documents that may change while we run."""

from seakeeping.config.finding import Finding
from seakeeping.config.openslo import document_of, objectives_of
from seakeeping.config.policy import ContentPolicy
from seakeeping.config.prices import Price, PriceTable
from seakeeping.config.resources import (
    Choice,
    EvaluatorChoice,
    ResourceFolder,
    Resources,
    ScrapeTarget,
    check_files,
    inspect,
    load_resources,
)
from seakeeping.config.settings import Settings, load_settings

__all__ = [
    "Choice",
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
    "document_of",
    "inspect",
    "load_resources",
    "load_settings",
    "objectives_of",
]
