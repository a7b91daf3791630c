"""The in-memory Letta: first the trap, then each habit of the real server that this project relies on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.embedded.letta.model import Letta, Listing, Refused, Row

MODEL = "openai/gpt-4o"
ABSENT = "00000000-0000-4000-8000-000000000000"


def agent_with(letta: Letta, **values: str) -> Row:
    blocks = [letta.blocks.create({"label": label, "value": value})["id"] for label, value in values.items()]
    return letta.agents.create({"model": MODEL, "block_ids": blocks})


def block_id(letta: Letta, agent: Row, label: str) -> str:
    return letta.agents.block_labelled(agent["id"], label)["id"]


def values(letta: Letta, agent: Row) -> dict[str, str]:
    return {block["label"]: block["value"] for block in letta.agents.blocks_of(agent["id"])}


def status_of(call) -> int:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.status


# --- turns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("touched", ["same", "other"])
def test_a_memory_tool_reverts_what_others_wrote_during_the_turn(touched: str):
    letta = Letta()
    agent = agent_with(letta, same="s0", other="o0")
    run = letta.begin_turn(agent["id"])
    letta.blocks.update(block_id(letta, agent, touched), {"value": "from git"})

    letta.tool_call(run, "core_memory_append", {"label": "same", "content": "learnt"})

    assert values(letta, agent) == {"same": "s0\nlearnt", "other": "o0"}


def test_a_turn_without_a_memory_tool_reverts_nothing():
    letta = Letta()
    agent = agent_with(letta, human="h0")
    run = letta.begin_turn(agent["id"])
    letta.blocks.update(block_id(letta, agent, "human"), {"value": "from git"})
    letta.tool_call(run, "send_message", {"message": "hello"})
    letta.tool_call(run, "memory_replace", {"label": "human", "old_str": "absent", "new_str": "x"})

    letta.end_turn(run)

    assert values(letta, agent) == {"human": "from git"}


def test_a_shared_read_only_block_is_reverted_for_every_agent():
    letta = Letta()
    one = agent_with(letta, human="h0")
    shared = letta.blocks.create({"label": "course", "value": "c0", "read_only": True})["id"]
    other = letta.agents.create({"model": MODEL, "block_ids": [shared]})
    letta.agents.attach_block(one["id"], shared)
    run = letta.begin_turn(one["id"])
    letta.blocks.update(shared, {"value": "c1"})

    letta.tool_call(run, "memory_rethink", {"label": "human", "new_memory": "h1"})

    assert values(letta, other) == {"course": "c0"}


def test_a_second_tool_call_writes_the_first_ones_result_back_again():
    letta = Letta()
    agent = agent_with(letta, human="h0")
    run = letta.begin_turn(agent["id"])
    letta.tool_call(run, "core_memory_append", {"label": "human", "content": "one"})
    letta.blocks.update(block_id(letta, agent, "human"), {"value": "from git"})

    letta.tool_call(run, "core_memory_append", {"label": "human", "content": "two"})

    assert values(letta, agent) == {"human": "h0\none\ntwo"}


def test_a_block_deleted_or_detached_during_the_turn_stays_so():
    letta = Letta()
    agent = agent_with(letta, human="h0", gone="g0", loose="l0")
    loose = block_id(letta, agent, "loose")
    run = letta.begin_turn(agent["id"])
    letta.blocks.delete(block_id(letta, agent, "gone"))
    letta.agents.detach_block(agent["id"], loose)
    letta.blocks.update(loose, {"value": "l1"})

    letta.tool_call(run, "core_memory_append", {"label": "human", "content": "x"})

    assert (values(letta, agent), letta.blocks.get(loose)["value"]) == ({"human": "h0\nx"}, "l1")


def test_a_run_is_active_from_begin_to_end():
    letta = Letta()
    agent, idle = agent_with(letta, human=""), agent_with(letta, human="")
    run = letta.begin_turn(agent["id"])
    assert [each["id"] for each in letta.turns.list(agent["id"], active=True)] == [run]
    assert letta.turns.list(idle["id"], active=True) == []

    letta.end_turn(run)

    assert letta.turns.list(active=True) == []
    assert [each["status"] for each in letta.turns.list(statuses=["completed"])] == ["completed"]
    assert status_of(lambda: letta.tool_call(run, "send_message", {})) == 409


def test_messages_begin_with_the_prompt_and_keep_tool_calls():
    letta = Letta()
    agent = agent_with(letta, human="h0")
    run = letta.begin_turn(agent["id"], "hi")
    letta.tool_call(run, "memory_insert", {"label": "human", "new_string": "x"})
    letta.end_turn(run, "noted")

    said = letta.turns.messages(agent["id"])

    kinds = ["system_message", "user_message", "tool_call_message", "tool_return_message", "assistant_message"]
    assert [each["message_type"] for each in said] == kinds
    assert said[2]["tool_call"]["arguments"] == '{"label": "human", "new_string": "x"}'
    assert (said[3]["name"], said[3]["status"], said[3]["tool_return"]) == ("memory_insert", "success", "h0\nx")
    assert said[3]["tool_call_id"] == said[2]["tool_call"]["tool_call_id"]


def test_a_page_of_messages_is_the_newest_ones_oldest_first():
    letta = Letta()
    agent = agent_with(letta, human="h0")
    for text in ("one", "two", "three"):
        letta.end_turn(letta.begin_turn(agent["id"], text))

    said = letta.turns.messages(agent["id"], Listing(limit=2))

    assert [each["content"] for each in said] == ["two", "three"]


CURSORS = [
    ({"limit": 2}, ["c", "d"]),
    ({"limit": 2, "ascending": True}, ["", "a"]),
    ({"after": 1, "limit": 2}, ["c", "d"]),
    ({"after": 1, "limit": 2, "ascending": True}, ["b", "c"]),
    ({"before": 3, "limit": 2}, ["a", "b"]),
    ({"before": 3, "limit": 2, "ascending": True}, ["", "a"]),
    ({"after": 4}, []),
    ({"limit": 0}, []),
]


@pytest.mark.parametrize(("asked", "expected"), CURSORS)
def test_messages_page_by_time_in_either_order(asked: Row, expected: list[str]):
    letta = Letta()
    agent = letta.agents.create({"model": MODEL})
    for text in "abcd":
        letta.end_turn(letta.begin_turn(agent["id"], text))
    ids = [each["id"] for each in letta.turns.messages(agent["id"])]
    cursors = {name: ids[asked[name]] for name in ("after", "before") if name in asked}

    said = letta.turns.messages(agent["id"], Listing(**{**asked, **cursors}))

    assert ["" if each["message_type"] == "system_message" else each["content"] for each in said] == expected


def test_an_unknown_message_cursor_is_not_found():
    letta = Letta()
    agent = letta.agents.create({"model": MODEL})

    assert status_of(lambda: letta.turns.messages(agent["id"], Listing(after="message-x"))) == 404


EDITS = [
    ("core_memory_append", {"content": "c"}, "a\nb\nb\nc"),
    ("core_memory_replace", {"old_content": "b", "new_content": "c"}, "a\nc\nc"),
    ("memory_insert", {"new_str": "c"}, "a\nb\nb\nc"),
    ("memory_insert", {"new_str": "c", "insert_line": 0}, "c\na\nb\nb"),
    ("memory_insert", {"new_str": "c", "insert_line": 1}, "a\nc\nb\nb"),
    ("memory_insert", {"new_str": "c", "insert_line": 9}, None),
    ("memory_replace", {"old_str": "a", "new_str": "c"}, "c\nb\nb"),
    ("memory_replace", {"old_str": "b", "new_str": "c"}, None),
    ("memory_replace", {"new_str": "c"}, None),
    ("memory_rethink", {"new_memory": "c"}, "c"),
]


@pytest.mark.parametrize(("tool", "args", "expected"), EDITS)
def test_memory_tools_edit_or_say_why_not(tool: str, args: Row, expected: str | None):
    letta = Letta()
    agent = agent_with(letta, human="a\nb\nb")

    returned = letta.tool_call(letta.begin_turn(agent["id"]), tool, {"label": "human", **args})

    assert returned["status"] == ("error" if expected is None else "success")
    assert values(letta, agent) == {"human": expected or "a\nb\nb"}


# --- agents --------------------------------------------------------------------------------------------------------


def test_a_patch_replaces_collections_whole_and_ignores_null_and_the_unknown():
    letta = Letta()
    block = letta.blocks.create({"label": "human", "value": ""})["id"]
    agent = letta.agents.create({"model": MODEL, "name": "a", "tags": ["x", "y"], "metadata": {"k": 1}})

    patch = {"tags": ["z"], "metadata": {"m": 2}, "block_ids": [block], "tool_ids": [], "name": None, "nonsense": 1}
    after = letta.agents.update(agent["id"], patch)

    assert (after["tags"], after["metadata"], after["tools"], after["name"]) == (["z"], {"m": 2}, [], "a")
    assert [each["id"] for each in after["blocks"]] == [block]
    assert "nonsense" not in after


FULL = {"model": MODEL, "context_window_limit": 9000, "max_tokens": 500}
SETTINGS = [
    ({}, (9000, 500, 1.0)),
    ({"name": "other"}, (9000, 500, 1.0)),
    (FULL, (9000, 500, 1.0)),
    ({"context_window_limit": 8000}, (8000, 16384, 1.0)),
    ({"max_tokens": 400}, (128000, 400, 1.0)),
    ({"model": MODEL}, (128000, 16384, 1.0)),
    ({"model_settings": {"provider_type": "openai", "max_output_tokens": 400}}, (9000, 400, 0.7)),
    ({"model_settings": {"provider_type": "openai", "temperature": 0.3}}, (9000, 500, 0.3)),
]


@pytest.mark.parametrize(("patch", "expected"), SETTINGS)
def test_a_model_setting_sent_alone_resets_its_neighbours(patch: Row, expected: tuple[int, int, float]):
    letta = Letta()
    agent = letta.agents.create(FULL)

    config = letta.agents.update(agent["id"], patch)["llm_config"]

    assert (config["context_window"], config["max_tokens"], config["temperature"]) == expected


@pytest.mark.parametrize("act", ["recompile", "edit block"])
def test_a_new_system_text_waits_for_recompile_or_a_change_of_memory(act: str):
    letta = Letta()
    block = letta.blocks.create({"label": "human", "value": ""})["id"]
    agent = letta.agents.create({"model": MODEL, "system": "old", "block_ids": [block]})
    letta.agents.update(agent["id"], {"system": "new"})
    letta.end_turn(letta.begin_turn(agent["id"]))
    letta.blocks.update(block, {"value": ""})
    assert letta.turns.messages(agent["id"])[0]["content"].startswith("old")
    assert letta.agents.context(agent["id"])["system_prompt"] == "new"

    if act == "recompile":
        letta.agents.recompile(agent["id"])
    else:
        letta.blocks.update(block, {"value": "x"})

    assert letta.turns.messages(agent["id"])[0]["content"].startswith("new")


REFUSED_CREATES = [
    (404, {"model": "openai/none"}),
    (400, {"model": "no-slash"}),
    (400, {"model": MODEL, "embedding": "openai/none"}),
    (400, {"model": MODEL, "tools": ["none"]}),
    (422, {"model": MODEL, "tool_rules": [{"type": "TerminalToolRule", "tool_name": "x"}]}),
    (422, {"model": MODEL, "tags": "x"}),
]


@pytest.mark.parametrize(("status", "body"), REFUSED_CREATES)
def test_an_agent_that_cannot_be_made_is_refused(status: int, body: Row):
    assert status_of(lambda: Letta().agents.create(body)) == status


EXIT = {"type": "exit_loop", "tool_name": "any"}
NO_BASE = {"include_base_tools": False}
ADDED_RULES = [
    ({}, []),
    ({"tool_rules": [EXIT]}, ["any", "conversation_search", "memory_insert", "memory_replace"]),
    ({"tool_rules": [EXIT], "include_base_tool_rules": False}, ["any"]),
    ({"tool_rules": [EXIT], **NO_BASE}, ["any"]),
    ({"tools": ["web_search"]}, []),
    ({"tools": ["web_search", "send_message"], **NO_BASE}, ["send_message"]),
]


@pytest.mark.parametrize(("body", "expected"), ADDED_RULES)
def test_a_new_agent_gets_rules_nobody_sent(body: Row, expected: list[str]):
    rules = Letta().agents.create({"model": MODEL, **body})["tool_rules"]

    assert [rule["tool_name"] for rule in rules] == expected


def test_a_patch_sets_exactly_the_rules_it_says_written_out():
    letta = Letta()
    agent = letta.agents.create({"model": MODEL, "tool_rules": [EXIT]})

    rules = letta.agents.update(agent["id"], {"tool_rules": [EXIT, EXIT]})["tool_rules"]

    assert rules == [{**EXIT, "prompt_template": None}]


def test_a_create_refused_half_way_leaves_its_inline_blocks():
    letta = Letta()
    body = {"model": MODEL, "tools": ["none"], "memory_blocks": [{"label": "human", "value": ""}]}

    assert status_of(lambda: letta.agents.create(body)) == 400
    assert (letta.blocks.count(), letta.agents.count()) == (1, 0)


def test_inline_blocks_lose_their_tags_and_metadata():
    body = {"label": "human", "value": "v", "tags": ["t"], "metadata": {"k": 1}, "description": "d"}

    (block,) = Letta().agents.create({"model": MODEL, "memory_blocks": [body]})["blocks"]

    assert (block["tags"], block["metadata"], block["description"]) == ([], {}, "d")


def test_a_missing_block_in_a_create_is_ignored_and_one_of_two_labels_dropped():
    letta = Letta()
    gone = letta.blocks.create({"label": "human", "value": ""})["id"]
    letta.blocks.delete(gone)
    held = letta.blocks.create({"label": "human", "value": "held"})["id"]
    body = {"model": MODEL, "block_ids": [gone, held], "memory_blocks": [{"label": "human", "value": "inline"}]}

    assert len(letta.agents.create(body)["blocks"]) == 1


def test_one_agent_cannot_hold_two_blocks_with_one_label():
    letta = Letta()
    agent = agent_with(letta, human="", persona="")
    again = letta.blocks.create({"label": "human", "value": ""})["id"]
    persona = block_id(letta, agent, "persona")

    assert status_of(lambda: letta.agents.attach_block(agent["id"], again)) == 409
    assert status_of(lambda: letta.blocks.update(persona, {"label": "human"})) == 409
    assert len(letta.agents.create({"model": MODEL, "block_ids": [again, agent["blocks"][0]["id"]]})["blocks"]) == 1


def test_swapping_a_block_for_one_of_the_same_label_in_a_patch_loses_both():
    letta = Letta()
    agent = agent_with(letta, human="old", persona="")
    new = letta.blocks.create({"label": "human", "value": "new"})["id"]

    after = letta.agents.update(agent["id"], {"block_ids": [new, block_id(letta, agent, "persona")]})

    assert [block["label"] for block in after["blocks"]] == ["persona"]


def test_a_patch_that_names_what_does_not_exist_is_refused_in_its_own_way():
    letta = Letta()
    agent = agent_with(letta, human="")

    assert status_of(lambda: letta.agents.update(agent["id"], {"block_ids": [f"block-{ABSENT}"]})) == 500
    assert status_of(lambda: letta.agents.update(agent["id"], {"tool_ids": [f"tool-{ABSENT}"]})) == 409
    assert status_of(lambda: letta.agents.update(agent["id"], {"model": "no-slash"})) == 404


def test_blocks_shown_inside_an_agent_carry_no_tags():
    letta = Letta()
    block = letta.blocks.create({"label": "human", "value": "", "tags": ["t"]})

    agent = letta.agents.create({"model": MODEL, "block_ids": [block["id"]]})

    assert (agent["blocks"][0]["tags"], letta.agents.block_labelled(agent["id"], "human")["tags"]) == ([], ["t"])


def test_deleting_an_agent_leaves_its_blocks_and_deleting_a_block_leaves_its_agents():
    letta = Letta()
    first, second = agent_with(letta, human="1"), agent_with(letta, human="2")
    letta.agents.delete(first["id"])
    letta.blocks.delete(second["blocks"][0]["id"])

    assert [block["value"] for block in letta.blocks.list()] == ["1"]
    assert letta.agents.get(second["id"])["blocks"] == []


def test_attach_is_idempotent_and_detach_of_an_absent_block_is_not_found():
    letta = Letta()
    agent = agent_with(letta, human="")
    held = agent["blocks"][0]["id"]
    assert len(letta.agents.attach_block(agent["id"], held)["blocks"]) == 1

    letta.agents.detach_block(agent["id"], held)

    assert status_of(lambda: letta.agents.detach_block(agent["id"], held)) == 404


MOVES = [
    ("patch", True),
    ("attach block", True),
    ("detach block", True),
    ("turn", True),
    ("edit block", False),
    ("delete block", False),
    ("attach tool", False),
    ("recompile", False),
]


@pytest.mark.parametrize(("act", "moves"), MOVES)
def test_updated_at_moves_only_for_some(act: str, moves: bool):
    letta = Letta()
    agent = agent_with(letta, human="")
    key, block = agent["id"], agent["blocks"][0]["id"]
    tool = letta.tools.named("memory_rethink")
    assert tool is not None
    acts = {
        "patch": lambda: letta.agents.update(key, {}),
        "attach block": lambda: letta.agents.attach_block(key, block),
        "detach block": lambda: letta.agents.detach_block(key, block),
        "turn": lambda: letta.end_turn(letta.begin_turn(key)),
        "edit block": lambda: letta.blocks.update(block, {"value": "x"}),
        "delete block": lambda: letta.blocks.delete(block),
        "attach tool": lambda: letta.agents.attach_tool(key, tool["id"]),
        "recompile": lambda: letta.agents.recompile(key),
    }

    acts[act]()

    assert (letta.agents.get(key)["updated_at"] != agent["updated_at"]) is moves


# --- blocks, tools, ids --------------------------------------------------------------------------------------------


def test_the_character_limit_is_not_enforced_and_nul_is_stripped():
    letta = Letta()
    block = letta.blocks.create({"label": "human", "value": "", "limit": 2})

    assert letta.blocks.update(block["id"], {"value": "lo\0ng\r\n", "tags": None})["value"] == "long\r\n"


@pytest.mark.parametrize(("status", "suffix"), [(404, ABSENT), (422, "nonsense"), (422, ABSENT.upper() + "A")])
def test_an_unknown_id_is_not_found_and_a_malformed_one_invalid(status: int, suffix: str):
    letta = Letta()

    assert status_of(lambda: letta.blocks.get(f"block-{suffix}")) == status
    assert status_of(lambda: letta.agents.update(f"agent-{suffix}", {})) == status


def test_a_tool_keeps_its_id_when_its_source_changes():
    letta = Letta()
    source = 'def hello(name: str):\n    """Greet."""\n    return name\n'
    first = letta.tools.upsert({"source_code": source})

    second = letta.tools.upsert({"source_code": source + "# more\n"})

    assert (first["id"], first["name"]) == (second["id"], "hello")
    assert first["metadata_"]["tool_hash"] != second["metadata_"]["tool_hash"]


@pytest.mark.parametrize("source", ["def x(:", "x = 1", "def x():\n    return 1\n", "\0"])
def test_a_tool_without_a_documented_function_is_refused(source: str):
    assert status_of(lambda: Letta().tools.upsert({"source_code": source})) in (400, 422)


# --- lists ---------------------------------------------------------------------------------------------------------


@given(total=st.integers(0, 12), size=st.integers(1, 5), ascending=st.booleans())
def test_pages_joined_are_the_whole_list(total: int, size: int, ascending: bool):
    letta = Letta()
    made = [letta.blocks.create({"label": "l", "value": ""})["id"] for _ in range(total)]
    seen: list[str] = []
    while page := letta.blocks.list(Listing(limit=size, ascending=ascending, after=seen[-1] if seen else None)):
        seen += [block["id"] for block in page]

    assert seen == (made if ascending else made[::-1])


def test_an_unknown_cursor_starts_again_from_the_first_page():
    letta = Letta()
    made = [letta.blocks.create({"label": "l", "value": ""})["id"] for _ in range(3)]
    letta.blocks.delete(made[1])

    again = letta.blocks.list(Listing(after=made[1]))

    assert [block["id"] for block in again] == [made[0], made[2]]


def test_tags_filter_by_any_or_by_all():
    letta = Letta()
    for tags in (["x"], ["x", "y"], ["z"]):
        letta.blocks.create({"label": "l", "value": "", "tags": tags})

    assert letta.blocks.count(Listing(tags=("x", "y"))) == 2
    assert letta.blocks.count(Listing(tags=("x", "y"), match_all_tags=True)) == 1


def test_a_bare_list_shows_neither_blocks_nor_tags():
    letta = Letta()
    block = letta.blocks.create({"label": "human", "value": ""})["id"]
    letta.agents.create({"model": MODEL, "block_ids": [block], "tags": ["t"]})

    (bare,) = letta.agents.list()
    (full,) = letta.agents.list(Listing(include=("agent.blocks",)))

    assert (bare["blocks"], bare["tags"]) == ([], [])
    assert ([each["id"] for each in full["blocks"]], full["tags"]) == ([block], ["t"])


# --- determinism ---------------------------------------------------------------------------------------------------


def test_the_same_seed_and_calls_give_the_same_server():
    def history(seed: int):
        letta = Letta(seed)
        run = letta.begin_turn(agent_with(letta, human="h")["id"], "hi")
        letta.tool_call(run, "core_memory_append", {"label": "human", "content": "x"})
        return letta.snapshot()

    assert history(1) == history(1)
    assert history(1) != history(2)


def test_a_restored_snapshot_is_untouched_by_what_came_between():
    letta = Letta()
    agent = agent_with(letta, human="h0")
    run = letta.begin_turn(agent["id"])
    before = letta.snapshot()
    letta.tool_call(run, "core_memory_append", {"label": "human", "content": "x"})
    letta.end_turn(run)

    letta.restore(before)

    assert values(letta, agent) == {"human": "h0"}
    assert len(letta.turns.list(active=True)) == 1
    assert len(letta.turns.messages(agent["id"])) == 1
