"""Who and what the server turns away, and with which words."""

from __future__ import annotations

import json

import httpx
import pytest
from server_helpers import NOW, TALKATIVE, WEATHER, eventually, new_service, serving

from finback.server.serve import read_keys
from finback.server.service import Limits

USER = {"role": "user", "content": "hello"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}

MALFORMED = [  # the body, the status, and what the message says
    (b"", 400, "not a JSON object"),
    (b"{", 400, "not a JSON object"),
    (b"[]", 400, "not a JSON object"),
    (b"null", 400, "not a JSON object"),
    (b'"text"', 400, "not a JSON object"),
    (b"\xff\xfe{}", 400, "not a JSON object"),
    (b'{"model": "tiny", "messages": [{"role": "user", "content": "\\ud800"}]}', 400, "not a JSON object"),
    (b'{"model": "tiny", "messages": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "not a JSON object"),
    (b'{"model": "tiny", "messages": [], "temperature": NaN}', 422, "temperature"),
    ({}, 422, "model"),
    ({"messages": [USER]}, 422, "model"),
    ({"model": "tiny"}, 422, "messages"),
    ({"model": "tiny", "messages": []}, 422, "messages is empty"),
    ({"model": "tiny", "messages": "hello"}, 422, "messages"),
    ({"model": "tiny", "messages": ["hello"]}, 422, "messages.0"),
    ({"model": "tiny", "messages": [{"role": "king", "content": "x"}]}, 422, "role"),
    ({"model": "tiny", "messages": [{"content": "x"}]}, 422, "role"),
    ({"model": "tiny", "messages": [{"role": "user", "content": 7}]}, 422, "content"),
    ({"model": "tiny", "messages": [{"role": "user", "content": [{"type": "text"}]}]}, 422, "text is not text"),
    ({"model": "tiny", "messages": [{"role": "user", "content": ["x"]}]}, 422, "content"),
    ({"model": "tiny", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}]}, 400, "read only text"),
    ({"model": "tiny", "messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, 400, "read only text"),
    ({"model": "tiny", "messages": [USER, {"role": "assistant", "content": "x"}]}, 400, '"prefix": true'),
    ({"model": "tiny", "messages": [{**USER, "prefix": True}]}, 400, "prefix is set"),
    ({"model": "tiny", "messages": [USER, {"role": "tool", "content": "x", "tool_call_id": "call_9"}]}, 400, "call_9"),
    ({"model": "tiny", "messages": [USER, {"role": "tool", "content": "x"}]}, 400, "no assistant message before it"),
    ({"model": "tiny", "messages": [USER, {"role": "assistant", "tool_calls": [{"id": 1}]}]}, 422, "tool_calls"),
    ({"model": "tiny", "messages": [USER, {"role": "assistant", "tool_calls": [{**CALL, "type": "x"}]}]}, 422, "tool_calls"),
    ({"model": "tiny", "messages": [USER], "temperature": 3}, 422, "temperature is 3"),
    ({"model": "tiny", "messages": [USER], "temperature": "hot"}, 422, "temperature"),
    ({"model": "tiny", "messages": [USER], "temperature": True}, 422, "temperature"),
    ({"model": "tiny", "messages": [USER], "top_p": 0}, 422, "top_p is 0"),
    ({"model": "tiny", "messages": [USER], "max_tokens": 0}, 422, "max_tokens is 0"),
    ({"model": "tiny", "messages": [USER], "max_tokens": 1.5}, 422, "max_tokens"),
    ({"model": "tiny", "messages": [USER], "n": 0}, 422, "n is 0"),
    ({"model": "tiny", "messages": [USER], "n": 17}, 422, "n is 17"),
    ({"model": "tiny", "messages": [USER], "seed": 1 << 70}, 422, "seed"),
    ({"model": "tiny", "messages": [USER], "stop": ["a"] * 17}, 422, "stop"),
    ({"model": "tiny", "messages": [USER], "stop": ""}, 422, "stop"),
    ({"model": "tiny", "messages": [USER], "presence_penalty": 2.1}, 422, "presence_penalty"),
    ({"model": "tiny", "messages": [USER], "logit_bias": {"a": 1}}, 422, "logit_bias"),
    ({"model": "tiny", "messages": [USER], "logit_bias": {"1": 101}}, 422, "logit_bias"),
    ({"model": "tiny", "messages": [USER], "logit_bias": {"999999": 1}}, 400, "outside the vocabulary"),
    ({"model": "tiny", "messages": [USER], "logprobs": True, "top_logprobs": 21}, 422, "logprobs"),
    ({"model": "tiny", "messages": [USER], "top_logprobs": 2}, 422, "needs logprobs"),
    ({"model": "tiny", "messages": [USER], "reasoning_effort": "huge"}, 422, "reasoning_effort"),
    ({"model": "tiny", "messages": [USER], "thinking": {"type": "perhaps"}}, 422, "thinking"),
    ({"model": "tiny", "messages": [USER], "thinking": {"type": "enabled", "budget_tokens": -1}}, 422, "budget_tokens"),
    ({"model": "tiny", "messages": [USER], "response_format": {"type": "yaml"}}, 422, "response_format"),
    ({"model": "tiny", "messages": [USER], "response_format": {"type": "json_schema"}}, 422, "schema is missing"),
    ({"model": "tiny", "messages": [USER], "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "no such"}}}}, 400, "schema"),
    ({"model": "tiny", "messages": [USER], "response_format": {"type": "json_object"}, "tools": [NOW]}, 400, "cannot go together"),
    ({"model": "tiny", "messages": [USER], "tools": [{"type": "function"}]}, 422, "tools"),
    ({"model": "tiny", "messages": [USER], "tools": [{"type": "browser", "function": {"name": "x"}}]}, 422, "tools"),
    ({"model": "tiny", "messages": [USER], "tools": [{"type": "function", "function": {"name": "a b"}}]}, 422, "is named"),
    ({"model": "tiny", "messages": [USER], "tools": [NOW, NOW]}, 422, "two tools are named now"),
    ({"model": "tiny", "messages": [USER], "tools": [NOW], "tool_choice": "sometimes"}, 422, "tool_choice"),
    ({"model": "tiny", "messages": [USER], "tool_choice": "required"}, 422, "there are no tools"),
    ({"model": "tiny", "messages": [USER], "tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "now"}}}, 422, "not among the tools"),
    ({"model": "tiny", "messages": [USER], "user_id": "a b"}, 422, "user id"),
    ({"model": "nobody", "messages": [USER]}, 404, "there is no model 'nobody'; there are tiny"),
    ({"model": "tiny", "messages": [{"role": "user", "content": "ab" * 70000}]}, 400, "shorten it"),
]  # fmt: skip


@pytest.mark.parametrize("streaming", [False, True])
def test_every_malformed_request_gets_a_sentence_with_its_cause(tiny, streaming):
    wrong = []
    with tiny.client() as http:
        for body, status, cause in MALFORMED:
            if streaming and isinstance(body, dict):
                body = {**body, "stream": True}
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            answer = http.post("/chat/completions", content=raw, headers={"Content-Type": "application/json"})
            error = answer.json()["error"]
            if answer.status_code != status or cause not in error["message"] or not error["code"] or not error["type"]:
                wrong.append((raw[:200], answer.status_code, error))
    assert not wrong
    assert not tiny.service.active and not tiny.engine.running


def test_arguments_that_are_no_object_do_not_break_the_prompt(tiny):
    for arguments in ("[1, 2]", "3", "no json", "", "null"):
        message = {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "now", "arguments": arguments}}]}
        with tiny.client() as http:
            body = {"model": "tiny", "messages": [USER, message, {"role": "tool", "content": "x", "tool_call_id": "call_1"}], "tools": [NOW]}
            assert http.post("/tokenize", json=body).status_code == 200


@pytest.mark.parametrize("parameters", [{"properties": 5}, {"properties": {"x": 5}}, {"required": 5, "properties": {"x": {"enum": 5}}}, {"properties": {"x": {"type": 5}}}])
def test_a_schema_that_makes_no_sense_is_refused_for_a_strict_tool_and_not_enforced_for_another(tiny, parameters):
    tool = {"name": "odd", "parameters": {"type": "object", **parameters}}
    assert tiny.chat(tools=[{"type": "function", "function": tool}], tool_choice="required", max_tokens=40).status_code == 200
    refused = tiny.chat(tools=[{"type": "function", "function": {**tool, "strict": True}}])
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_schema")


def test_unknown_addresses_and_methods_are_refused_in_the_same_shape(tiny):
    with tiny.client() as http:
        assert http.get("/nowhere").json()["error"]["code"] == "not_found"
        wrong = http.get("/chat/completions")
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
        assert wrong.headers["allow"] == "POST"
        assert http.post("/tasks/dance", json={}).status_code == 422


def test_bodies_have_a_limit_whether_they_say_their_length_or_not():
    with serving(new_service(Limits(body_bytes=2000))) as running, running.client() as http:
        long = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "x" * 3000}]}).encode()
        for content in (long, (long[i : i + 500] for i in range(0, len(long), 500))):
            answer = http.post("/chat/completions", content=content)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


