"""Conversations: every part is shown, the known ones as what they are."""

from typing import Any

from seakeeping.records import Interaction
from seakeeping.records.codec import interaction_from_json
from seakeeping.web.conversation import LONGEST, MOST_TURNS, other_output, prompt_turns
from seakeeping.web.findings import Finding


def call(**more: Any) -> Interaction:
    return interaction_from_json(
        {
            "trace_id": "t", "span_id": "s", "started_at": "2026-11-23T15:00:00Z",
            "service_name": "ferry", **more,
        }
    )  # fmt: skip


def finding(source: tuple[str, int | None, int], start: int, end: int) -> Finding:
    return Finding(1, "unsupported", 0, 1, None, "", "faithfulness", source, start, end, ())


def shown(interaction: Interaction) -> list[tuple[str, str, str, str]]:
    return [
        (turn.role, part.kind, part.title, "".join(p.text for p in part.pieces))
        for turn in (*prompt_turns(interaction, ()), *other_output(interaction))
        for part in turn.parts
    ]


def test_system_user_tools_and_answer_are_turns_in_order() -> None:
    interaction = call(
        system_instructions="Be brief.",
        input_messages=[
            {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"at": "sea"}}
                ],
            },
            {
                "role": "tool",
                "parts": [{"type": "tool_call_response", "id": "c1", "response": "calm"}],
            },
        ],
        answer_text="Calm.",
        output_messages=[
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "They ask for weather."},
                    {"type": "text", "content": "Calm."},
                ],
            },
            {"role": "assistant", "parts": [{"type": "text", "content": "It is calm."}]},
        ],
    )
    assert shown(interaction) == [
        ("system", "text", "", "Be brief."),
        ("user", "text", "", "Weather?"),
        ("assistant", "tool_call", "calls weather · c1", '{\n  "at": "sea"\n}'),
        ("tool", "tool_call_response", "tool returned · c1", "calm"),
        ("assistant", "reasoning", "reasoning", "They ask for weather."),
        ("assistant (choice 2)", "text", "", "It is calm."),
    ]


def test_an_unknown_part_is_shown_as_the_json_it_is() -> None:
    odd = call(input_messages=[{"role": "user", "parts": [{"type": "image", "uri": "x"}, 7, None]}])
    assert [(kind, title) for _, kind, title, _ in shown(odd)] == [
        ("other", "image"), ("other", ""), ("other", ""),
    ]  # fmt: skip


def test_a_message_without_parts_shows_its_content() -> None:
    assert shown(call(input_messages=[{"content": "plain"}])) == [("user", "text", "", "plain")]
    assert [t.parts for t in prompt_turns(call(input_messages=[{"role": "user"}]), ())] == [()]


def test_a_passage_of_the_prompt_is_marked_where_it_stands() -> None:
    interaction = call(
        system_instructions="Context: the ferry sails.",
        input_messages=[{"role": "user", "parts": [{"type": "text", "content": "the ferry?"}]}],
    )
    system, user = prompt_turns(interaction, [finding(("message", None, 0), 9, 18)])
    assert [p.text for p in system.parts[0].pieces if p.numbers] == ["the ferry"]
    assert not any(p.numbers for p in user.parts[0].pieces)
    _, user = prompt_turns(interaction, [finding(("message", 0, 0), 4, 9)])
    assert [p.text for p in user.parts[0].pieces if p.numbers] == ["ferry"]


def test_offsets_are_not_applied_to_json_that_is_printed_anew() -> None:
    interaction = call(
        input_messages=[
            {"role": "tool", "parts": [{"type": "tool_call_response", "response": {"a": "ferry"}}]}
        ]
    )
    (turn,) = prompt_turns(interaction, [finding(("message", 0, 0), 0, 5)])
    assert not any(piece.numbers for piece in turn.parts[0].pieces)


def test_a_monster_is_cut_and_says_so() -> None:
    interaction = call(
        input_messages=[{"role": "user", "parts": [{"type": "text", "content": "x" * 300_000}]}]
    )
    (turn,) = prompt_turns(interaction, ())
    assert turn.parts[0].cut == 300_000 - LONGEST


def test_no_messages_are_no_turns() -> None:
    assert shown(call()) == []


def test_many_messages_share_the_page_and_the_first_are_left_out() -> None:
    message = {"role": "user", "parts": [{"type": "text", "content": "x" * 50_000}]}
    turns = prompt_turns(call(input_messages=[message] * 1000), ())
    assert len(turns) == MOST_TURNS + 1
    assert turns[0].parts[0].pieces[0].text == "600 earlier messages are not shown"
    length = sum(len(piece.text) for turn in turns for part in turn.parts for piece in part.pieces)
    assert length < 2_100_000


def test_evidence_is_found_under_the_messages_own_number_when_some_are_left_out() -> None:
    message = {"role": "user", "parts": [{"type": "text", "content": "the ferry"}]}
    turns = prompt_turns(
        call(input_messages=[message] * 1000), [finding(("message", 999, 0), 4, 9)]
    )
    marked = [n for n, t in enumerate(turns) if any(p.numbers for p in t.parts[0].pieces)]
    assert marked == [MOST_TURNS]
