"""The model handles the stand-in knows, and the settings the server derives from a handle."""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.embedded.letta.state import Refused, Row


@dataclass(frozen=True, slots=True)
class Llm:
    handle: str
    context_window: int = 128_000
    max_tokens: int = 16_384

    @property
    def provider(self) -> str:
        return self.handle.partition("/")[0]


_OPENAI = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini")
_CLAUDE = ("claude-sonnet-4-20250514", "claude-opus-4-20250514", "claude-3-5-haiku-20241022")
LLMS = (
    *(Llm(f"{provider}/{name}") for provider in ("openai", "openai-proxy") for name in _OPENAI),
    *(Llm(f"anthropic/{name}", 200_000, 8_192) for name in _CLAUDE),
    Llm("letta/letta-free", 30_000, 4_096),
)
DEFAULT_LLM = "openai/gpt-4o-mini"
EMBEDDINGS = {"openai/text-embedding-3-small": 1536, "openai/text-embedding-ada-002": 1536, "letta/letta-free": 1536}

# A name in `model_settings`, and the name it has in `llm_config`.
_SETTINGS = {
    "max_output_tokens": "max_tokens",
    "temperature": "temperature",
    "parallel_tool_calls": "parallel_tool_calls",
    "strict": "strict",
    "verbosity": "verbosity",
}


class Catalog:
    """The handles one server offers; a handle it does not offer cannot be given to an agent."""

    def __init__(self, llms: Iterable[Llm] = LLMS) -> None:
        self._llms = {llm.handle: llm for llm in llms}

    def listed(self) -> list[Row]:
        return [_model_row(llm) for llm in self._llms.values()]

    def llm_config(self, handle: str, context_window: int | None, max_tokens: int | None) -> Row:
        """Built anew from the handle: what is not given falls back to the handle's own defaults."""
        llm = self._llm(handle)
        return _llm_row(llm) | {
            "context_window": min(context_window or llm.context_window, llm.context_window),
            "max_tokens": max_tokens or llm.max_tokens,
        }

    def _llm(self, handle: str) -> Llm:
        if "/" not in handle:
            raise Refused(400, f"model handle must be in the format provider/model: {handle!r}")
        if handle not in self._llms:
            raise Refused(404, f"Handle {handle} not found, must be one of {sorted(self._llms)}")
        return self._llms[handle]


def with_settings(config: Row, settings: Row) -> Row:
    """`model_settings` change what they name and leave the rest of the config alone."""
    named = {_SETTINGS[name]: value for name, value in settings.items() if name in _SETTINGS and value is not None}
    reasoning = settings.get("reasoning")
    effort: Row = {"reasoning_effort": reasoning["reasoning_effort"]} if isinstance(reasoning, dict) else {}
    return {**config, **named, **effort}


def settings_of(config: Row) -> Row:
    """The `model_settings` an agent shows, derived from its config."""
    shown = {name: config.get(inner) for name, inner in _SETTINGS.items()}
    return {"provider_type": config["provider_name"], "response_format": None, **shown}


def embedding_config(handle: str) -> Row:
    if handle not in EMBEDDINGS:
        raise Refused(400, f"Embedding handle {handle} not found, must be one of {sorted(EMBEDDINGS)}")
    return {
        "handle": handle,
        "embedding_endpoint_type": "openai",
        "embedding_endpoint": None,
        "embedding_model": handle.partition("/")[2],
        "embedding_dim": EMBEDDINGS[handle],
        "embedding_chunk_size": 300,
        "batch_size": 32,
    }


def _llm_row(llm: Llm) -> Row:
    return {
        "handle": llm.handle,
        "model": llm.handle.partition("/")[2],
        "model_endpoint_type": "anthropic" if llm.provider == "anthropic" else "openai",
        "model_endpoint": None,
        "provider_name": llm.provider,
        "provider_category": "base",
        "temperature": 1.0,
        "enable_reasoner": True,
        "max_reasoning_tokens": 0,
        "parallel_tool_calls": True,
        "strict": False,
        "verbosity": None,
    }


def _model_row(llm: Llm) -> Row:
    return _llm_row(llm) | {
        "name": llm.handle.partition("/")[2],
        "display_name": llm.handle.partition("/")[2],
        "model_type": "llm",
        "provider_type": "anthropic" if llm.provider == "anthropic" else "openai",
        "context_window": llm.context_window,
        "max_context_window": llm.context_window,
        "max_tokens": llm.max_tokens,
    }
