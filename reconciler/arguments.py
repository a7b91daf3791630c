"""Options that many commands share, and what the root gathered of them: they may stand before or after a subcommand."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """How results are printed."""

    text = "text"
    json = "json"


class Side(StrEnum):
    """Whose value to take."""

    git = "git"
    letta = "letta"
    openwebui = "openwebui"


Workspace = Annotated[
    Path | None,
    typer.Option("-w", "--workspace", envvar="RECONCILER_WORKSPACE", help="The workspace. Default: this folder."),
]
Format = Annotated[Output | None, typer.Option("-o", "--output", help="How to print: text or json.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error came from.")]
User = Annotated[str | None, typer.Option("--user", help="The learner whose it is. Default: the courses.")]
Ref = Annotated[str, typer.Argument(help="kind/path, for example block/college-essay/student.")]
DiffId = Annotated[str, typer.Argument(metavar="ID", help="The id of the diff, or its beginning.")]
SettleTimeout = Annotated[float, typer.Option(help="Seconds to wait for writes to be believed.", min=0, max=3600)]


class Common:
    """Options that stand before or after the subcommand alike."""

    workspace: Path | None = None
    output: Output = Output.text
    debug: bool = "RECONCILER_DEBUG" in os.environ

    def take(self, workspace: Path | None = None, output: Output | None = None, debug: bool = False) -> None:
        self.workspace = workspace or self.workspace
        self.output = output or self.output
        self.debug = debug or self.debug

    @property
    def folder(self) -> Path:
        return (self.workspace or Path()).absolute()


def taken(
    context: typer.Context, workspace: Path | None = None, output: Output | None = None, debug: bool = False
) -> Common:
    common = context.ensure_object(Common)
    common.take(workspace, output, debug)
    return common
