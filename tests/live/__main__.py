"""Everything at once, for people: the real Letta, the real Open WebUI, a workspace, three accounts, and the loop.

`make live` runs it. It stays until Ctrl-C; then the servers end, and the workspace stays in `.run/live` to look at.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.live.openwebui import BASE_MODEL, OpenWebUIServer
from tests.live.openwebui_api import PASSWORD
from tests.live.openwebui_home import ADMIN_EMAIL
from tests.live.server import LettaServer
from tests.live.steps import InstallError, say

ROOT = Path(__file__).parents[2]
PROGRAM = str(Path(sys.executable).with_name("reconciler"))
FOLDER = ROOT / ".run" / "live"
COURSE = "intro-statistics"
PEOPLE = ("Ada Okafor", "Ben Sato", "Eve Lind")


def main() -> int:
    """Start everything, say where it is, and run the loop in the foreground."""
    try:
        with LettaServer() as letta, OpenWebUIServer() as webui:
            accounts = [f"{name.split()[0].lower()}@example.org" for name in PEOPLE]
            for name, email in zip(PEOPLE, accounts, strict=True):
                webui.add_user(name, email)
            workspace(letta.url, webui.url)
            say(f"Letta       {letta.url}")
            say(f"Open WebUI  {webui.url}")
            say(f"  admin     {ADMIN_EMAIL} / {PASSWORD}")
            for email in accounts:
                say(f"  learner   {email} / {PASSWORD}")
            say(f"workspace   {FOLDER}")
            say("edit a note or a model in the browser, and watch: git -C <workspace>/users/<id> log -p")
            loop(webui.admin_key)
    except InstallError as error:
        say(str(error))
        return 1
    return 0


def workspace(letta: str, webui: str) -> None:
    """A fresh workspace with one of our courses, pointed at both servers."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    reconciler("init", str(FOLDER))
    shutil.copytree(ROOT / "courses" / COURSE, FOLDER / "courses" / COURSE)
    course = FOLDER / "courses" / COURSE / "course.toml"
    course.write_text(course.read_text().replace('"edit_memory_block",', '"edit_memory_block", "memory_replace",', 1))
    git("add", ".")
    git("commit", "-qm", "A course to begin with")
    (FOLDER / "reconciler.toml").write_text(
        f'[letta]\nurl = "{letta}"\n\n'
        f'[openwebui]\nurl = "{webui}"\nbase_model = "{BASE_MODEL}"\ndefault_courses = ["{COURSE}"]\n'
    )


def reconciler(*arguments: str) -> None:
    subprocess.run([PROGRAM, *arguments], check=True, cwd=ROOT)


def git(*arguments: str) -> None:
    who = ["-c", "user.name=Ann Author", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", "-C", str(FOLDER / "courses"), *who, *arguments], check=True)


def loop(key: str) -> None:
    """The loop, until Ctrl-C."""
    environ = {**os.environ, "RECONCILER_OPENWEBUI__TOKEN": key, "RECONCILER_WORKSPACE": str(FOLDER)}
    process = subprocess.Popen([PROGRAM], env=environ, cwd=ROOT)
    try:
        process.wait()
    except KeyboardInterrupt:
        process.wait(timeout=60)


if __name__ == "__main__":
    sys.exit(main())
