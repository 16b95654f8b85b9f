"""The page in a real browser, against answers that are known: what is sent, what is shown, and that no text harms."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import page_script as scripted
from browser import Tab, chromium, log, server, tab, wait_until  # noqa: F401 (fixtures)
from fastapi import FastAPI
from fastapi.testclient import TestClient

from finback.server import page as page_module

FOLDER = Path(page_module.__file__).parent

# --- without a browser ---


@pytest.fixture(scope="module")
def client():
    app = FastAPI()
    app.include_router(page_module.router)
    return TestClient(app)


def test_every_file_of_the_page_is_served_with_its_type_and_the_policy(client):
    for name in ["", *("page/" + name for name in page_module.FILES)]:
        answer = client.get("/" + name)
        assert answer.status_code == 200 and answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"] == page_module.TYPES[Path(name).suffix or ".html"]
        again = client.get("/" + name, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304 and not again.content
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy and "*" not in policy


@pytest.mark.parametrize("name", ["nothing.js", "__init__.py", "../service.py", "..%2fservice.py", "vendor/../__init__.py", "vendor", ""])
def test_nothing_else_is_served(client, name):
    assert client.get("/page/" + name).status_code == 404


def test_vendored_files_are_few_small_and_named_with_their_licences():
    vendor = FOLDER / "vendor"
    files = [path for path in vendor.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 700_000
    told = (vendor / "README.md").read_text()
    for path in files:
        assert path.name in told or path.parent.name == "languages" or path.name == "README.md", path
    for licence in re.findall(r"LICENSE[\w.-]*[\w]", told):
        assert (vendor / licence).is_file()


def test_the_pages_own_files_name_no_other_host():
    for path in FOLDER.iterdir():
        if path.suffix in (".js", ".html", ".css"):
            assert not re.search(r"""(https?:)?//[a-z0-9-]+\.[a-z]""", path.read_text().replace("http://www.w3.org/2000/svg", "")), path


# --- in a browser ---


def test_an_answer_streams_and_the_request_is_deepseeks(tab, log):
    tab.type("slow please")
    tab.until("document.querySelector('.assistant > .markdown').innerText.length > 50")
    first = len(tab.answers()[0])
    tab.until(f"document.querySelector('.assistant > .markdown').innerText.length > {first + 50}")
    assert tab.page.input_value("#ask") == "" and tab.page.is_visible("#stop") and not tab.page.is_visible("#send")
    assert tab.page.get_attribute(".assistant", "aria-busy") == "true"
    tab.page.click("#stop")
    tab.ask("hello")
    assert tab.answers()[1] == "You said: hello"
    body = log[0]
    assert body["stream"] is True and body["stream_options"] == {"include_usage": True} and body["model"] == "first"
    assert body["thinking"] == {"type": "enabled"} and body["reasoning_effort"] == "high"
    assert body["messages"] == [{"role": "user", "content": "slow please"}]
    assert "temperature" not in body and "tools" not in body


@pytest.mark.slow
@pytest.mark.parametrize("how", ["button", "escape"])
def test_stop_ends_the_request_and_keeps_what_came(tab, log, how):
    tab.type("slow")
    tab.until("document.querySelector('.assistant > .markdown').innerText.length > 30")
    tab.page.click("#stop") if how == "button" else tab.page.keyboard.press("Escape")
    tab.done()
    wait_until(lambda: {"left": "slow"} in log)
    assert tab.answers()[0].startswith("word word") and "stopped" in tab.texts(".facts")[0]
    assert tab.page.evaluate("document.activeElement.id") == "ask"
    tab.ask("and now")
    assert log[-1]["messages"][1]["content"].startswith("word word")


@pytest.mark.slow
def test_thoughts_are_folded_with_their_time_and_tokens(tab, log):
    tab.ask("hello")
    [title] = tab.texts(".thinking summary")
    assert re.fullmatch(r"Thought for \d+\.\d s · 32 tokens", title)
    thoughts = tab.page.locator(".thinking .markdown")
    assert not thoughts.is_visible()
    tab.page.click(".thinking summary")
    assert thoughts.locator("strong").inner_text() == "Let me see."
    tab.page.check("input[value=none]", force=True)
    tab.ask("without")
    assert log[-1]["thinking"] == {"type": "disabled"} and "reasoning_effort" not in log[-1]
    assert tab.page.locator(".thinking:visible").count() == 1
    assert thoughts.first.is_visible()  # a fold stays as its reader left it
    tab.page.check("input[value=max]", force=True)
    tab.ask("again")
    assert log[-1]["reasoning_effort"] == "max"
    assert log[-1]["messages"][1]["reasoning_content"].startswith("They ask: hello")


