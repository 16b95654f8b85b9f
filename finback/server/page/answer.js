// How does one answer come to be? The stream's deltas go into the message, with the times at which they came.

import { complete } from "./api.js";
import { t } from "./words.js";

export function newAnswer(model) {
  return { role: "assistant", content: "", reasoning: "", tool_calls: [], model, finish: "", error: "", times: null, usage: null };
}

/**
 * Fills `node` with the answer to `body`; `changed` is called after every delta.
 * times: milliseconds from the request to the first delta, to the end of the thoughts, to the last delta.
 */
export async function answer(node, body, key, signal, changed) {
  const began = performance.now();
  const now = () => performance.now() - began;
  node.times = { began: Date.now() };
  try {
    for await (const chunk of complete(body, key, signal)) {
      if (chunk.usage) node.usage = usage(chunk.usage);
      const choice = chunk.choices?.[0];
      if (!choice) continue;
      const delta = choice.delta ?? {};
      const said = delta.reasoning_content || delta.content || delta.tool_calls;
      if (said) {
        node.times.first ??= now();
        node.times.last = now();
      }
      if (delta.reasoning_content) {
        node.reasoning += delta.reasoning_content;
        node.times.thought = now();
      }
      if (delta.content) node.content += delta.content;
      for (const call of delta.tool_calls ?? []) addCall(node, call);
      if (choice.finish_reason) node.finish = choice.finish_reason;
      changed();
    }
  } catch (error) {
    if (signal.aborted) node.finish = "stopped";
    else node.error = error instanceof TypeError ? t("unreachable") : error.message;
  }
}

function addCall(node, part) {
  const index = part.index ?? 0;
  while (node.tool_calls.length <= index) node.tool_calls.push({ id: "", name: "", arguments: "" });
  const call = node.tool_calls[index];
  call.id ||= part.id ?? "";
  call.name += part.function?.name ?? "";
  call.arguments += part.function?.arguments ?? "";
  if (part.malformed) call.malformed = part.malformed;
}

function usage(told) {
  const details = told.completion_tokens_details ?? {};
  const found = {
    prompt: told.prompt_tokens,
    completion: told.completion_tokens,
    hit: told.prompt_cache_hit_tokens ?? told.prompt_tokens_details?.cached_tokens,
    reasoning: details.reasoning_tokens,
    accepted: details.accepted_prediction_tokens,
    rejected: details.rejected_prediction_tokens,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => Number.isFinite(value)));
}

/** Tokens per second after the first, or null where that is not known. */
export function speed(node) {
  const seconds = ((node.times?.last ?? 0) - (node.times?.first ?? 0)) / 1000;
  return node.usage?.completion > 1 && seconds > 0 ? (node.usage.completion - 1) / seconds : null;
}
