"""A block that the course calls by another name is the same block: everywhere, and with what nobody had seen yet."""

from __future__ import annotations

import pytest

from tests.acceptance.web.place import WebPlace


def _rename(place: WebPlace, old: str, new: str, **more: str) -> None:
    label = more.get("label", old)
    place.edit_course(f'[block.{old}]\nlabel = "{old}"\n', f'[block.{new}]\nwas = "{old}"\nlabel = "{label}"\n')


def _ids(place: WebPlace, who: str, block: str) -> tuple[str, str]:
    return place.block_row(who, block)["id"], place.note_row(who, block)["id"]


@pytest.mark.parametrize("label", ["journey", "travels"])
def test_edits_on_all_sides_go_along_with_a_renamed_block(alone: WebPlace, label: str) -> None:
    place, ada = alone, alone.ada
    ids, agents = _ids(place, ada, "journey"), place.agent_ids()
    place.commit_as("Tess Teacher", ada, "journey", status="drafting")
    place.agent_learns(ada, "journey", blockers="from the agent")
    place.edits_note(ada, "journey", notes="from the note")
    _rename(place, "journey", "travels", label=label)
    assert place.sync().exit_code == 0

    wanted = {"status": "drafting", "blockers": "from the agent", "notes": "from the note", "milestones": ()}
    assert place.everywhere(ada, "travels") == [wanted] * 3
    assert (_ids(place, ada, "travels"), place.agent_ids()) == (ids, agents)
    assert place.block_row(ada, "travels")["label"] == label
    assert len(place.our_notes()) == len({row["id"] for row in place.our_notes()})
    assert "journey" not in {row["meta"]["reconciler"]["ref"].rpartition("/")[2] for row in place.our_notes()}
    assert {"youlab_", "Tess Teacher", "ada"} <= {
        name.replace(f"youlab_{ada}_essay-lab", "youlab_") for name in place.log(ada, "%an")
    }
    place.assert_at_rest()


def test_an_edit_after_a_rename_and_the_rename_of_a_renamed_block(alone: WebPlace) -> None:
    place, ada = alone, alone.ada
    ids = _ids(place, ada, "journey")
    _rename(place, "journey", "travels")
    assert place.sync().exit_code == 0
    place.agent_learns(ada, "travels", blockers="later")
    place.edit_course('[block.travels]\nwas = "journey"\n', '[block.ways]\nwas = "travels"\n')
    assert place.sync().exit_code == 0

    assert [side["blockers"] for side in place.everywhere(ada, "ways")] == ["later"] * 3
    assert _ids(place, ada, "ways") == ids
    place.assert_at_rest()


def test_a_shared_block_is_renamed_for_every_agent_that_holds_it(alone: WebPlace) -> None:
    place = alone
    ids = _ids(place, "courses", "staff")
    place.api_edits("courses", "staff", focus="set through the API")
    _rename(place, "staff", "desk")
    assert place.sync().exit_code == 0

    assert [side["focus"] for side in place.everywhere("courses", "desk")] == ["set through the API"] * 3
    assert _ids(place, "courses", "desk") == ids
    place.assert_at_rest()


def test_the_plan_of_a_rename_says_so_and_makes_nothing_new(alone: WebPlace) -> None:
    place = alone
    _rename(place, "journey", "travels")
    report = place.plan()

    assert {(each.remote, each.ref, each.verb) for each in report.actions} == {
        (remote, "block/essay-lab/travels", "update") for remote in ("git", "letta", "openwebui")
    }
    for each in report.actions:
        changed = {field.name: (field.before, field.after) for field in each.fields}
        assert changed.pop("@ref") == ("block/essay-lab/journey", "block/essay-lab/travels")
        assert changed.keys() <= {"@title"}