@pytest.mark.slow
def test_a_fold_that_is_opened_while_thoughts_come_stays_open(tab):
    tab.type("slow")
    tab.page.click(".thinking summary")
    tab.until("document.querySelector('.assistant > .markdown').innerText.length > 10")
    tab.page.click("#stop")
    tab.done()
    assert tab.page.locator(".thinking .markdown").is_visible()


@pytest.mark.slow
def test_an_answer_of_nothing_but_thoughts_shows_them(tab):
    tab.ask("muse")
    assert tab.page.locator(".thinking .markdown").is_visible() and tab.texts(".foot .note") == ["The answer ended within its thoughts."]


@pytest.mark.slow
def test_a_model_that_does_not_think_is_not_asked_to(tab, log):
    tab.page.select_option("#model", "plain")
    assert tab.page.is_checked("input[value=none]")
    tab.ask("hello")
    assert log[-1]["model"] == "plain" and log[-1]["thinking"] == {"type": "disabled"}
    tab.page.select_option("#model", "first")
    assert tab.page.is_checked("input[value=high]")


@pytest.mark.slow
def test_tool_calls_are_cards_and_their_results_go_back(tab, log):
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {}}}]
    tab.setting({"#tools": json.dumps(tools), "#system": "Be kind."})
    tab.ask("the weather?")
    assert log[-1]["tools"] == tools and log[-1]["messages"][0] == {"role": "system", "content": "Be kind."}
    assert tab.texts(".card strong") == ["get_weather", "get_time"]
    assert json.loads(tab.texts(".card pre")[0]) == {"city": "Zürich", "days": 2}
    for field, text in zip(tab.page.locator("[data-call]").all(), ("rain", "noon")):
        field.fill(text)
    tab.page.click("text=Send results")
    tab.done()
    assert tab.answers()[-1] == "The tools said: rain and noon."
    assert [(m["role"], m.get("tool_call_id")) for m in log[-1]["messages"][2:]] == [("assistant", None), ("tool", "call_0_2"), ("tool", "call_1_2")]
    assert log[-1]["messages"][2]["tool_calls"][0] == {"id": "call_0_2", "type": "function", "function": {"name": "get_weather", "arguments": scripted.WEATHER[0][1]}}
    assert tab.texts(".card .result") == ["rain", "noon"] and tab.page.locator("[data-call]").count() == 0
    tab.reload()
    tab.page.click(".chat-name")
    assert tab.texts(".card .result") == ["rain", "noon"]


@pytest.mark.slow
def test_malformed_arguments_are_shown_as_they_are(tab):
    tab.ask("broken")
    assert tab.texts(".card pre") == ['{"city": '] and tab.texts(".card .note") == ["The arguments are not valid JSON"]


@pytest.mark.slow
def test_code_is_coloured_and_copied(tab):
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.ask("code")
    figure = tab.page.locator("figure.code").first
    assert figure.locator("figcaption span").inner_text() == "python"
    assert "def" in figure.locator(".hljs-keyword").all_inner_texts()
    figure.locator("button").click()
    wait_until(lambda: tab.page.evaluate("navigator.clipboard.readText()").startswith("def fib"))
    assert tab.page.evaluate("navigator.clipboard.readText()").endswith("# 0, 1, 1, 2, 3")
    tab.page.locator(".assistant .actions button").first.click()
    wait_until(lambda: tab.page.evaluate("navigator.clipboard.readText()") == scripted.CODE)


