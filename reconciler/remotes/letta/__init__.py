"""Letta as a `Remote`. The only package that knows letta-client; `adapter.LettaRemote` is its face."""

from reconciler.remotes.letta.adapter import LettaRemote
from reconciler.remotes.letta.marks import compiled_mark

__all__ = ["LettaRemote", "compiled_mark"]
