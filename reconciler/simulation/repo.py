"""Where the simulation finds its repositories."""

from reconciler.store.memory import MemoryRepo, MemoryWorkspace

__all__ = ["MemoryRepo", "MemoryWorkspace"]
