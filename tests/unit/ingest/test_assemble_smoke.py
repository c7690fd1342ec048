from seakeeping.ingest.assemble import Assembler
from seakeeping.records import Span

_ANSWER = '[{"role":"assistant","parts":[{"type":"text","content":"Yes."}]}]'


class Clock:
    def now(self) -> float:
        return 1_800_000_000.0

    def monotonic(self) -> float:
        return 0.0


class NoPrices:
    def cost(
        self,
        provider: str | None,
        model: str | None,
        input_tokens: int | None,
        output_tokens: int | None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
    ) -> float | None:
        return None


def test_a_chat_span_becomes_one_interaction_and_its_content_is_kept_once() -> None:
    span = Span(
        "a" * 32, "b" * 16, None, "chat", "client", 1_800_000_000.0, 0.5, "unset", None, "app",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.output.messages": _ANSWER,
        },
    )  # fmt: skip
    found = Assembler(prices=NoPrices(), clock=Clock()).add([span], ())
    assert [i.answer_text for i in found.interactions] == ["Yes."]
    assert "gen_ai.output.messages" not in found.spans[0].attributes
