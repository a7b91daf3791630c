"""Tell the writer of a note what is wrong with it, in the note itself, and take the line away once it is mended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.core.decide import CAME_BACK, NO_COMMON_PAST, SAID_BY_BOTH
from reconciler.core.plan import Change
from reconciler.core.snapshot import Ref, Seen
from reconciler.core.value import ABSENT
from reconciler.desired_web import WEB
from reconciler.ports import Live
from reconciler.sync.scope import ScopeWork, decide_scope

MESSAGE = "@message"
_LINE = re.compile(r"line (\d+)")
_LONGEST_QUOTE = 60
_NO_VALUE = 'the part after = cannot be read. Texts need quotes, "like this".'
_IN_PLAIN_WORDS = {
    "Invalid value": _NO_VALUE,
    "Expected newline or end of document after a statement": _NO_VALUE,
    "Expected '=' after a key": "the = sign is missing.",
    "Illegal character '\\n'": "the closing quote is missing.",
    "Unclosed array": "the ] that ends a list is missing.",
    "Cannot overwrite a value": "this entry is there twice.",
}
"""The parser's words (their beginnings), and what they mean to somebody who never heard of one."""
NOT_THE_WRITERS = (SAID_BY_BOTH, CAME_BACK, NO_COMMON_PAST)
"""Reasons that a learner cannot mend by writing differently."""


def complain(work: ScopeWork) -> None:
    """Add to the plan what each note's message line should say."""
    wanted = dict(_complaints(work))
    readable = {ref: said for ref, said in wanted.items() if isinstance(work.seen[WEB].get(ref), Mapping)}
    if readable:
        seen: dict[Ref, Seen] = {ref: _with_message(each, readable.get(ref)) for ref, each in work.git.seen.items()}
        work.git = replace(work.git, seen=seen)
        decide_scope(work)
    unreadable = [change for ref, said in wanted.items() if ref not in readable for change in _told(work, ref, said)]
    work.plan = replace(work.plan, pending=(*work.plan.pending, *unreadable))


def _complaints(work: ScopeWork) -> Iterable[tuple[Ref, str]]:
    for clash in work.plan.clashes:
        if clash.remote == WEB and clash.reason not in NOT_THE_WRITERS and _has_message(work, clash.ref):
            yield clash.ref, f"{clash.name}: {clash.reason}"
    for blind in work.plan.blind:
        if blind.remote == WEB and blind.raw is not None and _has_message(work, blind.ref):
            yield blind.ref, in_words(blind.reason, blind.raw)


def in_words(reason: str, raw: str) -> str:
    """What is wrong with a text, naming the line where the parser says which."""
    found = _LINE.search(reason)
    lines = raw.splitlines()
    number = int(found[1]) if found else 0
    if not 0 < number <= len(lines):
        return f"Not taken over: {reason}"
    shown = lines[number - 1].strip()[:_LONGEST_QUOTE]
    plain = (words for begins, words in _IN_PLAIN_WORDS.items() if reason.startswith(begins))
    return f"Not taken over, because of the line “{shown}”: {next(plain, reason + '.')}"


def _has_message(work: ScopeWork, ref: Ref) -> bool:
    spec = work.desired.specs.get(ref)
    return spec is not None and spec.owns(MESSAGE)


def _with_message(seen: Seen, said: str | None) -> Seen:
    return {**seen, MESSAGE: said} if said is not None and isinstance(seen, Mapping) else seen


def _told(work: ScopeWork, ref: Ref, said: str) -> Iterable[Change]:
    live = work.shown[WEB].get(ref)
    now = live.fields.get(MESSAGE, ABSENT) if isinstance(live, Live) else said
    if now != said:
        yield Change(WEB, ref, MESSAGE, now, said, now)
