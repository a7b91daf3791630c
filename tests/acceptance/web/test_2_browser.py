"""Point 2: people at a real browser, a real Open WebUI, a real Letta, and the loop running: nothing is a stand-in.

Screenshots stay in RECONCILER_SCREENSHOTS, or in the ignored `.cache/screenshots`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import systems
from tests.acceptance.web.place import STAFF, WebPlace
from tests.acceptance.web.systems import live
from tests.live import webui
from tests.live.openwebui import BASE_MODEL, OpenWebUIServer
from tests.live.server import LettaServer
from tests.live.webui import Person

WITHIN_SECONDS = 5.0
PICTURES = Path(os.environ.get("RECONCILER_SCREENSHOTS") or Path(__file__).parents[3] / ".cache" / "screenshots")
SETTINGS = """
[letta]
url = "{letta}"
grace_seconds = 0.2
model_aliases = {{ {aliases} }}

[openwebui]
url = "{web}"
base_model = "{base}"
default_courses = ["{course}"]
staff = {{ {course} = ["{staff}"] }}
poll_seconds = 2
"""


@pytest.fixture
def place(clean_letta: LettaServer, clean_openwebui: OpenWebUIServer, tmp_path: Path) -> Iterator[WebPlace]:
    """A course and one learner, in sync."""
    with systems.live(clean_letta) as letta, live(clean_openwebui) as web:
        made = WebPlace.make_web(tmp_path / "workspace", letta, web, names=("ada",))
        report = made.sync(seconds=60)
        assert report.exit_code == 0, report
        yield made
        made.close()


@contextmanager
def running(place: WebPlace) -> Iterator[None]:
    """The loop as an operator runs it, until the end of the block; it must stop cleanly."""
    aliases = ", ".join(f'"{name}" = "{model}"' for name, model in place.system.aliases.items())
    said = {"letta": place.system.url, "web": place.web.server.url, "aliases": aliases}
    text = SETTINGS.format(**said, base=BASE_MODEL, course=place.course, staff=STAFF)
    (place.root / "reconciler.toml").write_text(text)
    environment = {**os.environ, "RECONCILER_OPENWEBUI__TOKEN": place.key}
    program = [sys.executable, "-c", "import sys; from reconciler.cli import main; sys.exit(main())"]
    log = place.root.parent / "loop.log"
    with log.open("wb") as out:
        process = subprocess.Popen([*program, "-w", str(place.root)], env=environment, stdout=out, stderr=out)
        try:
            until(lambda: place.web.server.request("GET", "/api/events/webhooks") != [], "the loop never came up", 60)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
            print(log.read_text())
    assert code == 0


def until(holds: Callable[[], Any], else_: str, seconds: float) -> float:
    """How long it took to hold."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, else_
        time.sleep(0.05)
    return time.monotonic() - began


def test_what_people_do_in_the_browser_is_theirs_in_git_and_goes_on_to_letta(place: WebPlace) -> None:
    browsing = pytest.importorskip("tests.live.browser", reason="needs the package playwright")
    if browsing.chromium() is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    rita = place.add_account("rita", role="admin")
    with running(place), browsing.browser() as context:
        _a_student_edits_a_note(place, browsing.Visit(context, place.web.server.url, place.token("ada")))
        _an_admin_edits_the_model(place, browsing.Visit(context, place.web.server.url, rita.token), rita)
    place.assert_at_rest()


def test_a_model_that_an_admin_saves_is_their_commit_and_reaches_every_prompt(alone: WebPlace) -> None:
    """The same without a browser, so that the stand-in is held to it, too."""
    rita, row = alone.add_account("rita", role="admin"), alone.model_row()
    (first,) = webui.history(alone.web.server, row["id"])
    assert first["commit_message"] == f"git {alone.head('courses')[:8]}"
    row |= {"params": {"system": "You read drafts aloud, slowly."}, "commit_message": "Sound calmer"}
    alone.web.ask("POST", "/models/model/update", rita.token, json=row)
    assert alone.sync().exit_code == 0

    assert alone.log("courses", "%an|%ae|%s")[-1] == f"rita|{rita.email}|Sound calmer"
    assert "aloud, slowly." in alone.agent_row(alone.ada)["system"]
    alone.assert_at_rest()


def _a_student_edits_a_note(place: WebPlace, visit: Any) -> None:
    ada, path = place.ada, place.path(place.ada, "journey")
    before = place.head(ada)
    visit.open_note(place.note_row(ada, "journey")["id"])
    visit.page.wait_for_timeout(3000)  # nothing comes of opening it
    visit.screenshot(PICTURES / "student-opens-note.png")
    assert place.head(ada) == before
    visit.replace('notes = ""', 'notes = "I hear the second line now"')
    took = until(lambda: place.head(ada) != before, "no commit came", 30)
    visit.screenshot(PICTURES / "student-edited-note.png")

    def arrived() -> bool:
        return place.in_letta(ada, "journey")["notes"] == "I hear the second line now"

    in_letta = took + until(arrived, "it never came to Letta", 30)
    print(f"a note edit was on main after {took:.1f} s, in Letta after {in_letta:.1f} s")
    assert place.log(ada, "%an|%ae", f"{before}..main") == ["ada|ada@example.org"]
    assert place.git(ada, "diff", "--name-only", before, "main").split() == [path]
    changed = place.git(ada, "diff", "--unified=0", before, "main", "--", path).splitlines()
    lines = [line for line in changed if line[0] in "+-" and not line.startswith(("+++", "---"))]
    assert lines == ['-notes = ""', '+notes = "I hear the second line now"']
    assert took < WITHIN_SECONDS
    assert in_letta < WITHIN_SECONDS
    visit.page.close()


def _an_admin_edits_the_model(place: WebPlace, visit: Any, rita: Person) -> None:
    before = place.head("courses")
    visit.open_model_editor(place.model_row()["id"])
    visit.screenshot(PICTURES / "admin-opens-model.png")
    visit.save_model("You read drafts aloud, slowly.", "Sound calmer")
    visit.screenshot(PICTURES / "admin-saved-model.png")
    took = until(lambda: place.head("courses") != before, "no commit came", 30)

    agent = place.agent_row(place.ada)["id"]
    prompted = took + until(lambda: "aloud, slowly." in place.system.prompt(agent), "the agent never had it", 30)
    print(f"a saved model was on main after {took:.1f} s, in the agent's prompt after {prompted:.1f} s")
    assert place.log("courses", "%an|%ae|%s", f"{before}..main") == [f"rita|{rita.email}|Sound calmer"]
    changed = place.git("courses", "diff", "--unified=0", before, "main").splitlines()
    added = [line for line in changed if line[0] == "+" and not line.startswith("+++")]
    assert added == ['+system = "You read drafts aloud, slowly."']
    visit.page.close()
