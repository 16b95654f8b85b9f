// How does the page talk to the server? DeepSeek's chat completions as a stream, the list of models, the microscope.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(path, key, body, signal) {
  const headers = { ...(body ? { "Content-Type": "application/json" } : {}), ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  const response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal });
  if (!response.ok) throw new ApiError(response.status, await reason(response));
  return response;
}

/** What the server said was wrong. */
async function reason(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    const said = body.error?.message ?? body.detail ?? body.message;
    return typeof said === "string" ? said : JSON.stringify(said ?? body);
  } catch {
    return text.slice(0, 300) || response.statusText;
  }
}

export async function listModels(key) {
  return (await (await request("/models", key)).json()).data;
}

export async function examine(body, key, signal) {
  return (await request("/microscope", key, body, signal)).json();
}

/** Streams an answer: yields the server's chunks as objects. Leaving the loop, or the signal, ends the request. */
export async function* complete(body, key, signal) {
  const response = await request("/v1/chat/completions", key, { ...body, stream: true, stream_options: { include_usage: true } }, signal);
  for await (const data of events(response.body)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ApiError(response.status, chunk.error.message ?? JSON.stringify(chunk.error));
    yield chunk;
  }
  throw new ApiError(response.status, "the connection ended before the answer did");
}

/** The data of each server-sent event; comments, which keep the connection alive, are skipped. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", data = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r?\n/);
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
        else if (line === "" && data.length) {
          yield data.join("\n");
          data = [];
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // of a request that was stopped there is nothing left to cancel
  }
}
