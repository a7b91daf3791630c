"""The harness itself: a real Open WebUI comes up, is emptied, restarts and is lost."""

import httpx
import pytest

from tests.live import webui
from tests.live.install_openwebui import ensure_openwebui, is_openwebui_installed
from tests.live.openwebui import OpenWebUIServer
from tests.live.webui import V1


def test_an_install_that_is_there_is_left_alone(openwebui: OpenWebUIServer) -> None:
    before = openwebui.home.stamp.stat().st_mtime_ns

    assert is_openwebui_installed(ensure_openwebui())
    assert openwebui.home.stamp.stat().st_mtime_ns == before


def test_a_cleared_server_is_empty_and_works(openwebui: OpenWebUIServer) -> None:
    ann = webui.person(openwebui, "ann")
    webui.note(openwebui, "x")
    webui.model(openwebui)
    openwebui.request("POST", f"{V1}/folders/", json={"name": "f"})
    hook = {"name": "h", "url": "http://127.0.0.1:9/", "events": ["*"]}
    openwebui.request("POST", "/api/events/webhooks", json=hook)

    openwebui.clear()

    assert openwebui.request("GET", f"{V1}/notes/search")["total"] == 0
    for path in ("models/all", "folders/", "groups/", "chats/all/db"):
        assert openwebui.request("GET", f"{V1}/{path}") == []
    assert openwebui.request("GET", "/api/events/webhooks") == []
    assert openwebui.request("GET", f"{V1}/users/all")["total"] == 1
    assert openwebui.call("GET", f"{V1}/notes/", ann.token).status_code == 401
    assert webui.text(webui.get_note(openwebui, webui.note(openwebui, "y")["id"])) == "y"


def test_the_base_model_is_the_stubs(clean_openwebui: OpenWebUIServer) -> None:
    webui.model(clean_openwebui, system="You are a lighthouse.")
    clean_openwebui.refresh_models()
    answer = webui.complete(clean_openwebui, clean_openwebui.admin_token, "c")

    assert answer.json()["choices"][0]["message"]["content"]
    assert clean_openwebui.stub.requests[-1]["system"] == "You are a lighthouse."


def test_a_server_restarts_with_what_it_held(clean_openwebui: OpenWebUIServer) -> None:
    made = webui.note(clean_openwebui, "across")["id"]
    clean_openwebui.stop_server()
    with pytest.raises(httpx.TransportError):
        clean_openwebui.call("GET", "/health")
    clean_openwebui.start_server()

    assert webui.text(webui.get_note(clean_openwebui, made)) == "across"


def test_a_wiped_server_keeps_only_its_key(clean_openwebui: OpenWebUIServer) -> None:
    made = webui.note(clean_openwebui, "gone")["id"]
    clean_openwebui.wipe()

    assert clean_openwebui.call("GET", f"{V1}/notes/{made}").status_code == 404


def test_two_servers_share_nothing(clean_openwebui: OpenWebUIServer) -> None:
    webui.note(clean_openwebui, "on the first")
    with OpenWebUIServer() as second:
        assert second.request("GET", f"{V1}/notes/search")["total"] == 0

    assert clean_openwebui.request("GET", f"{V1}/notes/search")["total"] == 1
