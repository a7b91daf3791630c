"""The engine with one of its rules for Open WebUI taken out: what only three replicas can notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import plan as plan_module
from reconciler.ports import NO_HELD, Live
from reconciler.remotes.openwebui import OpenWebUIRemote, feed, model_write, note_write, notes
from reconciler.sync import gather, questions, record, scope, stale, write

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]

# ---------------------------------------------------------------------- models


def no_doubt(patch: Patch) -> None:
    """What an old page brings back is taken."""
    patch.setattr(gather, "doubt", lambda work, web: None)


def only_main_is_searched(patch: Patch) -> None:
    """An old page is known only by what `main` has held."""
    patch.setattr(stale, "_is_again", lambda shown, name, live: False)


def only_looks_are_searched(patch: Patch) -> None:
    """What Open WebUI held between two passes, by its own history, is forgotten."""
    patch.setattr(OpenWebUIRemote, "past", lambda self, live: ())


def asked_once(patch: Patch) -> None:
    """What was asked about an old page is taken by the next pass, the rest of the page being in git."""
    patch.setattr(stale, "_still_asked", lambda work: iter(()))


# ---------------------------------------------------------------------- notes


def held_is_missing(patch: Patch) -> None:
    """A note that somebody types in just now is taken to be gone."""
    read = scope.read_live
    patch.setattr(scope, "read_live", lambda desired, where, seen: read(desired, where, replace(seen, held=NO_HELD)))


def missing_is_emptied(patch: Patch) -> None:
    """A note that was deleted is a note without a word."""
    observe = OpenWebUIRemote.observe

    def without_holes(self: Any, scopes: Any, depth: Any) -> Any:
        found = observe(self, scopes, depth)
        seen = {where: _last(self, where) | dict(found.seen.get(where, {})) for where in {**found.seen, **_seen(self)}}
        _LAST[id(self)] = seen
        return replace(found, seen=seen)

    patch.setattr(OpenWebUIRemote, "observe", without_holes)


_LAST: dict[int, Any] = {}


def _seen(remote: Any) -> Any:
    return _LAST.get(id(remote), {})


def _last(remote: Any, where: str) -> dict[str, Any]:
    """What the remote has shown of the scope, with no text in it."""
    found = _seen(remote).get(where, {})
    return {ref: replace(live, text="#\n") for ref, live in found.items() if getattr(live, "text", None) is not None}


def somebody_elses_note(patch: Patch) -> None:
    """A note is known by the block it holds, whoever it is for."""
    observe = OpenWebUIRemote.observe

    def by_ref(self: Any, scopes: Any, depth: Any) -> Any:
        found = observe(self, scopes, depth)
        first = {ref: live for things in reversed(found.seen.values()) for ref, live in things.items()}
        mixed = {where: {ref: first[ref] for ref in things} for where, things in found.seen.items()}
        return replace(found, seen=mixed)

    patch.setattr(OpenWebUIRemote, "observe", by_ref)


def text_as_it_stands(patch: Patch) -> None:
    """The document is what stands in the box to the letter: the editor's last line end is an edit."""
    patch.setattr(notes, "_text", lambda sheet, mark: f"{sheet.body}\n")


def the_whole_note_is_the_text(patch: Patch) -> None:
    """Two notes are equal where their Markdown is."""
    live_note = notes.live_note

    def shown(row: Any, ref: str) -> Any:
        live = live_note(row, ref)
        is_prose = isinstance(live, Live) and ref.endswith("/diary")
        return replace(live, text=notes.markdown_of(row)) if is_prose else live

    for module in (note_write, notes, feed):
        patch.setattr(module, "live_note", shown)


def write_over_notes(patch: Patch) -> None:
    """No write to Open WebUI is ever stale."""
    patch.setattr(note_write, "moved", lambda action, now: "")
    patch.setattr(model_write, "moved", lambda action, now: "")


def no_box_no_write(patch: Patch) -> None:
    """A note whose box is gone is never written again, whatever a person says."""
    patch.setattr(write, "_writable", lambda ref, shown: shown if isinstance(shown, Live) else None)


# ---------------------------------------------------------------------- three sides


def one_base_for_both(patch: Patch) -> None:
    """What Letta and git agreed on is taken for what the note and git agreed on."""
    plan_scope = scope.plan_scope

    def folded(specs: Any, git: Any, sides: Any, *rest: Any) -> Any:
        return plan_scope(specs, git, [replace(side, base=sides[-1].base) for side in sides], *rest)

    patch.setattr(scope, "plan_scope", folded)


def each_side_alone(patch: Patch) -> None:
    """A side's news is judged by what `main` holds, not by what the other side has just brought."""
    capture_news, value = plan_module._Fold.capture_news, plan_module._Fold._value

    def alone(self: Any) -> bool:
        def of_main(ref: str, name: str) -> Any:
            return self.git[ref].get(name, plan_module.ABSENT)

        self._value = of_main
        try:
            return capture_news(self)
        finally:
            del self._value

    assert value is not None
    patch.setattr(plan_module._Fold, "capture_news", alone)


def unmet_is_nobody(patch: Patch) -> None:
    """Where the accounts cannot be listed, git asks for no note and no model."""
    patch.setattr(gather.Gathering, "_is_unmet", lambda self: False)
    patch.setattr(questions, "_is_judged", lambda work, diff: True)


def a_part_is_a_question(patch: Patch) -> None:
    """A question of two live sides is asked anew wherever one of them was not looked at."""
    patch.setattr(questions, "_whole", lambda work, diff: diff)


def unseen_is_gits(patch: Patch) -> None:
    """What a look at a part does not show is taken to be as in git."""
    patch.setattr(record, "_unseen", lambda work, remote: {})


MUTANTS_BESIDE_WEB: Mapping[str, Mutant] = {
    each.__name__: each
    for each in (
        no_doubt,
        only_looks_are_searched,
        only_main_is_searched,
        asked_once,
        held_is_missing,
        missing_is_emptied,
        somebody_elses_note,
        text_as_it_stands,
        the_whole_note_is_the_text,
        write_over_notes,
        no_box_no_write,
        one_base_for_both,
        each_side_alone,
        unmet_is_nobody,
        a_part_is_a_question,
        unseen_is_gits,
    )
}
