"""What can be found in git: every value of every document in a commit that some ref reaches."""

from __future__ import annotations

from reconciler.core.snapshot import Ref, Scope
from reconciler.simulation.documents import document_of, fields_of
from reconciler.simulation.repo import MemoryRepo
from reconciler.simulation.story import key_of


class Reach:
    """Kept up to date as the refs of one repo move on; none of them ever moves back."""

    def __init__(self, repo: MemoryRepo, scope: Scope, remote: str) -> None:
        self._repo, self._scope, self._remote = repo, scope, remote
        self._commits: set[str] = set()
        self._blobs: set[tuple[str, str]] = set()
        self._texts: set[tuple[Ref, str]] = set()
        self._values: set[tuple[Ref, str, str]] = set()

    def lacks(self, ref: Ref, text: str, but: str = "") -> str:
        """What of a text is in no commit, leaving aside what the text ``but`` says too; empty where all of it is."""
        self._follow()
        old, new = fields_of(ref, text), fields_of(ref, but) or {}
        if old is None:
            return "" if (ref, text) in self._texts or not text.strip() else repr(text)
        for name, value in old.items():
            if new.get(name) != value and (ref, name, key_of(value)) not in self._values:
                return f"{name} = {value!r}"
        return ""

    def _follow(self) -> None:
        todo = [tip for tip in self._repo.refs.values() if tip not in self._commits]
        while todo:
            commit = todo.pop()
            if commit not in self._commits:
                self._commits.add(commit)
                todo += self._repo.info(commit).parents
                self._take(commit)

    def _take(self, commit: str) -> None:
        for path, blob in self._repo.files(commit).items():
            ref = document_of(self._scope, path, self._remote)
            if ref is None or (path, blob) in self._blobs:
                continue
            self._blobs.add((path, blob))
            text = self._repo.read(blob).decode()
            self._texts.add((ref, text))
            self._values |= {(ref, name, key_of(value)) for name, value in (fields_of(ref, text) or {}).items()}
