"""Which request calls what of the model. Paths are below `/api/v1`, except those that begin with `/api/`."""

from reconciler.embedded.openwebui.people import is_key
from reconciler.embedded.openwebui.request import table

OPEN = frozenset({"/health", "/api/version", "/api/config", "/api/v1/auths/signin"})
"""These ask for no key."""

_PEOPLE = table(
    {
        "GET /auths/": lambda webui, ask: webui.people.session(ask.caller, is_key(ask.bearer)),
        "POST /auths/signin": lambda webui, ask: webui.people.sign_in(ask.body),
        "POST /auths/add": lambda webui, ask: webui.people.add(ask.caller, ask.body),
        "POST /auths/api_key": lambda webui, ask: webui.people.new_key(ask.caller),
        "GET /users/all": lambda webui, ask: webui.people.all(ask.caller),
        "GET /users/": lambda webui, ask: webui.people.page(ask.caller, ask.page, ask.query.get("query", "")),
        "GET /users/user/status": lambda webui, ask: webui.people.me(ask.caller),
        "GET /users/user/info": lambda webui, ask: ask.caller["info"],
        "POST /users/user/info/update": lambda webui, ask: webui.people.tell_of_me(ask.caller, ask.body),
        "GET /users/{}": lambda webui, ask: webui.people.get(ask.caller, ask.key),
        "POST /users/{}/update": lambda webui, ask: webui.people.update(ask.caller, ask.key, ask.body),
        "DELETE /users/{}": lambda webui, ask: webui.people.delete(ask.caller, ask.key),
        "GET /groups/": lambda webui, ask: webui.people.groups(ask.caller),
        "POST /groups/create": lambda webui, ask: webui.people.add_group(ask.caller, ask.body),
        "GET /groups/id/{}": lambda webui, ask: webui.people.group(ask.caller, ask.key),
        "GET /groups/id/{}/export": lambda webui, ask: webui.people.export_group(ask.caller, ask.key),
        "POST /groups/id/{}/users": lambda webui, ask: webui.people.members(ask.caller, ask.key),
        "POST /groups/id/{}/update": lambda webui, ask: webui.people.update_group(ask.caller, ask.key, ask.body),
        "POST /groups/id/{}/users/add": lambda webui, ask: webui.people.change_members(
            ask.caller, ask.key, "add", ask.body
        ),
        "POST /groups/id/{}/users/remove": lambda webui, ask: webui.people.change_members(
            ask.caller, ask.key, "remove", ask.body
        ),
        "DELETE /groups/id/{}/delete": lambda webui, ask: webui.people.delete_group(ask.caller, ask.key),
    }
)
_NOTES = table(
    {
        "GET /notes/": lambda webui, ask: webui.notes.list(ask.caller, ask.page_if_any),
        "GET /notes/search": lambda webui, ask: webui.notes.search(ask.caller, {**ask.query, "page": str(ask.page)}),
        "POST /notes/create": lambda webui, ask: webui.notes.create(ask.caller, ask.body),
        "GET /notes/{}": lambda webui, ask: webui.notes.get(ask.caller, ask.key),
        "POST /notes/{}/update": lambda webui, ask: webui.notes.update(ask.caller, ask.key, ask.body),
        "POST /notes/{}/access/update": lambda webui, ask: webui.notes.update_access(ask.caller, ask.key, ask.body),
        "DELETE /notes/{}/delete": lambda webui, ask: webui.notes.delete(ask.caller, ask.key),
    }
)
_MODELS = table(
    {
        "GET /api/models": lambda webui, ask: webui.models.offered(ask.caller),
        "GET /models/all": lambda webui, ask: webui.models.all(ask.caller),
        "GET /models/base": lambda webui, ask: webui.models.base(ask.caller),
        "GET /models/list": lambda webui, ask: webui.models.list(ask.caller, ask.page),
        "POST /models/create": lambda webui, ask: webui.models.create(ask.caller, ask.body),
        "GET /models/model": lambda webui, ask: webui.models.get(ask.caller, ask.id),
        "POST /models/model/update": lambda webui, ask: webui.models.update(ask.caller, ask.body),
        "POST /models/model/update/version": lambda webui, ask: webui.models.set_version(ask.caller, ask.id, ask.body),
        "POST /models/model/access/update": lambda webui, ask: webui.models.update_access(ask.caller, ask.body),
        "POST /models/model/toggle": lambda webui, ask: webui.models.toggle(ask.caller, ask.id),
        "POST /models/model/delete": lambda webui, ask: webui.models.delete(ask.caller, ask.body),
        "GET /models/model/history": lambda webui, ask: webui.models.history(ask.caller, ask.id, ask.page),
        "GET /models/model/history/{}": lambda webui, ask: webui.models.version(ask.caller, ask.id, ask.key),
    }
)
_FOLDERS = table(
    {
        "GET /folders/": lambda webui, ask: webui.folders.list(ask.caller),
        "POST /folders/": lambda webui, ask: webui.folders.create(ask.caller, ask.body),
        "GET /folders/shared": lambda webui, ask: webui.folders.shared(ask.caller),
        "GET /folders/{}": lambda webui, ask: webui.folders.get(ask.caller, ask.key),
        "POST /folders/{}/update": lambda webui, ask: webui.folders.update(ask.caller, ask.key, ask.body),
        "POST /folders/{}/access/update": lambda webui, ask: webui.folders.update_access(ask.caller, ask.key, ask.body),
        "GET /folders/{}/shared/chats": lambda webui, ask: webui.chats.shared_in_folder(
            ask.caller, ask.key, ask.page_if_any
        ),
        "DELETE /folders/{}": lambda webui, ask: webui.folders.delete(
            ask.caller, ask.key, ask.flag("delete_contents", True)
        ),
    }
)
_CHATS = table(
    {
        "POST /api/chat/completions": lambda webui, ask: webui.chats.complete(ask.caller, ask.body),
        "POST /chats/new": lambda webui, ask: webui.chats.create(ask.caller, ask.body),
        "GET /chats/": lambda webui, ask: webui.chats.of_caller(ask.caller, ask.page),
        "GET /chats/list": lambda webui, ask: webui.chats.of_caller(ask.caller, ask.page),
        "GET /chats/all/db": lambda webui, ask: webui.chats.all(ask.caller),
        "GET /chats/list/user/{}": lambda webui, ask: webui.chats.of_user(ask.caller, ask.key, ask.page),
        "GET /analytics/models/{}/chats": lambda webui, ask: webui.chats.of_model(
            ask.caller, ask.key, ask.number("start_date", 0), ask.number("skip", 0), ask.number("limit", 50)
        ),
        "GET /chats/folder/{}": lambda webui, ask: webui.chats.in_folder(ask.caller, ask.key),
        "GET /chats/folder/{}/list": lambda webui, ask: webui.chats.listed_in_folder(ask.caller, ask.key, ask.page),
        "GET /chats/{}": lambda webui, ask: webui.chats.get(ask.caller, ask.key),
        "POST /chats/{}": lambda webui, ask: webui.chats.update(ask.caller, ask.key, ask.body),
        "DELETE /chats/{}": lambda webui, ask: webui.chats.delete(ask.caller, ask.key),
        "POST /chats/{}/messages/{}": lambda webui, ask: webui.chats.set_message(
            ask.caller, ask.key, ask.parts[1], ask.body
        ),
        "POST /chats/{}/folder": lambda webui, ask: webui.chats.move(ask.caller, ask.key, ask.body),
        "POST /chats/{}/archive": lambda webui, ask: webui.chats.toggle(ask.caller, ask.key, "archived"),
        "POST /chats/{}/pin": lambda webui, ask: webui.chats.toggle(ask.caller, ask.key, "pinned"),
        "GET /chats/{}/pinned": lambda webui, ask: webui.chats.get(ask.caller, ask.key)["pinned"],
        "POST /chats/{}/tags": lambda webui, ask: webui.chats.tag(ask.caller, ask.key, ask.body),
    }
)
_HOOKS = table(
    {
        "GET /api/events/webhooks": lambda webui, ask: webui.hooks.list(ask.caller),
        "POST /api/events/webhooks": lambda webui, ask: webui.hooks.create(ask.caller, ask.body),
        "PUT /api/events/webhooks/{}": lambda webui, ask: webui.hooks.update(ask.caller, ask.key, ask.body),
        "DELETE /api/events/webhooks/{}": lambda webui, ask: webui.hooks.delete(ask.caller, ask.key),
    }
)
_ABOUT = table(
    {
        "GET /api/version": lambda webui, ask: {"version": "0.12.4", "deployment_id": ""},
        "GET /api/config": lambda webui, ask: {"status": True, "name": "Open WebUI", "version": "0.12.4"},
    }
)
ROUTES = [*_ABOUT, *_PEOPLE, *_NOTES, *_MODELS, *_FOLDERS, *_CHATS, *_HOOKS]
