"""The pictures in the docs, taken again: `python -m tests.acceptance.web.pictures`.

A real Open WebUI and headless Chromium, with one of our courses, a learner and an administrator. Letta is the stand-in:
nothing of it is to be seen.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page

from reconciler.ports import WebMessage
from tests.acceptance import systems
from tests.acceptance.web.place import WebPlace
from tests.acceptance.web.systems import live
from tests.live.browser import Visit, browser
from tests.live.openwebui import OpenWebUIServer
from tests.live.webui import Person

PROJECT = Path(__file__).parents[3]
COURSE = PROJECT / "courses" / "intro-statistics"
IMAGES = PROJECT / "docs" / "images"
WIDTH, HEIGHT = 1100, 620
PATIENCE_SECONDS = 60.0
RUN = (
    WebMessage("user", "Read the latest conversation, and add what the tutor should remember."),
    WebMessage(
        "assistant",
        """I added this to the notebook:

- Ada guessed the mean of her sleeping times before she calculated it, and was ten minutes off.
- One night shift made the case for the median. She named the idea herself.
- Next: how far do her nights stray from it?""",
    ),
)


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        OpenWebUIServer() as server,
        systems.embedded() as letta,
        live(server) as web,
    ):
        place = WebPlace.make_web(Path(folder) / "workspace", letta, web, names=(), source=COURSE)
        try:
            furnish(place)
            for picture in (new_chat, note, run, model_editor, model_history, note_that_is_wrong):
                picture(place)
        finally:
            place.close()
    return 0


def furnish(place: WebPlace) -> None:
    """Ada has been here before."""
    add_account(place, "ada", "Ada Okafor")
    add_account(place, "tess", "Tess Teacher", "admin")
    place.sync()
    place.commit_as("Tess Teacher", place.ada, "learner", name="Ada", background="A nurse; last did maths at school")
    known = {"status": "working", "sessions": 3, "mastered": ("mean", "median")}
    place.commit_as("Tess Teacher", place.ada, "plan", **known)
    place.sync()


def add_account(place: WebPlace, name: str, full_name: str, role: str = "user") -> None:
    email = f"{name}@school.example"
    place.people[name] = Person(*place.web.server.add_user(full_name, email, role), email)


@contextmanager
def visit_of(place: WebPlace, who: str) -> Iterator[Visit]:
    """Somebody's first: what a browser remembers is in no picture."""
    with browser() as context:
        visit = Visit(context, place.web.server.url, place.token(who))
        visit.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        yield visit


def take(page: Page, name: str, height: int = HEIGHT) -> None:
    """In a window of this height, once nothing moves any more."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.wait_for_timeout(1500)
    IMAGES.mkdir(exist_ok=True)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"{name}.png")


# -------------------------------------------------------------------------- students


def new_chat(place: WebPlace) -> None:
    with visit_of(place, "ada") as visit:
        visit.open(f"/?models={place.model_row()['id']}")
        visit.page.get_by_text("Bring me any numbers").wait_for()
        take(visit.page, "student-new-chat", 500)


def note(place: WebPlace) -> None:
    with visit_of(place, "ada") as visit:
        visit.open_note(note_id(place, "block/learner"))
        visit.replace("interests = []", 'interests = ["basketball", "sleep"]')
        take(visit.page, "student-note", 330)
        place.sync_until(lambda: "sleep" in str(place.in_git(place.ada, "learner")))


def note_that_is_wrong(place: WebPlace) -> None:
    with visit_of(place, "ada") as visit:
        visit.open_note(note_id(place, "block/intro-statistics/plan"))
        visit.replace("confidence = 0.5", "confidence = quite sure")
        place.sync_until(lambda: "⚠" in visit.shown(), PATIENCE_SECONDS)
        take(visit.page, "student-note-wrong", 510)


def note_id(place: WebPlace, ref: str) -> str:
    (found,) = (row["id"] for row in place.notes_of(place.ada) if row["meta"]["reconciler"]["ref"] == ref)
    return found


def run(place: WebPlace) -> None:
    """Of a background agent, as nothing makes them yet."""
    folder = place.remote.ensure_folder("note-taker", "Note-taker", place.ada, "Ada Okafor")
    chat = place.remote.create_thread(folder, "After the third session", place.model_row("note-taker")["id"], RUN)
    with visit_of(place, "ada") as visit:
        visit.open(f"/c/{chat}")
        visit.page.get_by_role("button", name="Open Sidebar").first.click()
        visit.page.get_by_role("button", name="Folders").click()
        visit.page.get_by_role("button", name="Expand Note-taker").click()
        take(visit.page, "student-run", 480)


# -------------------------------------------------------------------------- administrators


def model_editor(place: WebPlace) -> None:
    with visit_of(place, "tess") as visit:
        model = place.model_row()
        visit.open_model_editor(model["id"])
        system = model["params"]["system"].replace(
            "One question at a time.", "One question at a time, and a short one."
        )
        visit.fill_model(system, "Ask shorter questions")
        take(visit.page, "admin-model")
        visit.save_model(system, "Ask shorter questions")
    place.sync()


def model_history(place: WebPlace) -> None:
    time.sleep(1.1)  # times of versions are whole seconds
    place.edit_course("who last did maths years ago", "who have not done maths for years")
    place.sync()
    with visit_of(place, "tess") as visit:
        visit.page.clock.set_fixed_time(datetime.now(UTC) + timedelta(hours=2))
        visit.open_model_editor(place.model_row()["id"])
        visit.page.get_by_role("button", name="Select version").click()
        take(visit.page, "admin-history", 340)


if __name__ == "__main__":
    sys.exit(main())
