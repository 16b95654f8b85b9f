"""Every control of the page does what it says: conversations, settings, keys, languages, a phone, the microscope."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import page_script as scripted
from browser import Tab, chromium, log, server, service, tab, wait_until  # noqa: F401 (fixtures)

from finback.server.app import create_app

pytestmark = pytest.mark.slow


def test_a_reload_keeps_conversations_settings_and_a_cut_answer(tab, log):
    tab.ask("first question")
    tab.page.check("input[value=max]", force=True)
    tab.type("slow")
    tab.until("document.querySelector('.assistant:last-child > .markdown').innerText.length > 300")
    time.sleep(0.8)
    tab.reload()
    assert tab.texts(".chat-name") == ["first question"] and tab.page.is_checked("input[value=max]")
    tab.page.click(".chat-name")
    assert tab.answers()[0] == "You said: first question" and tab.answers()[1].startswith("word word")
    assert "stopped" in tab.texts(".facts")[1]
    tab.ask("third")
    assert [m["content"] for m in log[-1]["messages"] if m["role"] == "user"] == ["first question", "slow", "third"]


def test_two_tabs_show_the_same_conversations(tab):
    tab.ask("one")
    first = tab.page
    tab.open()
    second = tab.page
    second.click(".chat-name")
    tab.ask("two")
    wait_until(lambda: first.locator(".user .text").all_inner_texts() == ["one", "two"] and "You said: two" in first.inner_text("#log"))
    tab.page = first
    tab.ask("three")
    wait_until(lambda: second.locator(".user .text").all_inner_texts() == ["one", "two", "three"])
    second.get_by_label("Delete: one").click()
    second.click("#ask-name-ok")
    wait_until(lambda: tab.texts(".chat-name") == [] and first.is_visible("#welcome"))


def test_edit_retry_and_branch_lose_nothing(tab, log):
    tab.ask("one")
    tab.ask("two")
    tab.page.locator(".user").first.hover()
    tab.page.locator(".user").first.get_by_label("Edit").click()
    tab.page.fill(".edit textarea", "uno")
    tab.page.press(".edit textarea", "Enter")
    tab.done()
    assert tab.texts(".user .text") == ["uno"] and tab.answers() == ["You said: uno"]
    assert log[-1]["messages"] == [{"role": "user", "content": "uno"}]
    assert tab.texts(".versions") == ["2/2"]
    tab.page.get_by_label("Previous version").click()
    assert tab.texts(".user .text") == ["one", "two"]
    tab.page.locator(".assistant").last.get_by_label("Answer again").click()
    tab.done()
    assert tab.texts(".versions") == ["1/2", "2/2"]
    assert [m["content"] for m in log[-1]["messages"]] == ["one", "You said: one", "two"]
    tab.page.locator(".assistant").first.get_by_label("Go on in a new conversation").click()
    wait_until(lambda: tab.texts(".user .text") == ["one"] and len(tab.texts(".chat-name")) == 2)
    tab.ask("three")
    assert [m["content"] for m in log[-1]["messages"]] == ["one", "You said: one", "three"]
    tab.page.click(".chat-name >> nth=1")
    assert tab.texts(".user .text") == ["one", "two"]
    tab.reload()
    tab.page.click(".chat-name >> nth=1")
    assert tab.texts(".versions") == ["1/2", "2/2"]


def test_an_edit_can_be_left(tab, log):
    tab.ask("one")
    tab.page.press("#ask", "ArrowUp")
    assert tab.page.input_value(".edit textarea") == "one"
    tab.page.fill(".edit textarea", "other")
    tab.page.keyboard.press("Escape")
    assert tab.texts(".user .text") == ["one"] and tab.page.locator(".edit").count() == 0 and len(log) == 1


def test_export_and_import_give_the_same_conversations(tab, tmp_path):
    tab.ask("code")
    tab.ask("weather")
    tab.page.click("#new")
    tab.ask("second")
    with tab.page.expect_download() as got:
        tab.page.click("#export")
    path = tmp_path / "all.json"
    got.value.save_as(path)
    for _ in range(2):
        tab.page.locator("#chats li").first.hover()
        tab.page.locator("#chats li").first.get_by_label("Delete").click()
        tab.page.click("#ask-name-ok")
    tab.page.wait_for_selector("#no-chats:visible")
    tab.reload()
    assert tab.texts(".chat-name") == [] and tab.page.is_disabled("#export")
    tab.page.set_input_files("#import-file", path)
    tab.page.wait_for_selector("text=2 conversations imported")
    assert tab.texts(".chat-name") == ["second", "code"]
    with tab.page.expect_download() as got:
        tab.page.click("#export")
    again, before = json.loads(Path(got.value.path()).read_text()), json.loads(path.read_text())
    plain = lambda chats: [{**c, "id": 0, "nodes": [{k: v for k, v in n.items() if v not in ("", None, [])} for n in c["nodes"]]} for c in chats]  # noqa: E731
    strip = lambda chats: json.loads(json.dumps(plain(chats)).replace(', "malformed": ""', ""))  # noqa: E731
    assert strip(again["chats"]) == strip(before["chats"])
    tab.page.click(".chat-name >> nth=1")
    assert len(tab.answers()) == 2 and tab.page.locator("figure.code").count() == 2
    with tab.page.expect_download() as got:
        tab.page.get_by_label("Export this conversation: code").click()
    assert len(json.loads(Path(got.value.path()).read_text())["chats"]) == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"finback": "conversations", "version": 9, "chats": []}'])
def test_a_file_that_is_no_export_is_refused(tab, tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    tab.page.set_input_files("#import-file", path)
    tab.page.wait_for_selector("#notice:visible")
    assert tab.texts("#notice")[0].startswith("This file cannot be imported") and tab.texts(".chat-name") == []


def test_rename_and_delete(tab):
    tab.ask("hello")
    tab.page.get_by_label("Rename: hello").click()
    tab.page.fill("#ask-name-field", "A better name")
    tab.page.press("#ask-name-field", "Enter")
    wait_until(lambda: tab.texts(".chat-name") == ["A better name"] and tab.page.title() == "A better name · Finback")
    tab.page.get_by_label("Delete: A better name").click()
    tab.page.click("#ask-name-cancel")
    assert tab.texts(".chat-name") == ["A better name"]
    tab.page.get_by_label("Delete: A better name").click()
    tab.page.click("#ask-name-ok")
    tab.page.wait_for_selector("#no-chats:visible")
    assert tab.texts(".user") == [] and tab.page.is_visible("#welcome")


def test_the_page_speaks_chinese(tab, chromium, server):
    tab.ask("weather")
    tab.setting(select={"#language": "zh"})
    tab.page.keyboard.press("Alt+m")
    tab.page.wait_for_selector(".layer")
    tab.page.click("#open-help")
    seen = tab.page.evaluate("""() => [...document.querySelectorAll("[data-t], .note, dt, dd, summary, legend")].filter((n) => n.checkVisibility() && !n.querySelector("kbd")).map((n) => n.innerText.trim()).filter((text) => /^[A-Za-z ]{4,}$/.test(text))""")
    assert seen == []
    assert tab.page.get_attribute("html", "lang") == "zh-CN" and tab.page.get_attribute("#send", "aria-label") == "发送"
    tab.reload()
    assert tab.page.get_attribute("#ask", "placeholder") == "输入问题"
    chinese = Tab(chromium, server, locale="zh-CN")
    assert chinese.texts("#new") == ["新对话"]
    chinese.context.close()


def test_on_a_phone_everything_is_within_reach(chromium, server):
    tab = Tab(chromium, server, viewport={"width": 360, "height": 640}, is_mobile=True, has_touch=True)
    fits = "document.documentElement.scrollWidth <= 360 && [...document.querySelectorAll('button, select, textarea')].filter((n) => n.checkVisibility()).every((n) => n.closest('pre, .table') || n.getBoundingClientRect().right <= 361)"
    for question in ("code", "math", "weather", "attack"):
        tab.ask(question)
        assert tab.page.evaluate(fits), question
    tab.page.tap("#menu")
    assert tab.page.evaluate(fits) and tab.page.is_visible(".chat-name")
    tab.page.tap("#new")
    assert not tab.page.is_visible(".chat-name") and tab.page.is_visible("#welcome")
    tab.page.tap("#menu")
    tab.page.touchscreen.tap(350, 300)
    assert not tab.page.is_visible(".chat-name")
    tab.ask("hello")
    tab.page.tap("#open-scope")
    tab.page.wait_for_selector(".layer")
    assert tab.page.evaluate(fits)
    tab.page.tap("#scope header button")
    tab.page.tap("#open-settings")
    assert tab.page.evaluate(fits)
    assert tab.errors == []
    tab.context.close()


def test_it_can_be_used_with_the_keyboard_alone(tab, log):
    press = tab.page.keyboard.press
    focus = lambda: tab.page.evaluate("document.activeElement.id || document.activeElement.getAttribute('aria-label') || document.activeElement.value")  # noqa: E731
    assert focus() == "ask"
    tab.page.keyboard.type("line one")
    press("Shift+Enter")
    tab.page.keyboard.type("line two")
    press("Enter")
    tab.done()
    assert log[-1]["messages"][0]["content"] == "line one\nline two"
    press("Tab")
    assert focus() == "high"
    press("ArrowRight")
    assert tab.page.is_checked("input[value=max]")
    press("Tab")
    assert focus() == "send"
    press("Alt+n")
    assert focus() == "ask" and tab.page.is_visible("#welcome")
    tab.ask("second")
    press("Alt+ArrowDown")
    assert tab.texts(".user .text") == ["line one\nline two"]
    press("Alt+ArrowUp")
    assert tab.texts(".user .text") == ["second"]
    press("Alt+b")
    assert not tab.page.is_visible("#sidebar")
    press("Alt+b")
    press("Alt+m")
    tab.page.wait_for_selector(".layer")
    press("Escape")
    assert not tab.page.is_visible("#scope") and focus() == "open-scope"
    press("?")
    assert tab.page.is_visible("#help")
    press("Escape")
    press("Alt+,")
    assert tab.page.is_visible("#settings")
    press("Escape")
    tab.page.evaluate("document.activeElement.blur()")
    press("/")
    assert focus() == "ask" and tab.page.input_value("#ask") == ""


NAMELESS = """() => [...document.querySelectorAll("button, input:not([type=file]), select, textarea, canvas, dialog, aside, nav, [role=img]")]
  .filter((n) => !(n.getAttribute("aria-label") || n.labels?.length || n.innerText?.trim() || n.textContent.trim() || document.getElementById(n.getAttribute("aria-labelledby"))))
  .map((n) => n.outerHTML)"""


def test_every_control_has_a_name(tab):
    tab.ask("weather")
    tab.page.keyboard.press("Alt+m")
    tab.page.wait_for_selector(".layer")
    assert tab.page.evaluate(NAMELESS) == []


def test_dark_and_light(tab):
    dark = "getComputedStyle(document.body).backgroundColor"
    light = tab.page.evaluate(dark)
    tab.setting(select={"#theme": "dark"})
    assert tab.page.evaluate(dark) != light
    tab.reload()
    assert tab.page.evaluate(dark) != light
    tab.setting(select={"#theme": "auto"})
    assert tab.page.evaluate(dark) == light
    tab.page.emulate_media(color_scheme="dark")
    assert tab.page.evaluate(dark) != light


def test_sampling_goes_into_the_request_and_can_be_reset(tab, log):
    fields = dict(zip(("temperature", "top_p", "max_tokens", "seed", "presence_penalty", "frequency_penalty"), ("0.7", "0.9", "100", "5", "1.5", "-0.5")))
    label = lambda name: f"#sampling label:has([data-t={name}]) input"  # noqa: E731
    tab.setting({**{label(name): value for name, value in fields.items()}, "#stop-words": "END\n\nSTOP"})
    tab.page.click("#open-settings")
    tab.page.check("#json-mode")
    tab.page.keyboard.press("Escape")
    tab.ask("hello")
    sent = log[-1]
    assert {name: sent[name] for name in fields} == {name: float(value) for name, value in fields.items()}
    assert sent["stop"] == ["END", "STOP"] and sent["response_format"] == {"type": "json_object"}
    tab.setting({label("temperature"): "9"})
    tab.reload()
    tab.page.click("#open-settings")
    assert tab.page.input_value(label("temperature")) == "0.7"  # what no server takes was not kept
    tab.page.click("#reset")
    tab.page.keyboard.press("Escape")
    tab.ask("hello")
    assert not {*fields, "stop", "response_format"} & set(log[-1])


def test_malformed_tools_stop_a_request_before_it_is_made(tab, log):
    tab.page.click("#open-settings")
    tab.page.fill("#tools", '{"a": 1}')
    assert tab.page.is_visible("#tools-bad")
    tab.page.keyboard.press("Escape")
    tab.type("hello")
    tab.page.wait_for_selector("#notice:visible")
    assert log == [] and tab.page.input_value("#ask") == "hello" and tab.texts(".message") == []
    tab.setting({"#tools": ""})
    tab.page.press("#ask", "Enter")
    tab.done()
    assert tab.answers() == ["You said: hello"]


def test_the_api_key_is_sent_and_forgotten_with_the_tab(tab):
    keys = []
    tab.page.on("request", lambda r: keys.append(r.headers.get("authorization")))
    tab.setting({"#key": "secret"})
    tab.ask("hello")
    assert keys[-1] == "Bearer secret"
    assert "secret" not in tab.page.evaluate("JSON.stringify(localStorage)")
    tab.page.close()
    tab.open()
    tab.page.click("#open-settings")
    assert tab.page.input_value("#key") == ""


PAINTED = """(canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data, seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add([data[i], data[i + 1], data[i + 2], data[i + 3]].join());
  return seen.size;
}"""


def test_the_microscope_shows_the_answer(tab):
    tab.ask("math")
    tab.page.get_by_label("Look with the microscope").click()
    tab.page.wait_for_selector(".layer")
    assert [text.split(" · ")[1] for text in tab.texts(".layer-name b")] == ["SWA", "CSA", "HCA", "CSA"]
    assert re.search(r"tokens/s.*32 of 40 \(80%\).*off", tab.texts(".facts-grid")[0], re.DOTALL)
    assert len(tab.texts(".legend li")) == 5 and "KiB" in tab.texts("#scope h3")[0]
    for canvas in tab.page.locator("#scope canvas").all():
        assert canvas.evaluate(PAINTED) >= 3
    whole = tab.page.locator(".strip").nth(1).screenshot()
    tab.page.locator(".ribbon span").nth(20).click()
    assert tab.texts(".ribbon .chosen") == [tab.page.locator(".ribbon span").nth(20).inner_text()]
    assert tab.page.locator(".strip").nth(1).screenshot() != whole and tab.page.input_value("#scope input[type=range]") == "20"
    tab.page.focus("#scope input[type=range]")
    tab.page.keyboard.press("ArrowRight")
    assert "token 21" in tab.page.get_attribute("#scope input[type=range]", "aria-valuetext")
    tab.page.keyboard.press("Home")
    assert tab.page.locator(".strip").nth(1).screenshot() == whole
    tab.page.locator(".strip").nth(1).hover(position={"x": 5, "y": 5})
    assert re.match(r"Entry \d+ · tokens \d+–\d+ · read by \d+%", tab.texts(".tip")[0])
    tab.page.locator(".bars").nth(1).hover(position={"x": 5, "y": 5})
    assert re.match(r"Expert 0: \d+%", tab.texts(".tip")[0])
    tab.ask("hello")
    tab.until("document.querySelector('.ribbon')?.textContent.includes('You said: hello')")


def test_the_microscope_says_why_it_cannot_look(chromium, server):
    tab = Tab(chromium, server)
    tab.page.keyboard.press("Alt+m")
    assert "Ask something first" in tab.texts("#scope")[0]
    tab.page.select_option("#model", "plain")
    tab.ask("hello")
    tab.page.wait_for_selector("#scope .error")
    assert "there is no model" in tab.texts("#scope .error")[0]
    tab.context.close()


def test_the_page_works_with_the_real_server(chromium):
    with scripted.running(create_app(service())) as url:
        tab = Tab(chromium, url)
        tab.setting({"#sampling label:has([data-t=max_tokens]) input": "24", "#sampling label:has([data-t=seed]) input": "1"})
        tab.ask("Once upon a time")
        tab.ask("and then?")
        assert "tokens" in tab.texts(".facts")[1] and tab.texts(".foot .error") == []
        tab.page.keyboard.press("Alt+m")
        tab.page.wait_for_selector(".layer")
        assert tab.errors == []
        tab.context.close()
