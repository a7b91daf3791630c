"""Why a field is as it is: what git wants, what each live side holds, what both last agreed on, and what comes next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from reconciler.bootstrap import opened
from reconciler.core.base import FieldBase, Settled, Unsettled
from reconciler.core.outcome import IN_SYNC
from reconciler.core.snapshot import MISSING, Ref, Unreadable
from reconciler.core.value import ABSENT, same
from reconciler.errors import Terminal
from reconciler.manifest.lenses import BLOCK
from reconciler.report_json import Json, plain
from reconciler.store.history import Line, blame
from reconciler.sync.scope import ScopeWork
from reconciler.terminal import show, show_json
from reconciler.visible import brief, counted, visible

_KEY = re.compile(r"([A-Za-z0-9_-]+)\s*=")


@dataclass(frozen=True)
class Explained:
    """One field between git and one remote. ``base``: what both are known to have held last."""

    remote: str
    name: str
    owner: str
    git: Settled
    live: Settled
    base: Settled
    waits: int
    writer: str
    next: str


def explain(folder: Path, ref: Ref, user: str | None, output: str) -> int:
    """Look at the resource as a pass would, and say of every field what the pass would do, and why."""
    scope = f"user/{user}" if user else "courses"
    with opened(folder) as app:
        work, _ = app.engine.look_at(scope)
        writers = _writers(app.workspace.repo(scope).folder, work, ref)
    if ref not in work.desired.specs:
        known = ", ".join(sorted(work.desired.specs)) or "nothing"
        raise Terminal(f"{scope} has no {ref}; it has {known}{'' if user else '. A learner is named with --user ID'}")
    found = [each for remote in work.seen for each in _fields(work, remote, ref, writers)]
    if output == "json":
        show_json({"version": 1, "scope": scope, "ref": ref, "fields": [_as_json(each) for each in found]})
    else:
        show([*_state(work, ref), *(line for each in found for line in _shown(each))])
    return IN_SYNC


def _state(work: ScopeWork, ref: Ref) -> Iterator[Text]:
    yield Text.assemble((visible(ref), "bold"), f"  {visible(work.scope)}")
    document = work.desired.documents.get(ref)
    if document is not None:
        yield Text(f"  git     {visible(document.path)}, main at {work.head[:10]}")
    for remote, seen in work.seen.items():
        match seen.get(ref):
            case Unreadable(reason=reason):
                yield Text(f"  {remote}   cannot be read: {visible(reason)}; it is not touched")
            case None:
                yield Text(f"  {remote}   was not seen in this look; it is not touched")
            case found if found is MISSING:
                yield Text(f"  {remote}   has none; the next pass makes it")
            case _:
                pass


def _writers(folder: Path, work: ScopeWork, ref: Ref) -> Mapping[str, str]:
    """Who last wrote each key of the resource's document on ``main``, from its first line to the next key."""
    document = work.desired.documents.get(ref)
    if document is None or document.path not in work.git.files or document.lens is not BLOCK:
        return {}
    newest: dict[str, Line] = {}
    name = ""
    for line in blame(folder, document.path, work.head):
        key = _KEY.match(line.text)
        name = key[1] if key else name
        is_text = line.text.strip() and not line.text.startswith("#")
        if name and is_text and (name not in newest or newest[name].when < line.when):
            newest[name] = line
    return {
        name: f"{line.author.name}, {line.when:%Y-%m-%d %H:%M}, {line.commit[:10]}" for name, line in newest.items()
    }


def _fields(work: ScopeWork, remote: str, ref: Ref, writers: Mapping[str, str]) -> Iterator[Explained]:
    git, live = work.plan.target.get(ref) or {}, work.seen[remote].get(ref)
    if not isinstance(live, Mapping):
        return
    bases = work.bases[remote].resources.get(ref, {})
    spec = work.desired.specs[ref]
    for name in dict.fromkeys([*git, *live]):
        rule = spec.rule(name)
        if rule is None:
            continue
        base = bases.get(name, FieldBase())
        before = _git_before(work, ref, name)
        yield Explained(
            remote,
            name,
            "git decides" if rule.owned else "merged",
            before,
            live.get(name, ABSENT),
            base.settled,
            len(base.waits or ()),
            writers.get(name, ""),
            _next(work, remote, ref, name),
        )


def _git_before(work: ScopeWork, ref: Ref, name: str) -> Settled:
    seen = work.git.seen.get(ref)
    return seen.get(name, ABSENT) if isinstance(seen, Mapping) else ABSENT


def _next(work: ScopeWork, remote: str, ref: Ref, name: str) -> str:
    """What the plan says of the field. Nothing said means agreed."""
    key = (remote, ref, name)
    plan = work.plan
    if any((each.remote, each.ref, each.name) == key for each in plan.clashes):
        return "a person decides: reconciler diffs list"
    if any((each.remote, each.ref, each.name) == key for each in plan.captured):
        return f"git takes over what {remote} holds"
    if any((each.remote, each.ref, each.name) == key for each in plan.pending):
        return f"{remote} gets git's value"
    if any((each.remote, each.ref, each.name) == key for each in plan.waiting):
        return "waits until uncommitted edits of the file are committed"
    base = work.bases[remote].resources.get(ref, {}).get(name)
    return "nothing: both agree" if base is None or base.is_settled else "nothing yet: sent, and not settled"


def _shown(each: Explained) -> Iterator[Text]:
    yield Text.assemble((f"  {visible(each.name)}", "bold"), f"  {each.owner}  → {each.next}")
    if _is_same(each.git, each.live):
        yield Text(f"    both    {brief(each.git)}")
    else:
        yield Text(f"    git     {brief(each.git)}")
        yield Text(f"    {each.remote:<7} {brief(each.live)}")
    if each.writer:
        yield Text(f"    by      {visible(each.writer)}", style="dim")
    if not _is_same(each.base, each.git):
        yield Text(f"    before  {brief(each.base)}", style="dim")
    if each.waits:
        yield Text(f"    waits for {counted(each.waits, 'run')} that may still write an older value back", style="dim")


def _is_same(a: Settled, b: Settled) -> bool:
    if isinstance(a, Unsettled) or isinstance(b, Unsettled):
        return a is b
    return same(a, b)


def _as_json(each: Explained) -> dict[str, Json]:
    return {
        "remote": each.remote,
        "name": each.name,
        "owner": each.owner,
        "git": plain(each.git),
        "live": plain(each.live),
        "base": plain(each.base),
        "last_writer": each.writer or None,
        "waits_for_runs": each.waits,
        "next": each.next,
    }
