"""A pass in a process of its own, killed with SIGKILL at the k-th step.

A step is the moment before or after any call that writes to git, or goes to Letta. Who counts is a wrapper around the
seams, so the product knows nothing of it.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from reconciler.policy import Ways
from reconciler.ports import Remote, Repo, Workspace
from tests.acceptance.place import Place, Wrap

OF_A_REPO = ("commit", "move")
OF_A_REMOTE = ("observe", "reread", "active_runs", "apply", "explain")
BUG = 70


@dataclass
class Steps:
    """at: the step that is the last; None to count only."""

    at: int | None
    names: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def step(self, name: str) -> None:
        with self.lock:
            self.names.append(name)
            if len(self.names) == self.at:
                os.kill(os.getpid(), signal.SIGKILL)


class _Stepping:
    """Any object, with a step before and after each call of these methods."""

    def __init__(self, inner: object, methods: tuple[str, ...], steps: Steps) -> None:
        self._inner, self._methods, self._steps = inner, methods, steps

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._counted(name, found) if name in self._methods else found

    def _counted(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            self._steps.step(f"before {name}")
            result = act(*args, **more)
            self._steps.step(f"after {name}")
            return result

        return call


class _Workspace:
    def __init__(self, inner: Workspace, steps: Steps) -> None:
        self.inner, self.steps, self.uuid = inner, steps, inner.uuid

    def users(self) -> Any:
        return self.inner.users()

    def repo(self, scope: str) -> Repo:
        return cast(Repo, _Stepping(self.inner.repo(scope), OF_A_REPO, self.steps))


def counting(steps: Steps) -> Wrap:
    def wrap(workspace: Workspace, remote: Remote) -> tuple[Workspace, Remote]:
        return _Workspace(workspace, steps), cast(Remote, _Stepping(remote, OF_A_REMOTE, steps))

    return wrap


def killed_pass(place: Place, at: int, settle_seconds: float = 0.0) -> bool:
    """Make one pass in a new process that dies at step ``at``; False where it got to its end before that."""
    child = os.fork()
    if child == 0:
        _in_the_child(place, at, settle_seconds)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the pass raised; its traceback is on stderr"
    return False


def _in_the_child(place: Place, at: int, settle_seconds: float) -> None:
    """Never returns: what the test has open is the parent's to close."""
    code = BUG
    try:
        place.new_engine(counting(Steps(at))).run(apply=True, ways=Ways(), settle_seconds=settle_seconds)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
