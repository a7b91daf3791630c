"""What the Open WebUI adapter relies on: models, who may use them, and their history."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.live import webui
from tests.live.openwebui import BASE_MODEL
from tests.live.openwebui_api import WebUI
from tests.live.webui import V1, grant, grants, history, model_body

EDITORS_OWN = {
    "profile_image_url",
    "background_image_url",
    "i18n",
    "capabilities",
    "knowledge",
    "voice",
    "voice_avatar",
}


def chain(server: WebUI, model_id: str = "c") -> list[str | None]:
    """The messages of its versions, newest first: times are whole seconds, so only the parents tell the order."""
    versions = {row["id"]: row for row in history(server, model_id)}
    at = server.request("GET", f"{V1}/models/model", params={"id": model_id})["version_id"]
    told: list[str | None] = []
    while at:
        told.append(versions[at]["commit_message"])
        at = versions[at]["parent_id"]
    return told


def test_a_model_keeps_what_it_was_created_with(either: WebUI) -> None:
    meta = {"description": "d", "hidden": True, "reconciler": {"ref": "model/c"}, "tags": [{"name": "t"}]}
    meta |= {"suggestion_prompts": [{"title": ["a", "b"], "content": "hi"}]}
    access = [grant("read", "*")]
    webui.model(either, meta=meta, params={"system": "S", "own": 1}, access_grants=access)
    (got,) = either.request("GET", f"{V1}/models/all")

    assert got["params"] == {"system": "S", "own": 1}
    assert {name: value for name, value in got["meta"].items() if value is not None} == meta
    assert set(got["meta"]) - set(meta) == EDITORS_OWN
    assert (got["base_model_id"], grants(got)) == (BASE_MODEL, [("user", "*", "read")])


def test_an_update_replaces_meta_and_params_and_ignores_grants(either: WebUI) -> None:
    webui.model(either, meta={"own": 1, "description": "d"}, access_grants=[grant("read", "*")])
    got = webui.set_model(either, system="T", meta={"description": "e"}, access_grants=[])

    assert (got["params"], got["meta"]["description"], "own" in got["meta"]) == ({"system": "T"}, "e", False)
    assert grants(got) == [("user", "*", "read")]


def test_grants_have_a_route_of_their_own(either: WebUI) -> None:
    webui.model(either, access_grants=[grant("read", "*")])
    group = either.request("POST", f"{V1}/groups/create", json={"name": "g", "description": ""})["id"]
    body = {"id": "c", "access_grants": [grant("read", group, "group")]}
    got = either.request("POST", f"{V1}/models/model/access/update", json=body)

    assert grants(got) == [("group", group, "read")]


def test_each_change_is_a_version_with_its_message(either: WebUI) -> None:
    first = webui.model(either, commit_message="made")
    webui.set_model(either, system="T", commit_message="changed")

    assert chain(either) == ["changed", "made"]
    path = f"{V1}/models/model/history/{first['version_id']}"
    snapshot = either.request("GET", path, params={"id": "c"})["snapshot"]
    assert (snapshot["name"], snapshot["base_model_id"], snapshot["params"]) == ("C", BASE_MODEL, {"system": "S"})


def test_what_makes_no_version(either: WebUI) -> None:
    """An equal update, whose message is lost; hiding; access; switching off."""
    webui.model(either, commit_message="made")
    webui.set_model(either, commit_message="equal")
    webui.set_model(either, meta={"hidden": True}, commit_message="hidden")
    either.request("POST", f"{V1}/models/model/toggle", params={"id": "c"})
    access = {"id": "c", "access_grants": [grant("read", "*")]}
    either.request("POST", f"{V1}/models/model/access/update", json=access)

    assert chain(either) == ["made"]
    got = either.request("GET", f"{V1}/models/model", params={"id": "c"})
    assert (got["meta"]["hidden"], got["is_active"]) == (True, False)


def test_a_stale_version_in_the_body_is_no_guard(either: WebUI) -> None:
    first = webui.model(either)["version_id"]
    webui.set_model(either, system="T", version_id=first)
    got = webui.set_model(either, system="U", version_id=first)

    assert got["params"] == {"system": "U"}


def test_racing_updates_conflict_and_none_is_half_done(either: WebUI) -> None:
    webui.model(either)
    token = either.admin_key

    def update(number: int) -> tuple[int, str]:
        body = model_body(system=f"S{number}")
        answer = either.call("POST", f"{V1}/models/model/update", token, json=body)
        return answer.status_code, "" if answer.is_success else answer.text

    with ThreadPoolExecutor(8) as pool:
        seen = Counter(pool.map(update, range(40)))

    assert set(seen) <= {(200, ""), (409, '{"detail":{"code":"version_conflict"}}')}
    assert seen[200, ""] >= 1


def test_statuses_are_told_their_own_way(either: WebUI) -> None:
    """Not found is 401 or 404 and forbidden 400, 401 or 403: it depends on the route."""
    webui.model(either)
    ann = webui.person(either, "ann").token

    def statuses(model_id: str, token: str | None) -> list[int]:
        named = {"params": {"id": model_id}}
        return [
            either.call("GET", f"{V1}/models/model", token, **named).status_code,
            either.call("GET", f"{V1}/models/model/history", token, **named).status_code,
            either.call("POST", f"{V1}/models/model/update", token, json=model_body(model_id)).status_code,
            either.call("POST", f"{V1}/models/model/toggle", token, **named).status_code,
            either.call("POST", f"{V1}/models/model/delete", token, json={"id": model_id}).status_code,
        ]

    assert statuses("nope", None) == [404, 404, 401, 401, 401]
    assert statuses("c", ann) == [401, 403, 400, 401, 401]
    assert either.call("POST", f"{V1}/models/create", json=model_body()).status_code == 401, "taken"
    assert either.call("GET", f"{V1}/models/all", ann).status_code == 401


def test_a_reader_does_not_see_the_prompt(either: WebUI) -> None:
    ann = webui.person(either, "ann")
    webui.model(either, access_grants=[grant("read", ann.id)])
    got = either.request("GET", f"{V1}/models/model", ann.token, params={"id": "c"})

    assert got["params"] == {}


def test_a_preset_needs_a_grant_on_its_base_too(either: WebUI) -> None:
    ann = webui.person(either, "ann")
    webui.model(either, access_grants=[grant("read", ann.id)])
    either.refresh_models()
    alone = webui.complete(either, ann.token, "c")
    base = {"id": BASE_MODEL, "name": BASE_MODEL, "access_grants": [grant("read", ann.id)]}
    either.request("POST", f"{V1}/models/model/access/update", json=base)
    either.refresh_models()

    assert (alone.status_code, alone.json()) == (400, {"detail": "Model not found"})
    assert webui.complete(either, ann.token, "c").status_code == 200


def test_a_hidden_model_is_refused_only_without_a_grant(either: WebUI) -> None:
    ann = webui.person(either, "ann")
    for model_id in (BASE_MODEL, "c", "hidden"):
        access = [] if model_id == "hidden" else [grant("read", ann.id)]
        base = None if model_id == BASE_MODEL else BASE_MODEL
        webui.model(either, model_id, meta={"hidden": True}, base_model_id=base, access_grants=access)
    either.refresh_models()

    assert webui.complete(either, ann.token, "c").status_code == 200
    assert webui.complete(either, ann.token, "hidden").status_code == 400


def test_completions_come_from_a_list_renewed_on_request(either: WebUI) -> None:
    either.refresh_models()
    webui.model(either)
    admin = either.admin_token
    before = webui.complete(either, admin, "c").status_code
    either.refresh_models()

    assert (before, webui.complete(either, admin, "c").status_code) == (400, 200)
