"""The middle of the story: one edit of every kind there is, and what becomes of it on the other sides."""

from __future__ import annotations

from reconciler.core.outcome import CHANGES, IN_SYNC, NEEDS_A_PERSON
from reconciler.demo.scene import (
    ADA,
    ANN,
    APPLY,
    COURSE_NAME,
    LEARNER,
    LEARNER_NOTE,
    PLAN,
    PLAN_NOTE,
    TESS,
    Scene,
    first_diff,
)
from reconciler.demo.shell import check, heading, prose, shown


def student_edits_note(scene: Scene) -> None:
    heading("3. A student edits a note, and her tutor knows it")
    prose("In Open WebUI, Ada finds what her tutors know of her as a note. She may write in it.")
    shown(f'Open WebUI, {ADA.name}\'s note "{LEARNER_NOTE}"', scene.ada.text(LEARNER_NOTE).splitlines())
    scene.ada_writes(LEARNER_NOTE, "interests = []", 'interests = ["running", "bread"]')
    prose("The plan says what follows: the edit goes into git, and from there to Letta.")
    scene.shell.run("reconciler --once", code=CHANGES)
    scene.shell.run(f"{APPLY} | tail -n 1", code=IN_SYNC)
    prose("""It is a commit on Ada's main, in her name. The trailers say where it was made, and that its author is
        presumed: Open WebUI does not tell who edits a note, but this one is hers alone.""")
    log = scene.shell.run("git -C users/ada log -1 -p -U0")
    check(f"Author: {ADA.name} <{ADA.email}>" in log, "Ada is the author")
    scene.shows_block("human", "interests")
    scene.all_hold('interests = ["running", "bread"]', LEARNER, "human", LEARNER_NOTE)


def admin_edits_model(scene: Scene) -> None:
    heading("4. An admin edits the model, and the course in git follows")
    prose("Ann opens the course in Open WebUI's model editor, changes its system prompt and describes the change.")
    before, after, words = "One question at a time.", "One question at a time, and short ones.", "Ask short questions"
    scene.ann.edits_prompt(COURSE_NAME, before, after, words)
    edits = [f"- {before}", f"+ {after}", f"Describe this change: {words}"]
    shown(f'Open WebUI, {ANN.name} in the model "{COURSE_NAME}", system prompt', edits)
    scene.shell.run(f"{APPLY} | grep →", code=IN_SYNC)
    prose("In the courses' repository it is a commit in her name and words, and the agents have the new prompt.")
    log = scene.shell.run("git -C courses log -1 -p -U0 --format='%h  %an: %s'")
    check(f"  {ANN.name}: {words}" in log, "Ann's words are the subject")
    prompt = scene.agent.prompt().splitlines()
    shown(f"Letta, the system prompt of {scene.agent.name}", [line for line in prompt if after in line])
    check(after in scene.agent.prompt(), "the agent has the new prompt")


def agent_learns(scene: Scene) -> None:
    heading("5. An agent learns something, and git knows who wrote it")
    prose("""Ada talks with her tutor, and in that turn her agent writes to its memory. (The stand-in has no model to
        think with, so the message spells out the tool call that a model would choose.)""")
    scene.agent_writes("mastered = []", 'mastered = ["median"]')
    scene.shell.run(APPLY, code=IN_SYNC)
    prose("The commit names the agent. That is known: a tool call of its own explains the value. Ada reads it, too.")
    scene.shell.run("git -C users/ada log -1 --format='%h  %an: %s%n%(trailers:key=Actor,key=Attribution)'")
    scene.shows_note(PLAN_NOTE, "mastered")
    scene.all_hold('mastered = ["median"]')


def teacher_edits(scene: Scene) -> None:
    heading("6. A teacher edits in git, and both systems have it")
    prose("Tess edits Ada's plan in the file, and commits with stock git.")
    scene.shell.edit(f"users/ada/{PLAN}", "wants_proofs = false", "wants_proofs = true")
    scene.shell.run('git -C users/ada commit -qam "Ada asked for derivations"', by=TESS)
    prose("""letta/main is what Letta was last seen to hold, in the same layout as main; openwebui/main likewise. So
        stock git shows the drift:""")
    drift = scene.shell.run("git -C users/ada diff -U0 letta/main main")
    check("+wants_proofs = true" in drift, "git shows the drift")
    scene.shell.run(APPLY, code=IN_SYNC)
    scene.shows_block("plan", "wants_proofs")
    scene.shows_note(PLAN_NOTE, "wants_proofs")
    scene.all_hold("wants_proofs = true")
    prose("The drift is gone:")
    for name in ("letta", "openwebui"):
        check(scene.shell.run(f"git -C users/ada diff {name}/main main") == "", "the drift is gone")


def both_edit(scene: Scene) -> None:
    heading("7. Two sides change the same thing")
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
    scene.all_hold('mastered = ["median", "outliers", "spread"]')
    kept = 'status = "paused"' in scene.in_git(PLAN) and 'status = "working"' in scene.agent.block("plan")
    check(kept, "each side keeps its own")
    _decide(scene)


def _decide(scene: Scene) -> None:
    key = first_diff(scene.shell.run("reconciler diffs list"))
    prose("Tess looks, and takes the agent's word for it. Her decision is a commit in her name.")
    scene.shell.run(f"reconciler diffs approve {key}", by=TESS)
    scene.shell.run(APPLY, code=IN_SYNC)
    scene.all_hold('status = "working"')
