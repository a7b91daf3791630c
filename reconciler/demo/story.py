"""The story, chapter by chapter: each does something, shows it, and checks the state of the world it speaks of."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.outcome import CHANGES, IN_SYNC, NEEDS_A_PERSON
from reconciler.demo.shell import Shell, check, heading, prose
from reconciler.demo.stage import Agent, agent_of, client
from reconciler.embedded.host import LETTA, embedded
from reconciler.ports import Person

ANN = Person("Ann Author", "ann@school.example")
TESS = Person("Tess Teacher", "tess@school.example")

COURSE = "intro-statistics"
PLAN = f"blocks/{COURSE}/plan.toml"
TOOL = "memory_replace"
APPLY = "reconciler --once --apply"


@dataclass(frozen=True)
class Scene:
    """A workspace in sync, with Ada's agent in reach."""

    shell: Shell
    ada: Agent

    def in_git(self) -> str:
        """Ada's plan as the work tree of her repository has it."""
        return (self.shell.folder / "users" / "ada" / PLAN).read_text()

    def main(self) -> str:
        """The newest commit of Ada's repository."""
        return (self.shell.folder / "users/ada/.git/refs/heads/main").read_text()

    def both_hold(self, line: str) -> None:
        check(line in self.in_git().splitlines(), f"git holds {line}")
        check(line in self.ada.block("plan").splitlines(), f"Letta holds {line}")

    def agent_writes(self, old: str, new: str) -> None:
        """A turn in which Ada's agent rewrites a line of her plan."""
        call = f'call: {TOOL}(label="plan", old_string={_quoted(old)}, new_string={_quoted(new)})'
        print(f"\n  > POST /v1/agents/{self.ada.id}/messages\n    {call}")
        returned = self.ada.says(call)
        print(f"  < {returned.get('name')}: {returned.get('status')}")
        check(returned.get("status") == "success", "the memory tool succeeded")
        check(new in self.ada.block("plan").splitlines(), f"Letta holds {new}")


def tell(folder: Path, courses: Path) -> None:
    """All of it, in the order of a first day."""
    shell = Shell(folder)
    _make_workspace(shell, courses)
    with embedded(LETTA, folder / "embedded") as letta, client(letta) as http:
        _plan_and_apply(shell)
        scene = Scene(shell, agent_of(http, "ada", COURSE))
        _author_changes_course(scene)
        _agent_learns(scene)
        _teacher_edits(scene)
        _both_edit(scene)
        _log(scene)
    _look_around(folder)


def _make_workspace(shell: Shell, courses: Path) -> None:
    heading("1. A workspace")
    prose("""A workspace is a folder: courses in one git repository, and one repository per learner. It starts with the
        three example courses of this project and three learners. No Letta is configured, so a small stand-in that
        speaks Letta's HTTP API serves on this machine; its data is in embedded/.""")
    print(f"\n  $ cd {os.path.relpath(shell.folder)}")
    shell.run("reconciler init .")
    prose("The courses are copied into it, checked, and committed; each learner gets a repository of their own.")
    for course in sorted(path for path in courses.iterdir() if path.is_dir()):
        shutil.copytree(course, shell.folder / "courses" / course.name)
    shell.run("reconciler validate")
    shell.run("git -C courses add .")
    shell.run('git -C courses commit -qm "Three courses to begin with"', by=ANN)
    shell.run(f'reconciler users add ada --course {COURSE} --name "Ada Okafor"')
    shell.run(f'reconciler users add ben --course {COURSE} --course word-of-the-day --name "Ben Sato"')
    shell.run('reconciler users add eve --course word-of-the-day --name "Eve Lind"')


def _plan_and_apply(shell: Shell) -> None:
    heading("2. The plan, and carrying it out")
    prose("""--once compares git with Letta and prints what it would do, without changing anything anywhere. Exit code 2
        says that there is something to do.""")
    planned = shell.run("reconciler --once", code=CHANGES, most=24)
    check(planned.count("+ create agent/") == 4, "four agents are planned")
    prose("With --apply it does it: blocks first, then the agents that hold them. Then it reads all of it back.")
    shell.run(APPLY, code=IN_SYNC, most=6)
    prose("""A second look finds nothing to do. The warning names tools that the course asks for and this server does
        not have: the agents go without them, and no exit code changes for it.""")
    _in_sync(shell)


def _author_changes_course(scene: Scene) -> None:
    heading("3. An author changes a course")
    prose("""The tutors of statistics have no tool to write to their memory with. Ann gives them one of Letta's own, in
        the course's file, and commits.""")
    scene.shell.edit(f"courses/{COURSE}/course.toml", '    "edit_memory_block",', f'    "edit_memory_block", "{TOOL}",')
    scene.shell.run('git -C courses commit -qam "Let the statistics tutors rewrite lines of their memory"', by=ANN)
    scene.shell.run(APPLY, code=IN_SYNC)
    prose("The agents that were there already have it now; none was made again.")
    check(TOOL in scene.ada.tools(), "Ada's agent has the tool, and is the same agent")


