"""The subcommands: what each takes and what it says of itself. What it does is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.arguments import Debug, DiffId, Format, Ref, Side, User, Workspace, taken

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
threads = typer.Typer(
    help="Chats and background runs on record: list, register.", rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(users, name="users")
app.add_typer(diffs, name="diffs")
app.add_typer(threads, name="threads")


@app.command()
def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", file_okay=False)],
    debug: Debug = False,
) -> int:
    """Make a workspace, or what is missing of one."""
    from reconciler.commands.users import init

    taken(context, debug=debug)
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

    common = taken(context, workspace, output, debug)
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

    taken(context, debug=debug)
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

    common = taken(context, workspace, debug=debug)
    return add(common.folder, User(user, name, email, None, tuple(dict.fromkeys(course))))


@users.command("list")
def users_list(context: typer.Context, workspace: Workspace = None, output: Format = None, debug: Debug = False) -> int:
    """List every learner and their courses."""
    from reconciler.commands.users import list_all

    common = taken(context, workspace, output, debug)
    return list_all(common.folder, common.output)


@app.command()
def history(
    context: typer.Context,
    ref: Ref,
    user: User = None,
    workspace: Workspace = None,
    output: Format = None,
    debug: Debug = False,
) -> int:
    """Show every commit that changed a resource, and who is behind it."""
    from reconciler.commands.past import show_history

    common = taken(context, workspace, output, debug)
    return show_history(common.folder, ref, user, common.output)


@app.command()
def blame(
    context: typer.Context,
    ref: Ref,
    user: User = None,
    workspace: Workspace = None,
    output: Format = None,
    debug: Debug = False,
) -> int:
    """Show who wrote each line of a resource."""
    from reconciler.commands.past import show_blame

    common = taken(context, workspace, output, debug)
    return show_blame(common.folder, ref, user, common.output)


@app.command()
def explain(
    context: typer.Context,
    ref: Ref,
    user: User = None,
    workspace: Workspace = None,
    output: Format = None,
    debug: Debug = False,
) -> int:
    """Show of every field what git and Letta hold, what both last agreed on, and what the next pass does."""
    from reconciler.commands.explain import explain

    common = taken(context, workspace, output, debug)
    return explain(common.folder, ref, user, common.output)


@diffs.command("list")
def diffs_list(
    context: typer.Context,
    with_closed: Annotated[bool, typer.Option("--all", help="The decided ones too.")] = False,
    workspace: Workspace = None,
    output: Format = None,
    debug: Debug = False,
) -> int:
    """List what waits for a person."""
    from reconciler.commands.diffs import list_diffs

    common = taken(context, workspace, output, debug)
    return list_diffs(common.folder, with_closed, common.output)


@diffs.command("show")
def diffs_show(
    context: typer.Context, key: DiffId, workspace: Workspace = None, output: Format = None, debug: Debug = False
) -> int:
    """Show one diff with every side's value."""
    from reconciler.commands.diffs import show_diff

    common = taken(context, workspace, output, debug)
    return show_diff(common.folder, key, common.output)


@diffs.command("approve")
def diffs_approve(
    context: typer.Context,
    key: DiffId,
    take: Annotated[Side | None, typer.Option(help="Whose value, where several live ones stand.")] = None,
    workspace: Workspace = None,
    debug: Debug = False,
) -> int:
    """Take the live value into git, in your name."""
    from reconciler.commands.diffs import decide

    return decide(taken(context, workspace, debug=debug).folder, key, "approved", take.value if take else None)


@diffs.command("reject")
def diffs_reject(context: typer.Context, key: DiffId, workspace: Workspace = None, debug: Debug = False) -> int:
    """Keep git's value, in your name; the live one is overwritten by the next pass."""
    from reconciler.commands.diffs import decide

    return decide(taken(context, workspace, debug=debug).folder, key, "rejected", None)


@threads.command("list")
def threads_list(
    context: typer.Context, user: User = None, workspace: Workspace = None, output: Format = None, debug: Debug = False
) -> int:
    """List the threads on record by agent, newest first."""
    from reconciler.commands.threads import list_threads

    common = taken(context, workspace, output, debug)
    return list_threads(common.folder, user, common.output)


@threads.command("register")
def threads_register(
    context: typer.Context,
    user: Annotated[str, typer.Option(metavar="ID", help="Whose thread it is.")],
    agent: Annotated[str, typer.Option(metavar="NAME", help="The agent, or the course.")],
    chat: Annotated[str, typer.Option(metavar="ID", help="The id Open WebUI gave it.")],
    workspace: Workspace = None,
    debug: Debug = False,
) -> int:
    """Put a thread on record that no look would find, in your name."""
    from reconciler.commands.threads import register

    return register(taken(context, workspace, debug=debug).folder, user, agent, chat)


@app.command()
def simulate(
    seed: Annotated[int, typer.Option(help="The first history: the same seed is the same history.", min=0)],
    steps: Annotated[int, typer.Option(help="How much happens in each.", min=1, max=100_000)] = 36,
    seeds: Annotated[int, typer.Option(help="How many histories.", min=1)] = 1,
    replicas: Annotated[
        int | None, typer.Option(help="2: git and Letta. 3: Open WebUI too. Else every second one.", min=2, max=3)
    ] = None,
) -> int:
    """Live through made-up histories with crashes and races, and check that no promise is broken."""
    from reconciler.simulation.run import main

    return 1 if main(seed, steps, seeds, replicas=replicas) else 0


@app.command()
def status(context: typer.Context, workspace: Workspace = None, output: Format = None, debug: Debug = False) -> int:
    """Show at a glance: the workspace, the loop, what waits for a person."""
    from reconciler.commands.state import status

    common = taken(context, workspace, output, debug)
    return status(common.folder, common.output)


@app.command()
def doctor(context: typer.Context, workspace: Workspace = None, output: Format = None, debug: Debug = False) -> int:
    """Try everything a pass needs, and say what does not work."""
    from reconciler.commands.state import doctor

    common = taken(context, workspace, output, debug)
    return doctor(common.folder, common.output)
