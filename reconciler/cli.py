"""The command line: arguments become calls, failures one clear sentence and an exit code.

Exit: 0 in sync (or done), 1 error, 2 changes to make, 3 needs a person. Everything a command needs is imported when it
runs, so that help and completion are instant.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.arguments import Common, Debug, Format, Output, SettleTimeout, Workspace, taken
from reconciler.core.outcome import NEEDS_A_PERSON
from reconciler.errors import MovedOn, ReconcilerError, Terminal
from reconciler.subcommands import app

ERROR = 1


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
    common = context.ensure_object(Common)
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


def _once(common: Common, ways: dict[str, bool], apply: bool, settle_seconds: float, plan_out: Path | None) -> int:
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

    common = taken(context, workspace, output, debug)
    return apply_saved(Asked(common.folder, common.output.value, settle_seconds=settle_timeout), file)


def main() -> None:
    """The entry point of the installed program."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One command; its exit code. A wrong argument is an error (1): 2 already means something."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    common = Common()
    try:
        return int(app(arguments, standalone_mode=False, prog_name="reconciler", obj=common) or 0)
    except BrokenPipeError:
        # Whoever read our output has left, for example `head`; Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    except KeyboardInterrupt:
        return _failed("interrupted; what was under way is finished by the next pass", common.debug)
    except MovedOn as error:
        _failed(str(error), common.debug)
        return NEEDS_A_PERSON
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