# --- keys, hosts, origins


KEYS = ("a" * 20, "b" * 20)


@pytest.fixture(scope="module")
def locked():
    with serving(new_service(keys=KEYS)) as running:
        yield running


def test_only_a_right_key_opens(locked):
    with locked.client() as http:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEYS[0]}"}, {"x-api-key": "é".encode()}, {"Authorization": "Bearer"}):
            for path in ("/models", "/metrics", "/v1/models/tiny"):
                answer = http.get(path, headers=headers)
                assert answer.status_code == 401, (path, headers)
                assert answer.json()["error"]["type"] == "authentication_error"
                assert answer.headers["www-authenticate"] == "Bearer"
        for headers in ({"Authorization": f"Bearer {KEYS[1]}"}, {"authorization": f"bearer {KEYS[0]}"}, {"x-api-key": KEYS[0]}):
            assert http.get("/models", headers=headers).status_code == 200
        assert http.get("/health").status_code == http.get("/version").status_code == 200


def test_keys_do_not_share_a_cache(locked):
    body = {"model": "tiny", "messages": [{"role": "user", "content": "the a of and to in is that " * 40}], "max_tokens": 2}
    with locked.client() as http:
        hits = [
            http.post("/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"}).json()["usage"]["prompt_cache_hit_tokens"]
            for key in (KEYS[0], KEYS[1], KEYS[0])
        ]
    assert hits[:2] == [0, 0] and hits[2] > 0


