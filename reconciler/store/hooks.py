"""The git hook that tells a running loop which scope moved: it drops an empty file into one folder that is watched.

One watch per repository would be too dear with thousands of them. ``reference-transaction`` (git 2.28) sees every way
a ref can move: commit, merge, reset, rebase, fetch and push.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from reconciler.core.snapshot import Scope
from reconciler.errors import Terminal
from reconciler.spool import spool_name
from reconciler.store.place import common_folder

_HOOK = "reference-transaction"
_MARK = "# Written by the reconciler"
# ``true`` and not ``:``, for which a redirection that fails would end the shell. Whatever happens here, git's own
# work goes on: the loop's slow look at every ref finds what a lost note would have told.
_SCRIPT = """#!/bin/sh
{mark}: says that something moved here. It may be deleted.
[ "$1" = committed ] && true 2>/dev/null >{note}
exit 0
"""


def write_hook(repo: Path, spool: Path, scope: Scope) -> bool:
    """Put the hook into a repository; False, and nothing done, where somebody has one of their own there."""
    folder = common_folder(repo) / "hooks"
    hook = folder / _HOOK
    script = _SCRIPT.format(mark=_MARK, note=shlex.quote(str(spool.absolute() / spool_name(scope))))
    if hook.is_symlink() or (hook.exists() and _MARK not in hook.read_text(errors="replace")):
        return False
    if hook.exists() and hook.read_text() == script:
        return True
    try:
        folder.mkdir(exist_ok=True)
        spare = hook.with_name("reconciler-hook")
        spare.write_text(script)
        spare.chmod(0o755)
        spare.replace(hook)
    except OSError as error:
        raise Terminal(f"{hook} cannot be written: {error.strerror}") from error
    return True
