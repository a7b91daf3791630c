"""The README is true: its commands print what it shows, and the first of them, ``make run``, tells its story."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from reconciler import cli, settings
from reconciler.demo.shell import forget_environment
from reconciler.demo.stage import OURS, clear
from reconciler.embedded.letta.server import serve
from reconciler.errors import Terminal
from tests.acceptance.transcript import PROJECT, commands, masked, run_demo
from tests.acceptance.transcript import Terminal as Console

README = (PROJECT / "README.md").read_text()
SETTINGS = re.search(r"^```toml\n(\[letta\].*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_make_run_tells_its_story_and_every_command_of_the_readme_prints_what_it_shows(tmp_path: Path) -> None:
    console = Console(tmp_path)
    demo = run_demo(console.cwd / ".run" / "workspace")
    assert demo.returncode == 0, demo.stdout[-3000:] + demo.stderr
    assert demo.stderr == ""
    assert "create model/intro-statistics  courses  → openwebui" in demo.stdout
    assert "create agent/intro-statistics  user/ada  → letta" in demo.stdout
    assert "Where to look next" in demo.stdout

    listed = list(commands(README))
    assert len(listed) > 15
    for each in listed:
        assert masked(console.run(each.words)) == masked(each.shown), each.words


def test_make_run_runs_the_demo_and_every_target_named_is_there() -> None:
    dry = subprocess.run(
        ["make", "-n", "-o", ".venv/.ready", "run"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert "-m reconciler.demo" in dry.stdout

    targets = set(re.findall(r"^([a-z-]+):.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE)) <= targets


def test_the_settings_shown_point_a_workspace_at_a_letta_with_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SETTINGS is not None
    for name in [name for name in os.environ if name.startswith("RECONCILER_")]:
        monkeypatch.delenv(name)
    workspace = tmp_path / "workspace"
    assert cli.run(["init", str(workspace)]) == 0
    with serve(password="a token of theirs") as letta:
        shown = tomllib.loads(SETTINGS[1])["letta"]["url"]
        (workspace / settings.FILE).write_text(SETTINGS[1].replace(shown, letta.url))
        capsys.readouterr()
        assert cli.run(["-w", str(workspace), "--once"]) == 1, "without the token"
        monkeypatch.setenv("RECONCILER_LETTA__TOKEN", "a token of theirs")
        assert cli.run(["-w", str(workspace), "--once"]) == 0
    assert "In sync" in capsys.readouterr().out
    assert not (workspace / "embedded").exists()


def test_the_demo_removes_no_folder_but_its_own(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "reconciler.toml").write_text("# mine\n")
    with pytest.raises(Terminal, match="was not made by the demo"):
        clear(theirs)
    assert (theirs / "reconciler.toml").read_text() == "# mine\n"

    link = tmp_path / "link"
    link.symlink_to(theirs)
    with pytest.raises(Terminal, match="was not made by the demo"):
        clear(link)

    own = tmp_path / "own"
    clear(own)
    (own / "left.txt").write_text("from an earlier demo")
    clear(own)
    assert [path.name for path in own.iterdir()] == ["reconciler.toml"]
    (own / "reconciler.toml").write_text((own / "reconciler.toml").read_text().removeprefix(OURS))
    with pytest.raises(Terminal):
        clear(own)


def test_the_demo_forgets_settings_that_would_lead_it_to_another_letta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"RECONCILER_LETTA__URL": "http://theirs", "GIT_DIR": "/theirs", "PATH": "/bin"})
    forget_environment()
    assert os.environ["PATH"] == "/bin"
    assert not {"RECONCILER_LETTA__URL", "GIT_DIR"} & set(os.environ)
