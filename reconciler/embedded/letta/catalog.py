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
_CLAUDE = ("claude-sonnet-4-20250514", "claude-opus-4-20250514", "claude-3-5-haiku", "claude-3-5-haiku-20241022")
LLMS = (
    *(Llm(f"{provider}/{name}") for provider in ("openai", "openai-proxy") for name in _OPENAI),
    *(Llm(f"anthropic/{name}", 200_000, 8_192) for name in _CLAUDE),
    Llm("letta/letta-free", 30_000, 4_096),
)
EMBEDDINGS = {"openai/text-embedding-3-small": 1536, "openai/text-embedding-ada-002": 1536, "letta/letta-free": 1536}

# Used for whatever an agent's request leaves open, whichever handle it names.
_CONTEXT_WINDOW = 128_000
_MAX_TOKENS = 16_384

# Sending `model_settings` sets these too, named or not: (a name in the settings, in `llm_config`, the value then).
_SETTINGS = (
    ("temperature", "temperature", {"openai": 0.7, "anthropic": 1.0}),
    ("parallel_tool_calls", "parallel_tool_calls", {"openai": True, "anthropic": True}),
    ("strict", "strict", {"openai": True, "anthropic": False}),
)


class Catalog:
    """The handles one server offers; a handle it does not offer cannot be given to an agent."""

    def __init__(self, llms: Iterable[Llm] = LLMS) -> None:
        self._llms = {llm.handle: llm for llm in llms}

    def listed(self) -> list[Row]:
        return [_model_row(llm) for llm in self._llms.values()]

    def llm_config(self, handle: str, context_window: int | None, max_tokens: int | None) -> Row:
        """Built anew from the handle: what is not given falls back to a default, and is not capped by the model."""
        if handle not in self._llms:
            raise Refused(404, f"NOT_FOUND: Handle {handle} not found, must be one of {sorted(self._llms)}")
        return _llm_row(self._llms[handle]) | {
            "context_window": context_window or _CONTEXT_WINDOW,
            "max_tokens": max_tokens or _MAX_TOKENS,
        }


def with_settings(config: Row, settings: Row) -> Row:
    """The maximum of output tokens is set if it is named; the rest is set even when it is not."""
    kind = settings.get("provider_type")
    if not isinstance(kind, str):
        raise Refused(422, "Unable to extract tag using discriminator 'provider_type'")
    changes = {inner: settings.get(name, values.get(kind)) for name, inner, values in _SETTINGS}
    if settings.get("max_output_tokens") is not None:
        changes["max_tokens"] = settings["max_output_tokens"]
    if kind == "openai":
        changes["reasoning_effort"] = settings.get("reasoning", {}).get("reasoning_effort", "high")
    return {**config, **changes}


def settings_of(config: Row) -> Row:
    """The `model_settings` an agent shows, derived from its config."""
    return {
        "provider_type": config["model_endpoint_type"],
        "max_output_tokens": config["max_tokens"],
        "temperature": config["temperature"],
        "parallel_tool_calls": True,
        "reasoning": {"reasoning_effort": config["reasoning_effort"] or "minimal"},
        "response_format": None,
        "strict": config["strict"],
    }


def embedding_config(handle: str) -> Row:
    if handle not in EMBEDDINGS:
        raise Refused(400, f"INVALID_ARGUMENT: Embedding model {handle} not found")
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
        "provider_name": llm.provider.removesuffix("-proxy"),
        "provider_category": "base",
        "temperature": 1.0,
        "enable_reasoner": True,
        "max_reasoning_tokens": 0,
        "parallel_tool_calls": True,
        "strict": False,
        "reasoning_effort": None,
        "model_wrapper": None,
        "display_name": None,
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
