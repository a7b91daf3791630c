"""What was made of a reply, kept for as long as the server gives the same bytes.

A no-op read is mostly the same bytes again: comparing a digest costs a tenth of parsing them.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MOST_REPLIES = 512
_WORTH_KEEPING = 4_000

T = TypeVar("T")


class Replies(Generic[T]):
    """The newest ones, each with the digest of the bytes it was made from. They are shared: nobody changes one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[bytes, T]] = OrderedDict()

    def made(self, key: Hashable, content: bytes, make: Callable[[], T]) -> T:
        """``key``: what was asked. ``make`` is only called for other bytes than the last time."""
        if len(content) < _WORTH_KEEPING:
            return make()
        digest = hashlib.blake2b(content, digest_size=32).digest()
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept[0] == digest:
                self._kept.move_to_end(key)
                return kept[1]
        found = make()
        with self._lock:
            self._kept[key] = (digest, found)
            self._kept.move_to_end(key)
            if len(self._kept) > MOST_REPLIES:
                self._kept.popitem(last=False)
        return found
