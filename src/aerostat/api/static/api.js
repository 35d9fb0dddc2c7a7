// Talks to the daemon that served this page; asks for a token where one is needed.
const KEPT = "aerostat-token";
let token = sessionStorage.getItem(KEPT) || "";
let asking = null;

function headers(more) {
  return token ? { ...more, Authorization: `Bearer ${token}` } : { ...more };
}

// One question at a time, however many requests were refused.
function login() {
  const dialog = document.getElementById("login");
  asking ??= new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      // What is no ASCII cannot be sent, and is no token of ours.
      token = document.getElementById("token").value.trim().replace(/[^\x21-\x7e]/g, "");
      sessionStorage.setItem(KEPT, token);
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers(options.headers), cache: "no-store" });
  if (response.status !== 401) return response;
  await login();
  return ask(path, options);
}

export async function get(path) {
  const response = await ask(path);
  const document = await response.json();
  if (!response.ok) throw new Error(told(document, response));
  return document;
}

export async function post(path, body) {
  const response = await ask(path, {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  });
  const document = await response.json();
  if (!response.ok) throw new Error(told(document, response));
  return document;
}

function told(document, response) {
  const detail = document?.detail;
  if (Array.isArray(detail)) return detail.map((one) => `${one.loc.slice(1).join(".")}: ${one.msg}`).join("; ");
  return detail || response.statusText;
}

// Server-sent events by fetch, which can carry a token; it begins again by itself.
export async function follow(onEvent, onLink) {
  let last = "";
  for (;;) {
    try {
      const response = await ask("/v1/stream", { headers: last ? { "Last-Event-ID": last } : {} });
      if (!response.ok) throw new Error(response.statusText);
      onLink(true);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const parts = (text + value).split("\n\n");
        text = parts.pop();
        for (const part of parts) {
          const fields = Object.fromEntries(part.split("\n").map((line) => {
            const at = line.indexOf(": ");
            return [line.slice(0, at), line.slice(at + 2)];
          }));
          if (fields.id) last = fields.id;
          if (fields.data) onEvent(fields.event, JSON.parse(fields.data));
        }
      }
    } catch (error) {
      console.debug("the stream ended", String(error));
    }
    onLink(false);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
