"""The compiled prompt of an agent: its system text as of the last compile, and its memory as it is now."""

from collections.abc import Sequence

from reconciler.embedded.letta.state import Row, Rows


def rendered_memory(blocks: Sequence[Row]) -> str:
    opening = "<memory_blocks>\nThe following memory blocks are currently engaged in your core memory unit:\n"
    return "\n".join([opening, *(_rendered(block) for block in blocks), "</memory_blocks>"])


def compiled(agent: Row, blocks: Sequence[Row]) -> str:
    """`compiled_system`, not `system`: a changed system text counts only once it is recompiled."""
    return f"{agent['compiled_system']}\n\n{rendered_memory(blocks)}"


def context(agent: Row, blocks: Sequence[Row], tools: Rows, message_count: int) -> Row:
    """What `GET /context` shows. The token counts are lengths divided by four: nothing here pays by the token."""
    memory = rendered_memory(blocks)
    text = f"{agent['system']}\n\n{memory}"
    return {
        "context_window_size_max": agent["llm_config"]["context_window"],
        "context_window_size_current": len(text) // 4,
        "num_messages": message_count + 1,
        "num_archival_memory": 0,
        "num_recall_memory": message_count,
        "num_tokens_external_memory_summary": 0,
        "external_memory_summary": "",
        "num_tokens_system": len(agent["system"]) // 4,
        "system_prompt": agent["system"],
        "num_tokens_core_memory": len(memory) // 4,
        "core_memory": memory,
        "num_tokens_summary_memory": 0,
        "summary_memory": None,
        "num_tokens_functions_definitions": 0,
        "functions_definitions": [{"type": "function", "function": tool["json_schema"]} for tool in tools],
        "num_tokens_messages": 0,
        "messages": [{"role": "system", "content": [{"type": "text", "text": text}]}],
    }


def _rendered(block: Row) -> str:
    label = block["label"]
    meta = f"- chars_current={len(block['value'])}\n- chars_limit={block['limit']}"
    description = f"<description>\n{block['description'] or ''}\n</description>"
    return (
        f"<{label}>\n{description}\n<metadata>\n{meta}\n</metadata>\n<value>\n{block['value']}\n</value>\n</{label}>\n"
    )
