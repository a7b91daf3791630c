"""The table of `user.toml`, the file that says whose repo it stands in."""

from __future__ import annotations

from reconciler.manifest.keys import Key, Table

USER_FILE = Table(
    "user_file",
    "user.toml",
    "Who a learner is, and which courses they take. It stands at the top of the learner's own repo.",
    (
        Key("id", "string", "The learner's identifier: the name of their folder.", required=True),
        Key("name", "string", "The name people see, in any script.", default=""),
        Key("email", "string", "Their address.", default=""),
        Key("open_webui_id", "string", "Their id in Open WebUI, where they have an account."),
        Key("courses", "strings", "The ids of the courses they take.", default=()),
    ),
    'id = "maria"\nname = "María"\ncourses = ["intro-statistics"]',
)
