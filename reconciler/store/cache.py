"""A small cache bounded by weight. What it holds is named by its content's hash, so nothing in it is ever stale."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """The values used last, as many as weigh no more than ``limit`` together. Safe for threads."""

    def __init__(self, limit: int, weight: Callable[[T], int]) -> None:
        self._limit, self._weight, self._total = limit, weight, 0
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> T | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, value: T) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = value
            self._total += self._weight(value)
            while self._total > self._limit:
                _, dropped = self._kept.popitem(last=False)
                self._total -= self._weight(dropped)