def _agent_learns(scene: Scene) -> None:
    heading("4. An agent learns something, and git knows who wrote it")
    prose("""Ada talks with her tutor, and in that turn her agent writes to its memory. (The stand-in has no model to
        think with, so the message spells out the tool call that a model would choose. Against a real Letta this is a
        chat.)""")
    scene.agent_writes("mastered = []", 'mastered = ["median"]')
    scene.shell.run("reconciler --once", code=CHANGES)
    scene.shell.run(APPLY, code=IN_SYNC)
    prose("The edit is a commit on Ada's main. Its author is the agent, and it changes that one line.")
    shown = scene.shell.run("git -C users/ada log -1 -p")
    check(f"Author: {scene.ada.name} <" in shown and "Attribution: known" in shown, "the agent is the author")
    scene.both_hold('mastered = ["median"]')


def _teacher_edits(scene: Scene) -> None:
    heading("5. A teacher edits in git, and the agent knows it")
    prose("Tess edits Ada's plan in the file, and commits with stock git.")
    scene.shell.edit(f"users/ada/{PLAN}", "wants_proofs = false", "wants_proofs = true")
    scene.shell.run('git -C users/ada commit -qam "Ada asked for derivations"', by=TESS)
    prose("""letta/main is what Letta was last seen to hold, in the same layout as main. So stock git shows the
        drift:""")
    drift = scene.shell.run("git -C users/ada diff -U0 letta/main main")
    check("+wants_proofs = true" in drift, "git shows the drift")
    scene.shell.run(APPLY, code=IN_SYNC)
    print(f"\n  > GET /v1/agents/{scene.ada.id}/core-memory/blocks/plan")
    print("\n".join(f"    {line}" for line in scene.ada.block("plan").splitlines() if line.startswith("wants_proofs")))
    scene.both_hold("wants_proofs = true")
    prose("The agent has it, and the drift is gone:")
    check(scene.shell.run("git -C users/ada diff letta/main main") == "", "the drift is gone")


def _both_edit(scene: Scene) -> None:
    heading("6. Both sides change the same thing")
    prose("""Between two passes the agent finds that Ada is working, and adds an idea she mastered; Tess notes that Ada
        paused, and adds another idea.""")
    scene.agent_writes('status = "new"', 'status = "working"')
    scene.agent_writes('mastered = ["median"]', 'mastered = ["median", "spread"]')
    scene.shell.edit(f"users/ada/{PLAN}", 'status = "new"', 'status = "paused"')
    scene.shell.edit(f"users/ada/{PLAN}", 'mastered = ["median"]', 'mastered = ["median", "outliers"]')
    scene.shell.run('git -C users/ada commit -qam "Ada is away until Monday"', by=TESS)
    prose("""Lists merge item by item, so both ideas are kept. Of the two values of `status` only a person can choose:
        each side keeps its own, the question becomes a pending diff in git, and the exit code is 3.""")
    scene.shell.run(APPLY, code=NEEDS_A_PERSON)
    scene.both_hold('mastered = ["median", "outliers", "spread"]')
    check('status = "paused"' in scene.in_git() and 'status = "working"' in scene.ada.block("plan"), "both are kept")
    listed = scene.shell.run("reconciler diffs list")
    key = _first_id(listed)
    scene.shell.run(f"reconciler diffs show {key}")
    prose("Tess looks, and takes the agent's word for it. Her decision is a commit in her name.")
    scene.shell.run(f"reconciler diffs approve {key}", by=TESS)
    scene.shell.run(APPLY, code=IN_SYNC)
    scene.both_hold('status = "working"')
    _in_sync(scene.shell)


def _log(scene: Scene) -> None:
    heading("7. The whole story, in git")
    log = scene.shell.run("git -C users/ada log --reverse --format='%h  %an: %s'")
    for author in (TESS.name, scene.ada.name, "reconciler"):
        check(f"  {author}: " in log, f"{author} is in the log")
    prose("And who taught the agent each line:")
    blamed = scene.shell.run(f"reconciler blame block/{COURSE}/plan --user ada")
    check(scene.ada.name in blamed and TESS.name in blamed, "both are in the blame")


def _look_around(folder: Path) -> None:
    heading("Where to look next")
    print(f"""
  The workspace is yours to look at, until the demo runs again:

    cd {folder}
    git -C users/ada log --stat             every change, its author, and trailers that say how it is known
    git -C users/ada log -p letta/main      the history of the live side
    cat users/ada/pending_diffs/*.json      the question that was asked, and how it was answered

  With the virtual environment's programs on the PATH (. .venv/bin/activate, in the project's folder):

    reconciler explain block/{COURSE}/plan --user ada
    reconciler --help
    reconciler                              the loop; Ctrl-C ends it

  README.md says how to point a workspace at a Letta of your own.""")


def _in_sync(shell: Shell) -> None:
    before = _refs(shell.folder)
    shown = shell.run("reconciler --once", code=IN_SYNC)
    check("In sync: git and live agree" in shown, "all is in sync")
    check(_refs(shell.folder) == before, "a plan moves no ref")


def _refs(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.glob("**/.git/refs/**/*") if path.is_file()}


def _first_id(listed: str) -> str:
    found = re.search(r"^([0-9a-f]{10})\s+pending\s", listed, re.MULTILINE)
    check(found is not None, "one diff waits for a person")
    assert found is not None
    return found[1]


def _quoted(line: str) -> str:
    return '"' + line.replace('"', '\\"') + '"'