@pytest.mark.slow
def test_markdown_and_formulas_are_drawn_and_money_is_not_a_formula(tab):
    tab.ask("math")
    page = tab.page
    assert page.locator(".markdown math").count() == 6 and page.locator("mfrac").count() == 1 and page.locator("mtable").count() >= 2
    assert "costs $5 and that $6" in tab.answers()[0]
    assert page.locator(".markdown table tr").count() == 3 and page.locator(".markdown ol li").count() == 5
    assert tab.texts(".markdown blockquote a") == ["link"]
    assert page.get_attribute(".markdown blockquote a", "rel") == "noopener noreferrer"
    assert page.evaluate("document.fonts.check('16px \"Noto Sans Math page\"')")


@pytest.mark.slow
def test_formulas_of_every_kind_are_drawn_and_stay_in_their_place(tab):
    tab.ask("formulas")
    drawn = tab.page.locator(".markdown math")
    bad = tab.texts(".bad-tex")  # what no formula is stands there as it was written
    assert len(bad) == 13 and [sum(text in tex for tex in bad) for text in ("{align}", "ce{H2O}", "unknown", "frac{1}", "{{{{", "a\\a", "9999em")] == [1, 2, 2, 2, 2, 2, 2]
    assert drawn.count() == 2 * len(scripted.FORMULAS) - len(bad)
    box = tab.page.locator(".assistant > .markdown").bounding_box()
    assert box["height"] < 15000 and tab.page.evaluate("document.querySelector('#scroll').scrollWidth <= document.querySelector('#scroll').clientWidth")
    tab.ask("hello")
    assert tab.answers()[-1] == "You said: hello"


HARMLESS = """() => {
  const found = [];
  for (const node of document.querySelectorAll("#log *, #chats *, #title, #scope *")) {
    if (/^(script|img|iframe|style|form|base|object|embed|link|input|video|audio)$/i.test(node.tagName) && !node.closest("#scope")) found.push(node.outerHTML);
    if (/^(svg|path)$/i.test(node.tagName) && !node.matches(".icon, .icon path")) found.push(node.outerHTML);
    for (const { name, value } of node.attributes) {
      if (/^on|^src|^style$|^srcdoc|^action|xlink/i.test(name) && !node.closest("math, .stack")) found.push(`${name}=${value}`);
      if (name === "href" && !/^(https?:|mailto:)/.test(value)) found.push(`${name}=${value}`);
    }
  }
  return found;
}"""


def test_nothing_that_a_model_says_does_anything(tab):
    tab.ask("attack")
    tab.page.click(".thinking summary")
    for link in tab.page.locator(".assistant > .markdown a").all():
        link.hover()
    tab.page.locator(".assistant").hover()
    time.sleep(0.2)
    assert tab.page.evaluate("window.hurt") is None
    assert tab.page.evaluate(HARMLESS) == []
    assert "<script>window.hurt = 1</script>" in tab.answers()[0]
    assert tab.texts(".card strong") == ["<img src=x onerror=window.hurt=22>"]
    assert tab.page.locator("#ask").is_visible() and tab.page.evaluate("location.href") == tab.url + "/"


@pytest.mark.slow
def test_nothing_that_a_user_pastes_or_imports_does_anything(tab, tmp_path):
    bad = '<img src=x onerror=window.hurt=30><script>window.hurt=31</script>'
    tab.ask(bad)
    assert bad[:40] in tab.page.title() and tab.texts(".chat-name")[0].startswith("<img src=x")
    node = {"role": "assistant", "content": scripted.ATTACK, "reasoning": bad, "tool_calls": [{"id": bad, "name": bad, "arguments": bad}], "error": bad, "finish": bad, "model": bad}
    nodes = [{"id": bad, "parent": None, "role": "user", "content": bad}, {"id": "2", "parent": bad, **node}]
    chats = [{"id": bad, "title": bad, "system": bad, "tools": bad, "nodes": nodes, "leaf": "2"}, {"nodes": [{"id": "a", "parent": "a", "role": "user"}]}, None]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({"finback": "conversations", "version": 1, "chats": chats}))
    tab.page.set_input_files("#import-file", path)
    tab.page.wait_for_selector(".chat-name >> nth=3")
    for i in range(4):
        tab.page.click(f".chat-name >> nth={i}")
        time.sleep(0.05)
        assert tab.page.evaluate(HARMLESS) == [] and tab.page.evaluate("window.hurt") is None


