"""A model saved from a page that was opened before git changed it: nothing of git's is undone unasked.

On the stand-in, and on a real server where RECONCILER_LIVE=1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.bootstrap import SystemClock
from reconciler.core.outcome import Report
from reconciler.core.plan import WENT_BACK
from reconciler.manifest.tomledit import set_value
from reconciler.policy import Policy, WebPolicy
from reconciler.ports import Draft, Person
from reconciler.store.journal import MAIN, tracking_ref
from reconciler.store.memory import MemoryRepo, MemoryWorkspace
from reconciler.sync.engine import Engine
from reconciler.sync.review import Verdict, all_diffs, review
from tests.acceptance.place import OURS
from tests.contract.openwebui.conftest import clean_openwebui, openwebui, remote, staff, world
from tests.contract.openwebui.things import WORKSPACE
from tests.contract.openwebui.world import Account, World

__all__ = ["clean_openwebui", "openwebui", "remote", "staff", "world"]

TESS = Person("Tess Teacher", "tess@school.example")
PATH = "essay-lab/course.toml"
OLD, NEW = "You read drafts aloud and ask what the writer hears.", "You ask for the first line."


@dataclass
class School:
    world: World
    workspace: MemoryWorkspace
    engine: Engine

    @property
    def courses(self) -> MemoryRepo:
        return self.workspace.repo("courses")

    def head(self) -> str:
        found = self.courses.ref(MAIN)
        assert found
        return found

    def sync(self, passes: int = 2) -> Report:
        for _ in range(passes):
            report = self.engine.run(apply=True, settle_seconds=5)
            assert not report.errors, report.errors
        return report

    def commit(self, **fields: str) -> None:
        """A teacher edits the course in git."""
        head = self.courses.ref(MAIN)
        text = self.text() if head else (OURS / "course.toml").read_text()
        for name, value in fields.items():
            text = set_value(text, ("agent", name), value)
        parents = (head,) if head else ()
        draft = Draft(head, parents, {PATH: text.encode()}, TESS, "Edit the course", datetime.now(UTC))
        assert self.courses.move(MAIN, head, self.courses.commit(draft))

    def text(self, ref: str = MAIN) -> str:
        at = self.courses.ref(ref)
        assert at
        return self.courses.read(self.courses.files(at)[PATH]).decode()

    def model(self) -> Any:
        return next(row for row in self.world.ask("GET", "/models/all") if row["id"].endswith("essay-lab"))

    def save(self, page: Any, who: Account, **changes: Any) -> None:
        """The whole page is sent, as it was when it was opened, with what its reader changed."""
        form = {name: page[name] for name in ("id", "name", "base_model_id", "meta", "params")} | changes
        self.world.ask("POST", "/models/model/update", who, json=form)

    def decide(self, verdict: Verdict) -> None:
        (found,) = [each for each in all_diffs(self.workspace) if each.diff.status == "pending"]
        review(self.engine, found.diff.id, verdict, None, TESS)


@pytest.fixture
def school(world: World) -> School:
    workspace = MemoryWorkspace(WORKSPACE)
    web = world.remote()
    policy = Policy(web=WebPolicy(base_model="gpt-4o", default_courses=("essay-lab",)))
    made = School(world, workspace, Engine(workspace, [web], SystemClock(), policy, web, web))
    made.commit()
    made.sync()
    return made


@pytest.fixture
def saved_late(school: School, staff: Account) -> School:
    """An admin opened the editor, git changed the prompt, and the admin saved another name."""
    page = school.model()
    school.commit(system=NEW)
    school.sync()
    assert school.model()["params"]["system"] == NEW
    school.save(page, staff, name="Essay Studio")
    return school


def test_what_they_wrote_is_captured_and_what_went_back_is_asked(saved_late: School) -> None:
    report = saved_late.sync(3)

    assert [(each.ref, [field.reason for field in each.fields]) for each in report.conflicts] == [
        ("model/essay-lab", [WENT_BACK])
    ]
    assert 'name = "Essay Studio"' in saved_late.text()
    assert NEW in saved_late.text(), "git's value stands in git"
    assert saved_late.model()["params"]["system"] == OLD, "and theirs stays there until somebody has decided"
    assert OLD in saved_late.text(tracking_ref("openwebui")), "what was seen can be found"
    assert saved_late.sync().commits == 0


@pytest.mark.parametrize(("verdict", "stays"), [("approved", OLD), ("rejected", NEW)])
def test_both_ways_to_decide_end_in_agreement(saved_late: School, verdict: Verdict, stays: str) -> None:
    saved_late.sync()
    saved_late.decide(verdict)
    report = saved_late.sync(3)

    assert (report.exit_code, report.commits) == (0, 0)
    assert stays in saved_late.text()
    assert saved_late.model()["params"]["system"] == stays
    assert saved_late.model()["name"] == "Essay Studio"


def test_one_field_that_goes_back_alone_is_what_somebody_meant(school: School, staff: Account) -> None:
    school.commit(system=NEW)
    school.sync()
    page = school.model()
    school.save(page, staff, params=page["params"] | {"system": OLD})
    report = school.sync()

    assert not report.conflicts
    assert OLD in school.text()


def test_several_fields_with_values_of_their_own_are_what_somebody_meant(school: School, staff: Account) -> None:
    school.commit(system=NEW)
    school.sync()
    page = school.model()
    school.save(page, staff, name="Essay Studio", params=page["params"] | {"system": "Quite another one."})
    report = school.sync()

    assert not report.conflicts
    assert "Quite another one." in school.text()
    assert 'name = "Essay Studio"' in school.text()


def test_what_came_and_went_between_two_looks_is_known_by_the_version_history(school: School, staff: Account) -> None:
    page = school.model()
    school.save(page, staff, params=page["params"] | {"system": "Half a thought."})
    half = school.model()
    school.save(half, staff, params=half["params"] | {"system": NEW})
    school.sync()
    assert NEW in school.text()
    school.save(half, staff, name="Essay Studio")
    report = school.sync()

    assert [field.reason for each in report.conflicts for field in each.fields] == [WENT_BACK]
    assert NEW in school.text()
    assert "Half a thought." not in school.text()
    assert 'name = "Essay Studio"' in school.text()
