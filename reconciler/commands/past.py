"""What git knows of one resource: who changed it, when, and who wrote each line of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reconciler.bootstrap import open_workspace
from reconciler.core.outcome import IN_SYNC
from reconciler.errors import Terminal
from reconciler.settings import load
from reconciler.store.gitio import MAIN, GitRepo
from reconciler.store.history import blame, history
from reconciler.store.journal import trailers_of
from reconciler.terminal import say, show_json, show_table

_BLOCK_SUFFIXES = (".toml", ".md")


@dataclass(frozen=True)
class Place:
    """The file of a resource: in which repo, and its path there."""

    repo: GitRepo
    path: str


def place_of(folder: Path, ref: str, user: str | None) -> Place:
    """Where the resource stands in git; Terminal lists what there is when it stands nowhere."""
    workspace = open_workspace(folder, load(folder))
    kind, _, rest = ref.partition("/")
    is_learners = user is not None and kind == "block"
    repo = workspace.repo(f"user/{user}" if is_learners else "courses")
    main = repo.ref(MAIN)
    files = repo.files(main) if main else dict[str, str]()
    for path in _candidates(kind, rest, is_learners):
        if path in files:
            return Place(repo, path)
    hint = "" if user or kind != "block" else "; for a learner's own block add --user ID"
    raise Terminal(f"git has no {ref}{f' of {user}' if is_learners else ''}{hint}. A ref is kind/path, as in the plan")


def _candidates(kind: str, rest: str, is_learners: bool) -> list[str]:
    if kind in ("agent", "model"):
        return [f"{rest}/course.toml"]
    if kind != "block":
        return []
    course, _, name = rest.partition("/")
    stem = f"blocks/{rest}" if is_learners else f"{course}/shared/{name}"
    return [stem + suffix for suffix in _BLOCK_SUFFIXES]


def show_history(folder: Path, ref: str, user: str | None, output: str) -> int:
    """Every commit that changed the resource, newest first, with who is behind it."""
    place = place_of(folder, ref, user)
    commits = [(commit, trailers_of(commit)) for commit in history(place.repo.folder, place.path)]
    if output == "json":
        rows = [
            {
                "commit": commit.id,
                "when": commit.when.isoformat(),
                "author": commit.author.name,
                "subject": commit.message.partition("\n")[0],
                "trailers": trailers,
            }
            for commit, trailers in commits
        ]
        show_json({"version": 1, "ref": ref, "path": place.path, "commits": rows})
        return IN_SYNC
    show_table(
        {
            "COMMIT": commit.id[:10],
            "WHEN": f"{commit.when:%Y-%m-%d %H:%M}",
            "AUTHOR": commit.author.name + (" (presumed)" if trailers.get("Attribution") == "presumed" else ""),
            "CHANGE": commit.message.partition("\n")[0],
        }
        for commit, trailers in commits
    )
    return IN_SYNC


def show_blame(folder: Path, ref: str, user: str | None, output: str) -> int:
    """Who wrote each line of the resource."""
    place = place_of(folder, ref, user)
    lines = blame(place.repo.folder, place.path)
    if output == "json":
        rows = [
            {"commit": line.commit, "author": line.author.name, "when": line.when.isoformat(), "text": line.text}
            for line in lines
        ]
        show_json({"version": 1, "ref": ref, "path": place.path, "lines": rows})
        return IN_SYNC
    width = max((len(line.author.name) for line in lines), default=0)
    for line in lines:
        say(f"{line.commit[:10]}  {line.author.name.ljust(width)}  {line.when:%Y-%m-%d %H:%M}  {line.text}")
    return IN_SYNC
