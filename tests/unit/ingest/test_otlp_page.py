from pathlib import Path

import pytest

from seakeeping.ingest import emit, scrape
from seakeeping.ingest.otlp import CODINGS, body, content, density, values
from seakeeping.ingest.receive_http import PATHS, READ_LIMIT_S

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "otlp.md"


@pytest.mark.parametrize(
    "claim",
    [
        *PATHS,
        *(f"`{coding}`" for coding in CODINGS if coding != "identity"),
        f"{density.MAX_ITEMS:,} fields",
        f"{density.MAX_FIELDS:,}; {density.MAX_OBJECTS:,}",
        f"log body | {values.MAX_DEPTH} |",
        f"`{values.TOO_DEEP}`",
        f"events of one span | {values.MAX_ATTRIBUTES:,} |",
        f"one data point | {body.MAX_BUCKETS:,} |",
        f"±{body.MAX_SCALE}",
        f"within {READ_LIMIT_S:.0f} s",
        f"at most {content.LONGEST_TEXT} characters",
        f"tried {emit.Patience().tries} times",
        f"{emit.Patience().queue_events:,} events may wait",
        f"`{emit.EVENT_NAME}`",
        f"{scrape.TIMEOUT_S:.0f} s for the whole scrape",
        f"{scrape.LIMIT_BYTES >> 20}\nMiB",
    ],
)
def test_the_page_says_what_the_code_does(claim: str) -> None:
    assert claim in PAGE.read_text()
