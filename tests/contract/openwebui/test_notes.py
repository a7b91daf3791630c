"""Blocks as notes: what is written is what is read, and nothing is written over what was not seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.snapshot import Unreadable
from reconciler.desired import NAMED
from reconciler.ports import Action, Applied, Failed, Live, Stale
from reconciler.remotes.openwebui import OpenWebUIRemote
from tests.contract.openwebui.things import (
    ANN,
    BEN,
    COURSES,
    HELP,
    PROFILE,
    RULES,
    STUDENT,
    change,
    create_note,
    delete,
    fenced,
    md_of,
    shown_fields,
    write,
)
from tests.contract.openwebui.world import Account, World, applied, found, unreadable

TEXTS = {
    "empty": "",
    "one line": 'name = "Ann"',
    "one line end": "\n",
    "windows line ends": "a = 1\r\nb = 2\r\n",
    "other scripts": 'name = "Ådne Łuk 李雷 🙂 e\u0301 \u200d"\n',
    "nothing": "# nothing here yet\n",
    "a blank": " ",
    "no-break spaces": "a = 1\N{NO-BREAK SPACE}\r\n\r\n",
    "blanks": "\n\n  \t x \n ",
    "fences": 'a = """\n```toml\nb = 2\n```\n"""\n',
    "long fences": "`````\n~~~\n",
    "a sign": "⚠ not a message\n",
    "long": "x = 1\n" * 4000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_survives_exactly(world: World, remote: OpenWebUIRemote, text: str) -> None:
    live = applied(remote, create_note(text=text))

    assert live.text == text
    assert live.fields == shown_fields()
    again = world.remote().observe(None, "full").seen[ANN][STUDENT]
    assert isinstance(again, Live)
    assert (again.text, again.fields, again.handle) == (text, shown_fields(), live.handle)
    assert applied(remote, write(live, text + "y = 2\n")).text == text + "y = 2\n"


def test_the_student_reads_help_a_message_and_one_box(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note(text="a = 1\n", message="line 1: say what it is"))

    row = world.note(live.handle)
    assert row["title"] == "Your profile"
    assert md_of(row) == f"{HELP}\n\n⚠ line 1: say what it is\n\n```toml\na = 1\n```\n"


def test_prose_stands_in_a_box_of_its_own_kind(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note(text="Ann likes tea.", fence="text"))

    assert "```text\nAnn likes tea.\n```" in md_of(world.note(live.handle))
    assert live.text == "Ann likes tea."
    assert found(world.remote(), live).fields["@fence"] == "text"


def test_every_scope_and_kind_of_block_is_told_apart(world: World, remote: OpenWebUIRemote) -> None:
    for action in (
        create_note(STUDENT, "a"),
        create_note(STUDENT, "b", scope=BEN),
        create_note(PROFILE, "c"),
        create_note(RULES, "d", scope=COURSES),
    ):
        applied(remote, action)

    seen = world.remote().observe(None, "full").seen

    texts = {(scope, ref): live.text for scope, refs in seen.items() for ref, live in refs.items() if live}
    assert texts == {(ANN, STUDENT): "a", (BEN, STUDENT): "b", (ANN, PROFILE): "c", (COURSES, RULES): "d"}


def test_the_one_it_is_for_can_read_and_write_and_nobody_else(
    world: World, remote: OpenWebUIRemote, ann: Account, ben: Account
) -> None:
    live = applied(remote, create_note(access=(ann.writes,)))

    assert live.fields["@access"] == (ann.writes,)
    assert world.call("GET", f"/notes/{live.handle}", ann).json()["write_access"] is True
    assert world.call("POST", f"/notes/{live.handle}/update", ann, json={"title": "Mine"}).status_code == 200
    for method, path in (("GET", ""), ("POST", "/update"), ("POST", "/access/update"), ("DELETE", "/delete")):
        body: dict[str, Any] = {"json": {"access_grants": []}} if method == "POST" else {}
        assert world.call(method, f"/notes/{live.handle}{path}", ben, **body).status_code in (401, 403, 404)


# ---------------------------------------------------------------------- what a person does to it


EDITORS = {
    "nothing": lambda md: md,
    "bullets and blank lines": lambda md: md.replace("- ", "*   ").replace("\n\n```", "\n```"),
    "escapes and entities": lambda md: md.replace("**grey**", "__grey__ &nbsp;").replace("at once.", "at once\\."),
    "another language": lambda md: md.replace("```toml", "```python"),
    "no language": lambda md: md.replace("```toml", "```"),
    "a stray checkbox": lambda md: md + "\n- [ ] \n",
}


@pytest.mark.parametrize("rewrite", EDITORS.values(), ids=EDITORS.keys())
def test_the_editors_rewriting_changes_nothing(world: World, remote: OpenWebUIRemote, rewrite: Any) -> None:
    live = applied(remote, create_note(message="line 1: no such option"))
    world.type(live.handle, rewrite(md_of(world.note(live.handle))))

    again = found(world.remote(), live)

    assert (again.text, again.fields) == (live.text, live.fields)


def test_the_editor_may_fold_what_it_cannot_keep(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note(text="a =\N{NO-BREAK SPACE}1\r\nb = 2\n\n\n"))
    markdown = md_of(world.note(live.handle)).replace("\r\n", "\n").replace("\N{NO-BREAK SPACE}", " ")
    world.type(live.handle, markdown.replace("\n\n\n", "\n\n"))

    assert found(remote, live).text == live.text
    world.type(live.handle, markdown.replace("b = 2", "b = 3"))
    assert found(remote, live).text == "a = 1\nb = 3\n\n\n"


def test_an_empty_box_is_never_blank(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note(text=""))
    assert "```toml\n# nothing here yet\n```" in md_of(world.note(live.handle))

    world.type(live.handle, fenced("# nothing here yet\na = 1\n"))
    assert found(remote, live).text == "a = 1\n"


def test_an_edit_in_the_box_is_an_edit(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    live = applied(remote, create_note(access=(ann.writes,)))
    world.type(live.handle, md_of(world.note(live.handle)).replace("Ann", "Anna"), ann)

    again = found(remote, live)

    assert again.text == 'name = "Anna"\n'
    assert again.fields == live.fields


def test_what_is_not_the_box_can_drift_and_is_put_right(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    live = applied(remote, create_note(access=(ann.writes,)))
    world.type(live.handle, fenced('name = "Ann"\n', "Other help."), title="Other title")
    world.ask("POST", f"/notes/{live.handle}/access/update", json={"access_grants": []})

    drifted = found(remote, live)

    assert drifted.text == live.text
    assert drifted.fields == shown_fields(title="Other title", help="Other help.")
    mended = applied(remote, change(drifted, title="Your profile", help=HELP, access=(ann.writes,)))
    assert (mended.text, mended.fields) == (live.text, live.fields)


def test_a_message_comes_and_goes_without_touching_the_text(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.type(live.handle, md_of(world.note(live.handle)) + "\nMy own words below.\n")

    told = applied(remote, change(found(remote, live), message="line 1: no such option"))
    assert told.fields["@message"] == "line 1: no such option"
    assert told.text == live.text
    silent = applied(remote, change(told, message=""))

    assert silent.fields == live.fields
    assert "⚠" not in md_of(world.note(live.handle))
    assert "My own words below." in md_of(world.note(live.handle))


def test_a_message_taken_out_by_hand_is_seen(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note(message="line 1: no such option"))
    world.type(live.handle, fenced('name = "Ann"\n', HELP))

    assert found(remote, live).fields["@message"] == ""


SPOILT = {
    "no box": "just words",
    "two boxes": fenced("a = 1\n") + fenced("b = 2\n"),
    "an open box": "```toml\na = 1\n",
    "empty": "",
}


@pytest.mark.parametrize("markdown", SPOILT.values(), ids=SPOILT.keys())
def test_a_note_without_its_box_is_unknown_and_not_lost(
    world: World, remote: OpenWebUIRemote, ann: Account, markdown: str
) -> None:
    live = applied(remote, create_note(access=(ann.writes,)))
    world.type(live.handle, markdown, ann)

    spoilt = unreadable(remote, live)

    assert spoilt.raw == markdown
    assert "box" in spoilt.reason
    assert isinstance(remote.apply(write(live, "a = 2\n")), Stale)
    assert md_of(world.note(live.handle)) == markdown
    shown = world.remote().observe(None, "full")
    assert ANN in shown.held or isinstance(shown.seen[ANN][STUDENT], Unreadable)


def test_a_spoilt_note_is_written_anew_by_who_has_seen_just_that(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.type(live.handle, "oh no")
    spoilt = Live(live.ref, live.handle, unreadable(remote, live).raw)

    outcome = remote.apply(change(spoilt, message="The box was missing."))
    assert isinstance(outcome, Stale | Failed)
    assert applied(remote, write(spoilt, 'name = "Ann"\n')).text == 'name = "Ann"\n'


def test_a_huge_note_is_unknown(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.type(live.handle, fenced("x = 1\n" * 180_000))

    huge = unreadable(remote, live)

    assert huge.raw is None
    assert "too large" in huge.reason


# ---------------------------------------------------------------------- compare, then write


def test_a_text_that_moved_is_not_written_over(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.type(live.handle, fenced('name = "Bo"\n'))

    outcome = remote.apply(write(live, "mine = 1\n"))

    assert isinstance(outcome, Stale)
    assert "its text" in outcome.found
    assert found(remote, live).text == 'name = "Bo"\n'


def test_a_setting_that_moved_does_not_stop_the_text(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.ask("POST", f"/notes/{live.handle}/update", json={"title": "Other"})

    assert applied(remote, write(live, "mine = 1\n")).fields["@title"] == "Other"
    assert isinstance(remote.apply(change(live, title="Third")), Stale)


def test_only_the_markdown_is_written(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.ask("POST", f"/notes/{live.handle}/update", json={"data": {"files": []}, "meta": {"theirs": 1}})

    applied(remote, write(live, "mine = 1\n"))

    row = world.note(live.handle)
    assert row["data"]["files"] == []
    assert row["meta"]["theirs"] == 1


def test_what_is_gone_is_stale_to_write_and_done_to_delete(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    live = applied(remote, create_note(access=(ann.writes,)))
    world.ask("DELETE", f"/notes/{live.handle}/delete", ann)

    assert remote.reread([live]) == {live.handle: None}
    assert isinstance(remote.apply(write(live, "x")), Stale)
    assert remote.apply(delete(live)) == Applied(None)
    assert applied(remote, create_note()).handle != live.handle


def test_a_delete_spares_what_changed(world: World, remote: OpenWebUIRemote) -> None:
    live = applied(remote, create_note())
    world.type(live.handle, fenced('name = "Bo"\n'))

    assert isinstance(remote.apply(delete(live)), Stale)
    assert remote.apply(delete(found(remote, live))) == Applied(None)
    assert world.notes() == []


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "x" * 1_100_000])
def test_a_text_that_would_not_be_held_is_refused_before_a_write(
    world: World, remote: OpenWebUIRemote, text: str
) -> None:
    outcome = remote.apply(create_note(text=text))

    assert isinstance(outcome, Failed)
    assert not outcome.transient
    assert world.notes() == []


@pytest.mark.parametrize("fields", [{"@colour": "red"}, {"@access": ("ann",)}])
def test_a_field_a_note_has_not_is_refused(world: World, remote: OpenWebUIRemote, fields: Any) -> None:
    action = create_note()

    outcome = remote.apply(type(action)(ANN, STUDENT, "create", None, "", {**action.fields, **fields}))

    assert isinstance(outcome, Failed)
    assert world.tap.writes() == []


def test_a_renamed_block_keeps_its_note_which_is_known_by_its_new_name_alone(
    world: World, remote: OpenWebUIRemote
) -> None:
    live, new = applied(remote, create_note(text="a = 1\n")), "block/essay/learner"
    was = replace(live, ref=new)
    named = applied(remote, Action(ANN, new, "update", was, None, {NAMED: new}))

    assert (named.handle, named.ref, named.text) == (live.handle, new, "a = 1\n")
    assert named.fields == {**live.fields, NAMED: new}
    for each in (remote, world.remote()):
        assert list(each.observe(None, "full").seen[ANN]) == [new]
    assert isinstance(remote.apply(write(live, "an old plan")), Stale)
    assert isinstance(remote.reread([was])[live.handle], Live)


def test_what_is_written_into_an_empty_box_is_whole_lines(world: World, remote: OpenWebUIRemote, ann: Account) -> None:
    live = applied(remote, create_note(text="", access=(ann.writes,), fence="text"))
    world.type(live.handle, md_of(world.note(live.handle)).replace("# nothing here yet", "I like tea."), ann)
    again = found(remote, live)

    assert again.text == "I like tea.\n"
    assert applied(remote, write(again, "")).text == ""
