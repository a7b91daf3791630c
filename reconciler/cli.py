"""The command line: arguments become calls, failures one clear sentence and an exit code.

Exit: 0 in sync (or done), 1 error, 2 changes to make, 3 needs a person. Everything a command needs is imported when it
runs, so that help and completion are instant.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.errors import ReconcilerError, Terminal

ERROR = 1


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
SettleTimeout = Annotated[float, typer.Option(help="Seconds to wait for writes to be believed.", min=0, max=3600)]

app = typer.Typer(
    name="reconciler",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
users = typer.Typer(help="Learners: add, list.", rich_markup_mode=None, no_args_is_help=True)
diffs = typer.Typer(
    help="What waits for a person: list, show, approve, reject.", rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(users, name="users")
app.add_typer(diffs, name="diffs")


class _Common:
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


@app.callback(invoke_without_command=True)
def reconcile(  # noqa: PLR0913  (each is a flag of its own)
    context: typer.Context,
    workspace: Workspace = None,
    output: Format = None,
    once: Annotated[bool, typer.Option("--once", help="One pass: print the plan, change nothing.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="With --once: carry it out.")] = False,
    plan_out: Annotated[
        Path | None, typer.Option(help="With --once: save the plan for `apply`.", dir_okay=False)
    ] = None,
    settle_timeout: SettleTimeout = 30.0,
    recreate: Annotated[
        bool, typer.Option("--recreate", help="After a halt: make again from git what is gone.")
    ] = False,
    accept_loss: Annotated[bool, typer.Option("--accept-loss", help="After a halt: take the loss into git.")] = False,
    accept_rewind: Annotated[
        bool, typer.Option("--accept-rewind", help="After a halt: main did go backwards.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete agents of learners who left a course.")] = False,
    debug: Debug = False,
) -> int:
    """Keep git and Letta in agreement, in both directions.

    Without options: the loop. With --once: the plan, and an exit code: 0 in sync, 1 error, 2 changes to make, 3
    something needs a person.
    """
    common = context.ensure_object(_Common)
    common.take(workspace, output, debug)
    if context.invoked_subcommand is not None:
        return 0
    ways = {"recreate": recreate, "accept_loss": accept_loss, "accept_rewind": accept_rewind, "prune": prune}
    if once:
        return _once(common, ways, apply, settle_timeout, plan_out)
    if apply or plan_out or any(ways.values()) or common.output is Output.json:
        raise Terminal("--apply, --plan-out, -o json and the ways on after a halt are for one pass: add --once")
    from reconciler.commands.loop import run_loop

    return run_loop(common.folder)


def _once(common: _Common, ways: dict[str, bool], apply: bool, settle_seconds: float, plan_out: Path | None) -> int:
    from reconciler.commands.passes import Asked, apply_now, show_plan
    from reconciler.policy import Ways

    if apply and plan_out:
        raise Terminal("--plan-out saves a plan without applying it: leave --apply out, then `reconciler apply FILE`")
    asked = Asked(common.folder, common.output.value, Ways(**ways), settle_seconds, plan_out)
    return apply_now(asked) if apply else show_plan(asked)


@app.command("apply")
def apply_saved(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What --plan-out saved.", dir_okay=False)],
    settle_timeout: SettleTimeout = 30.0,
    workspace: Workspace = None,
    output: Format = None,
    debug: Debug = False,
) -> int:
    """Carry out a saved plan, or refuse (exit 3) where what it saw has moved."""
    from reconciler.commands.passes import Asked, apply_saved

    common = _taken(context, workspace, output, debug)
    return apply_saved(Asked(common.folder, common.output.value, settle_seconds=settle_timeout), file)


@app.command()
def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", file_okay=False)],
    debug: Debug = False,
) -> int:
    """Make a workspace, or what is missing of one."""
    from reconciler.commands.users import init

    _taken(context, debug=debug)
    return init(folder.absolute())


@app.command()
def validate(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Courses. Default: the workspace's.")
    ] = None,
    workspace: Workspace = None,
    output: Format = None,
    debug: Debug = False,
) -> int:
    """Check course files as they are on disk: every problem with file, line, key and what was expected."""
    from reconciler.commands.courses import validate

    common = _taken(context, workspace, output, debug)
    return validate(paths or [common.folder / "courses"], common.output)


@app.command()
def schema() -> int:
    """Print the JSON Schema of course files."""
    from reconciler.manifest.schema import json_schema
    from reconciler.terminal import show_json

    show_json(json_schema())
    return 0


@app.command()
def migrate(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A course file, or a course's folder.", exists=True)],
    write: Annotated[bool, typer.Option("--write", help="Rewrite the files in place.")] = False,
    debug: Debug = False,
) -> int:
    """Rewrite version 1 course files as version 2, comments kept."""
    from reconciler.commands.courses import migrate

    _taken(context, debug=debug)
    return migrate(path, write)


@users.command("add")
def users_add(  # noqa: PLR0913
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="ID", help="Letters, digits and . _ - @ +.")],
    course: Annotated[list[str], typer.Option(help="A course to enrol in; may be repeated.")],
    name: Annotated[str, typer.Option(help="The learner's name.")] = "",
    email: Annotated[str, typer.Option(help="The learner's address.")] = "",
    workspace: Workspace = None,
    debug: Debug = False,
) -> int:
    """Add a learner: a repository of their own, with the blocks of their courses."""
    from reconciler.commands.users import add
    from reconciler.manifest.user import User

    common = _taken(context, workspace, debug=debug)
    return add(common.folder, User(user, name, email, None, tuple(dict.fromkeys(course))))


@users.command("list")
def users_list(context: typer.Context, workspace: Workspace = None, output: Format = None, debug: Debug = False) -> int:
    """List every learner and their courses."""
    from reconciler.commands.users import list_all

    common = _taken(context, workspace, output, debug)
    return list_all(common.folder, common.output)


@app.command()
def status(context: typer.Context, workspace: Workspace = None, output: Format = None, debug: Debug = False) -> int:
    """Show at a glance: the workspace, the loop, what waits for a person."""
    from reconciler.commands.state import status

    common = _taken(context, workspace, output, debug)
    return status(common.folder, common.output)


@app.command()
def doctor(context: typer.Context, workspace: Workspace = None, output: Format = None, debug: Debug = False) -> int:
    """Try everything a pass needs, and say what does not work."""
    from reconciler.commands.state import doctor

    common = _taken(context, workspace, output, debug)
    return doctor(common.folder, common.output)


def _taken(
    context: typer.Context, workspace: Path | None = None, output: Output | None = None, debug: bool = False
) -> _Common:
    common = context.ensure_object(_Common)
    common.take(workspace, output, debug)
    return common


def main() -> None:
    """The entry point of the installed program."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One command; its exit code. A wrong argument is an error (1): 2 already means something."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    common = _Common()
    try:
        return int(app(arguments, standalone_mode=False, prog_name="reconciler", obj=common) or 0)
    except BrokenPipeError:
        # Whoever read our output has left, for example `head`; Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    except KeyboardInterrupt:
        return _failed("interrupted; what was under way is finished by the next pass", common.debug)
    except ReconcilerError as error:
        return _failed(str(error), common.debug)
    except Exception as error:
        return _failed(_told(error, common.debug), common.debug)


def _told(error: Exception, debug: bool) -> str:
    """A wrong argument in the parser's own words; anything else that arrives here is a bug."""
    format_message: Callable[[], Any] | None = getattr(error, "format_message", None)
    if format_message is not None:
        return f"{format_message()} `reconciler --help` shows what there is."
    hint = "" if debug else "; run it with --debug and report what it prints"
    return f"internal error: {type(error).__name__}: {error}{hint}"


def _failed(message: str, debug: bool) -> int:
    from reconciler.terminal import complain

    if debug:
        traceback.print_exc()
    complain(message)
    return ERROR