def test_a_key_appears_in_no_log_and_no_metric(locked, caplog, capfd):
    with locked.client(headers={"Authorization": f"Bearer {KEYS[0]}"}) as http:
        http.post("/chat/completions", json={"model": KEYS[0]})
        seen = http.get("/metrics").text
    said = capfd.readouterr()
    assert KEYS[0] not in seen + caplog.text + said.out + said.err


def test_keys_are_read_from_lines_and_commas_and_must_be_long():
    assert read_keys(f"# ours\n{KEYS[0]}\n\n{KEYS[1]},{'c' * 16}") == (*KEYS, "c" * 16)
    with pytest.raises(ValueError, match="API key 2 has fewer than 16 characters"):
        read_keys(f"{KEYS[0]},short")


def test_a_loopback_server_answers_to_no_other_name_and_to_no_foreign_page():
    service = new_service(origins=["https://ours.example"], hosts=["127.0.0.1", "localhost", "::1"])
    with serving(service) as running, running.client() as http:
        for host in ("127.0.0.1:80", "localhost", "[::1]:8000", "[::1]"):
            assert http.get("/models", headers={"Host": host}).status_code == 200, host
        for host in ("evil.example", "127.0.0.1.evil.example:80", "", "[::1"):
            assert http.get("/models", headers={"Host": host}).status_code in (400, 403), host
        own = running.url.removeprefix("http://")
        for origin, status in (("https://evil.example", 403), ("null", 403), ("https://ours.example", 200), (f"http://{own}", 200)):
            assert http.get("/models", headers={"Origin": origin, "Host": own}).status_code == status, origin
        assert http.get("/models", headers={"Origin": "https://ours.example"}).headers["access-control-allow-origin"] == "https://ours.example"


def test_no_page_is_let_in_by_default(tiny):
    with tiny.client() as http:
        answer = http.post("/chat/completions", json={}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers
        preflight = http.options("/chat/completions", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
        assert "access-control-allow-origin" not in preflight.headers


# --- too many


def test_whoever_asks_too_much_is_told_when_to_come_back():
    with serving(new_service(Limits(active=3, per_user=2))) as running:
        body = {"model": "tiny", "messages": [USER], "stream": True, "max_tokens": 30000, "logit_bias": TALKATIVE}
        with running.client() as http:

            def start(user: str) -> httpx.Response:
                request = http.build_request("POST", "/chat/completions", json={**body, "user_id": user})
                return http.send(request, stream=True)

            streams = [start("anna"), start("anna")]
            refused = start("anna")
            assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
            streams.append(start("bert"))
            full = start("carl")
            assert (full.status_code, int(full.headers["retry-after"]) > 0) == (503, True)
            assert json.loads(full.read())["error"]["code"] == "overloaded"
            assert http.get("/health").status_code == 200
            for stream in streams:
                stream.close()
            eventually(lambda: not running.service.active)
            again = start("anna")
            assert again.status_code == 200
            again.close()
