"""The story from its beginning to its end: each chapter does something, shows it, and checks the state of the world."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import httpx

from reconciler.core.outcome import CHANGES, IN_SYNC
from reconciler.demo.edits import admin_edits_model, agent_learns, both_edit, student_edits_note, teacher_edits
from reconciler.demo.scene import ADA, ANN, APPLY, BEN, TESS, TOOL, Scene, in_sync
from reconciler.demo.shell import Shell, check, heading, prose, shown
from reconciler.demo.stage import COURSE, agent_of, client
from reconciler.demo.webui import Account, sign_up
from reconciler.embedded.host import LETTA, OPEN_WEBUI, embedded
from reconciler.settings import FILE

THEIR_TOOLS = """\
    "query_honcho:first",                                           # look back before answering
    "edit_memory_block",
    { name = "advance_lesson", rule = "continue", max_count = 1 },  # one step forward in a turn"""
OUR_TOOLS = f"""\
    "{TOOL}",
    {{ name = "query_honcho", rule = "first", enabled = false }},
    {{ name = "advance_lesson", rule = "continue", enabled = false }},"""


def tell(folder: Path, courses: Path) -> None:
    """All of it, in the order of a first day."""
    shell, data = Shell(folder), folder / "embedded"
    _make_workspace(shell, courses)
    with (
        embedded(LETTA, data) as letta,
        embedded(OPEN_WEBUI, data) as openwebui,
        client(letta) as http,
        client(openwebui) as web,
    ):
        ada, ann = _accounts(web)
        _plan_and_apply(shell)
        scene = Scene(shell, agent_of(http, "ada", COURSE), ada, ann)
        for chapter in (student_edits_note, admin_edits_model, agent_learns, teacher_edits, both_edit, _log):
            chapter(scene)
    _look_around(folder)


def _make_workspace(shell: Shell, courses: Path) -> None:
    heading("1. A workspace")
    prose("""A workspace is a folder: courses in one git repository, and one repository per learner. Neither Letta nor
        Open WebUI is installed here, so stand-ins that speak their HTTP APIs serve on this machine, as its settings
        ask; their data is in embedded/.""")
    print(f"\n  $ cd {os.path.relpath(shell.folder)}")
    shown(FILE, (shell.folder / FILE).read_text().splitlines()[2:])
    shell.run("reconciler init .")
    prose("""One of the example courses is copied into it. Three of its tools are a school's own, and this Letta has
        none of them: Ann takes one of Letta's to edit memory with, and switches the other two off for now.""")
    shutil.copytree(courses / COURSE, shell.folder / "courses" / COURSE)
    shell.edit(f"courses/{COURSE}/course.toml", THEIR_TOOLS, OUR_TOOLS)
    shell.run("reconciler validate")
    shell.run("git -C courses add .")
    shell.run('git -C courses commit -qm "A course to begin with"', by=ANN)
    for who in (ADA, BEN):
        user = who.name.split()[0].lower()
        shell.run(f'reconciler users add {user} --course {COURSE} --name "{who.name}" --email {who.email}')


def _accounts(web: httpx.Client) -> tuple[Account, Account]:
    prose("In Open WebUI both learners have an account with the same address, and Ann is an admin.")
    accounts = [sign_up(web, who, role) for who, role in ((ADA, "user"), (BEN, "user"), (ANN, "admin"))]
    rows = [f"{each.person.name:12}{each.person.email:22}{each.role}" for each in accounts]
    shown("Open WebUI, its accounts", rows)
    return accounts[0], accounts[2]


def _plan_and_apply(shell: Shell) -> None:
    heading("2. The plan, and carrying it out")
    prose("""--once compares git with both systems, and prints what it would do without changing anything anywhere. A
        course is a model in Open WebUI, and in Letta an agent for each learner. A block is a piece of that agent's
        memory, and a note for the learner. The plan has all their fields; `grep →` leaves the things alone.""")
    planned = shell.run("reconciler --once | grep →", code=CHANGES, most=18)
    check(planned.count("+ create agent/") == 2, "two agents are planned")
    check(planned.count("+ create model/") == 2, "two models are planned")
    prose("--apply does it, and reads all of it back. A second look finds nothing to do.")
    shell.run(f"{APPLY} | tail -n 1", code=IN_SYNC)
    in_sync(shell)


def _log(scene: Scene) -> None:
    heading("8. The whole story, in git")
    scene.shell.run("git -C courses log --reverse --format='%h  %an: %s'")
    log = scene.shell.run("git -C users/ada log --reverse --format='%h  %an: %s'")
    for author in (ADA.name, TESS.name, scene.agent.name, "reconciler"):
        check(f"  {author}: " in log, f"{author} is in the log")
    prose("And of Ada's plan, who wrote each line that is not as it was in the beginning:")
    blamed = scene.shell.run(f"reconciler blame block/{COURSE}/plan --user ada | grep -v reconciler")
    check(scene.agent.name in blamed and TESS.name in blamed, "both are in the blame")


def _look_around(folder: Path) -> None:
    heading("Where to look next")
    print(f"""
  The workspace is yours to look at, until the demo runs again:

    cd {folder}
    git -C users/ada log --stat             every change, its author, and trailers that say how it is known
    git -C users/ada log -p letta/main      the history of what Letta held; openwebui/main of what Open WebUI did
    cat users/ada/pending_diffs/*.json      the question that was asked, and how it was answered

  With the virtual environment's programs on the PATH (. .venv/bin/activate, in the project's folder):

    reconciler explain block/{COURSE}/plan --user ada
    reconciler --help
    reconciler                              the loop; Ctrl-C ends it

  README.md says how to point a workspace at a Letta of your own, docs/open-webui.md how at an Open WebUI.""")