@pytest.mark.slow
def test_the_policy_would_stop_what_the_sanitiser_let_through(chromium, server):
    tab = Tab(chromium, server)
    try:
        with pytest.raises(Exception, match="TrustedHTML"):
            tab.page.evaluate("document.body.innerHTML = '<b>x</b>'")
        with pytest.raises(Exception, match="TrustedScript"):
            tab.page.evaluate("document.body.setAttribute('onclick', 'window.hurt = 1')")
        tab.page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://elsewhere.invalid/x.png' }))")
        wait_until(lambda: any("Content Security Policy" in error for error in tab.errors))
    finally:
        tab.context.close()


def test_both_languages_say_the_same_things(tab):
    words = tab.page.evaluate("import('/page/words.js').then((words) => words.WORDS)")
    assert words["en"].keys() == words["zh"].keys()
    source = "".join(path.read_text() for path in FOLDER.iterdir() if path.suffix in (".js", ".html") and path.name != "words.js")
    for key, text in words["en"].items():
        assert set(re.findall(r"\{\d\}", text)) == set(re.findall(r"\{\d\}", words["zh"][key])), key
        assert re.search(rf"""["']{key}["']|\b{key}: |layer{key[-3:]}""", source) or key in ("stopped", "length", "content_filter"), f"{key} is never said"


@pytest.mark.slow
@pytest.mark.parametrize("question, words", [("refuse", "no <b>room</b>"), ("cut it", "the connection ended"), ("fail it", "the engine failed")])
def test_what_goes_wrong_is_said_and_can_be_tried_again(chromium, server, log, question, words):
    log.clear()
    tab = Tab(chromium, server)
    tab.ask(question)
    assert words in tab.texts(".foot .error")[0]
    tab.page.get_by_label("Answer again").click()
    tab.done()
    assert len(log) == 2 and tab.texts(".versions") == ["2/2"]
    tab.ask("hello")
    silent = question == "refuse"  # an answer that never began is not sent back
    assert [m["role"] for m in log[-1]["messages"]] == (["user", "user"] if silent else ["user", "assistant", "user"])
    assert [error for error in tab.errors if "503" not in error] == []
    tab.context.close()


@pytest.mark.slow
def test_an_unreachable_server_is_said_to_be(chromium, server):
    tab = Tab(chromium, server)
    tab.context.set_offline(True)
    tab.ask("hello")
    assert "cannot be reached" in tab.texts(".foot .error")[0]
    tab.context.close()


@pytest.mark.slow
def test_the_end_is_followed_unless_the_reader_is_elsewhere(tab):
    tab.ask("math")
    tab.type("slow")
    place = "(() => { const box = document.querySelector('#scroll'); return box.scrollHeight - box.scrollTop - box.clientHeight })()"
    tab.until("document.querySelector('.assistant:last-child > .markdown').innerText.length > 200")
    assert tab.page.evaluate(place) < 60 and not tab.page.is_visible("#to-end")
    tab.page.hover("#log")
    tab.page.mouse.wheel(0, -5000)
    tab.page.wait_for_selector("#to-end:visible")
    top = tab.page.evaluate("document.querySelector('#scroll').scrollTop")
    time.sleep(0.3)
    assert tab.page.evaluate("document.querySelector('#scroll').scrollTop") == top
    tab.page.click("#to-end")
    assert tab.page.evaluate(place) < 60
    tab.page.click("#stop")


@pytest.mark.slow
def test_answers_grow_in_several_conversations_at_once(tab, log):
    tab.type("slow one")
    tab.page.wait_for_selector("#stop:visible")
    tab.page.click("#new")
    tab.ask("quick")
    assert tab.answers() == ["You said: quick"]
    assert tab.page.locator("#chats li.running").count() == 1
    tab.page.click(".running .chat-name")
    assert tab.page.is_visible("#stop")
    before = len(tab.answers()[0])
    tab.until(f"document.querySelector('.assistant > .markdown').innerText.length > {before}")
    tab.page.click("#stop")
    wait_until(lambda: {"left": "slow one"} in log)


def test_a_line_break_of_an_answer_is_one_on_the_page(tab):
    tab.ask("one\ntwo")
    assert tab.answers()[0].splitlines()[-2:] == ["You said: one", "two"]
