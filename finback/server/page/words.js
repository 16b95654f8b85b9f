// What does the page say, in which language?

export const WORDS = {
  en: {
    newChat: "New chat", chats: "Conversations", noChats: "No conversations yet", untitled: "New chat",
    export: "Export all", import: "Import", imported: "{0} conversations imported", importFailed: "This file cannot be imported: {0}",
    rename: "Rename", renameTo: "Name of the conversation", remove: "Delete", removeSure: "Delete “{0}”? This cannot be undone.", exportOne: "Export this conversation",
    cancel: "Cancel", save: "Save", close: "Close", menu: "Show or hide conversations", settings: "Settings", help: "Keyboard and help", microscope: "Microscope",
    ask: "Message", askHint: "Ask something", send: "Send", stop: "Stop", thinking: "Thinking", none: "None", high: "High", max: "Max",
    you: "You", model: "Model", thinkingNow: "Thinking for {0} s", thought: "Thought for {0} s", thoughtStopped: "Thoughts", tokens: "{0} tokens", perSecond: "{0} tokens/s",
    copy: "Copy", copyCode: "Copy code", copied: "Copied", edit: "Edit", retry: "Answer again", branch: "Go on in a new conversation", look: "Look with the microscope",
    previous: "Previous version", next: "Next version", version: "Version {0} of {1}", sendEdit: "Send", editing: "Edit the message",
    toolCall: "Tool call", result: "Result", resultHint: "What the tool answered", sendResults: "Send results", badArguments: "The arguments are not valid JSON", running: "being written", text: "text",
    stopped: "stopped", length: "cut at the token limit", content_filter: "filtered", error: "Error", noAnswer: "Nothing was said.", onlyThoughts: "The answer ended within its thoughts.", keyNeeded: "This server asks for an API key: enter one in the settings.",
    unreachable: "The server cannot be reached. Is it running?", notKept: "This browser keeps nothing: conversations are gone when the page closes.", storeFailed: "The conversation could not be saved: {0}",
    answering: "Answering", answered: "The answer is complete", welcome: "What shall we talk about?", welcomeMore: "Conversations stay in this browser.", toEnd: "To the end",
    conversation: "This conversation", system: "System prompt", tools: "Tools (JSON array, as in the API)", toolsBad: "Tools are not a JSON array: {0}", jsonMode: "Answer in JSON",
    sampling: "Sampling", temperature: "Temperature", top_p: "Top p", max_tokens: "Longest answer (tokens)", seed: "Seed", stopWords: "Stop at (one per line)",
    presence_penalty: "Presence penalty", frequency_penalty: "Frequency penalty", default: "server's choice", reset: "Reset sampling",
    page: "Page", language: "Language", theme: "Colours", auto: "As the system", light: "Light", dark: "Dark", key: "API key", keyHint: "Only if the server asks for one. Kept until the tab closes.",
    shortcuts: "Keyboard", keySend: "send", keyLine: "new line", keyStop: "stop, close", keyNew: "new chat", keyFocus: "to the message field", keyMenu: "conversations", keyScope: "microscope", keySettings: "settings", keyChats: "previous or next conversation", keyEdit: "edit the last message, from an empty field", keyHelp: "this help",
    scopeNone: "Ask something first: the microscope looks at an answer.", scopeLooking: "Looking…", speed: "Speed", firstToken: "First token", drafts: "Drafts accepted", cacheHits: "Prompt from cache",
    ofAll: "{0} of {1}", unknown: "not reported", off: "off", overall: "since the server started", seconds: "{0} s", memory: "Cache of this conversation", window: "Window", tails: "Compressor tails", csa: "CSA entries", hca: "HCA entries", index: "Index keys", allocated: "{0} allocated in blocks",
    tokenPick: "Token of the answer", wholeAnswer: "whole answer", tokenAt: "token {0}: “{1}”", layers: "Layers", layerSWA: "window only", layerCSA: "{0} entries of {1} tokens, up to {2} picked", layerHCA: "{0} entries of {1} tokens, all read", experts: "Experts", hashed: "chosen by token", routed: "chosen by the router",
    scopeHow: "Each strip is the context from left to right. Bright: compressed entries that the answer read; the bar below marks the window of the last {0} tokens. Bars: how often each expert worked.", entryTip: "Entry {0} · tokens {1}–{2} · read by {3}%", entryRead: "read", entryNot: "not read", expertTip: "Expert {0}: {1}%", partly: "Only the last {0} tokens of the answer are shown.", stripLabel: "Layer {0}, {1}: what the answer read",
  },
  zh: {
    newChat: "新对话", chats: "对话", noChats: "还没有对话", untitled: "新对话",
    export: "全部导出", import: "导入", imported: "已导入 {0} 个对话", importFailed: "无法导入该文件：{0}",
    rename: "重命名", renameTo: "对话名称", remove: "删除", removeSure: "删除“{0}”？此操作无法撤销。", exportOne: "导出此对话",
    cancel: "取消", save: "保存", close: "关闭", menu: "显示或隐藏对话列表", settings: "设置", help: "快捷键与帮助", microscope: "显微镜",
    ask: "消息", askHint: "输入问题", send: "发送", stop: "停止", thinking: "思考", none: "关闭", high: "高", max: "最高",
    you: "你", model: "模型", thinkingNow: "正在思考 {0} 秒", thought: "思考了 {0} 秒", thoughtStopped: "思考过程", tokens: "{0} 个 token", perSecond: "{0} token/秒",
    copy: "复制", copyCode: "复制代码", copied: "已复制", edit: "编辑", retry: "重新回答", branch: "在新对话中继续", look: "用显微镜查看",
    previous: "上一版本", next: "下一版本", version: "第 {0} 版，共 {1} 版", sendEdit: "发送", editing: "编辑消息",
    toolCall: "工具调用", result: "结果", resultHint: "工具返回的内容", sendResults: "发送结果", badArguments: "参数不是有效的 JSON", running: "正在生成", text: "文本",
    stopped: "已停止", length: "达到长度上限", content_filter: "已过滤", error: "错误", noAnswer: "没有内容。", onlyThoughts: "回答在思考过程中结束。", keyNeeded: "此服务器需要 API 密钥：请在设置中填写。",
    unreachable: "无法连接服务器。它在运行吗？", notKept: "此浏览器不保存数据：关闭页面后对话将消失。", storeFailed: "无法保存对话：{0}",
    answering: "正在回答", answered: "回答完毕", welcome: "想聊些什么？", welcomeMore: "对话只保存在此浏览器中。", toEnd: "到末尾",
    conversation: "此对话", system: "系统提示", tools: "工具（JSON 数组，格式同 API）", toolsBad: "工具不是 JSON 数组：{0}", jsonMode: "以 JSON 回答",
    sampling: "采样", temperature: "温度", top_p: "Top p", max_tokens: "回答最大长度（token）", seed: "随机种子", stopWords: "停止词（每行一个）",
    presence_penalty: "存在惩罚", frequency_penalty: "频率惩罚", default: "由服务器决定", reset: "重置采样",
    page: "页面", language: "语言", theme: "配色", auto: "跟随系统", light: "浅色", dark: "深色", key: "API 密钥", keyHint: "仅在服务器要求时填写；关闭标签页后清除。",
    shortcuts: "快捷键", keySend: "发送", keyLine: "换行", keyStop: "停止、关闭", keyNew: "新对话", keyFocus: "跳到输入框", keyMenu: "对话列表", keyScope: "显微镜", keySettings: "设置", keyChats: "上一个或下一个对话", keyEdit: "输入框为空时编辑最后一条消息", keyHelp: "本帮助",
    scopeNone: "请先提问：显微镜查看的是一个回答。", scopeLooking: "正在查看…", speed: "速度", firstToken: "首个 token", drafts: "草稿接受率", cacheHits: "提示缓存命中",
    ofAll: "{0} / {1}", unknown: "未报告", off: "关闭", overall: "自服务器启动以来", seconds: "{0} 秒", memory: "此对话的缓存", window: "窗口", tails: "压缩器尾部", csa: "CSA 条目", hca: "HCA 条目", index: "索引键", allocated: "按块分配 {0}",
    tokenPick: "回答中的 token", wholeAnswer: "整个回答", tokenAt: "第 {0} 个 token：“{1}”", layers: "各层", layerSWA: "仅窗口", layerCSA: "{0} 个条目，每个 {1} 个 token，索引器最多选 {2} 个", layerHCA: "{0} 个条目，每个 {1} 个 token，全部读取", experts: "专家", hashed: "由 token 决定", routed: "由路由器选择",
    scopeHow: "每条带从左到右是整个上下文。亮处：回答读取过的压缩条目；下方的横条标出最后 {0} 个 token 的窗口。柱形：各专家的工作频率。", entryTip: "条目 {0} · token {1}–{2} · {3}% 读取", entryRead: "已读取", entryNot: "未读取", expertTip: "专家 {0}：{1}%", partly: "只显示回答的最后 {0} 个 token。", stripLabel: "第 {0} 层，{1}：回答读取的内容",
  },
};

let language = "en";

export const LANGUAGES = { en: "English", zh: "中文" };

export function setLanguage(name) {
  language = WORDS[name] ? name : "en";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

/** The words for a key, with {0}, {1}, ... filled in. */
export function t(key, ...values) {
  return WORDS[language][key].replace(/\{(\d)\}/g, (_, i) => values[i]);
}

/** The words for a key, or the key itself: for what a server may say and the page may not know. */
export function tOr(key) {
  return WORDS[language][key] ?? key;
}

/** Writes the words into every element that asks for some: data-t as text, data-t-label as its name, data-t-hint as placeholder. */
export function translate(root) {
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
    node.title = t(node.dataset.tLabel);
  }
  for (const node of root.querySelectorAll("[data-t-hint]")) node.placeholder = t(node.dataset.tHint);
}
