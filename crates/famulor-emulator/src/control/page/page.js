"use strict";
// Everything that comes from a request is set with textContent: it is never HTML.
const $ = (id) => document.getElementById(id);
const KEPT = 200;
const EFFECTS = {
  "connection closed after processing": { after: "close" },
  "answer cut after 20 bytes": { after: { cut: 20 } },
  "answer garbled": { after: "garble" },
  "answer 5 s late": { after: { delay: "5s" } },
  "503 before processing": { before: { answer: { status: 503, body: { error: "busy" } } } },
  "500 after processing": { after: { answer: { status: 500, body: { message: "Server Error" } } } },
  "502 page of a proxy": { answer: "bad_gateway" },
  "429 with headers": { answer: { too_many_requests: { headers: true, retry_after: 5 } } },
  "429 without headers": { answer: { too_many_requests: { headers: false, retry_after: 5 } } },
  "redirect to a login page": { answer: "login_redirect" },
  "200 with a refusal": { answer: "refusal_in_success" },
  "unknown error code": { answer: "unknown_error_code" },
  "connection reset, not processed": { before: "refuse" },
  "connection reset, processed": { wire: "reset" },
  "body stalls for 5 s": { wire: { stall: "5s" } },
  "body drips": { wire: { drip: { bytes: 8, every: "200ms" } } },
  "broken chunk": { wire: "bad_chunk" },
  "oversized header": { wire: { oversized_header: 1048576 } },
  "port closed for 5 s": { wire: { refuse: "5s" } },
};
const OPERATIONS = ["generateReply", "sendMessage", "createConversation", "getConversation", "listConversations",
  "disableConversationAi", "enableConversationAi", "listAssistants", "getMe",
  "enableConversationEndedWebhook", "disableConversationEndedWebhook"];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function call(path, method = "GET", body) {
  const response = await fetch(path, {
    method, body: body && JSON.stringify(body), headers: body ? { "Content-Type": "application/json" } : {},
  });
  const text = await response.text();
  const json = text ? JSON.parse(text) : {};
  if (!response.ok) throw new Error(json.error || `${response.status} from ${path}`);
  return json;
}

function complain(error) {
  $("trouble").textContent = error ? String(error.message || error) : "";
  $("trouble").hidden = !error;
}

// Replaces a list only where it has changed, so that the keyboard's focus stays.
const shown = {};
function fill(id, data, make, nothing) {
  const key = JSON.stringify(data);
  if (shown[id] === key) return;
  shown[id] = key;
  const focused = document.activeElement && document.activeElement.dataset.key;
  const rows = data.length ? data.map(make) : [element("li", { className: "empty", textContent: nothing })];
  $(id).replaceChildren(...rows);
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function link(text, key, open) {
  const button = element("button", { type: "button", className: "link", textContent: text, onclick: open });
  button.dataset.key = key;
  return button;
}

const clock = (time) => time.slice(11, 19);

function tone(status) {
  if (status === null) return "bad";
  return status < 300 ? "good" : status === 429 ? "warn" : "bad";
}

function requestRow(entry) {
  const what = `${entry.method} ${entry.path.replace("/api", "")}`;
  const cell = (textContent, className = "") => element("td", { textContent, className });
  const done = [entry.processed && "processed", entry.billed !== null && `$${entry.billed}`].filter(Boolean).join(", ");
  return element("tr", {}, cell(entry.sequence), cell(clock(entry.time)),
    element("td", {}, link(what, `r${entry.sequence}`, () => showRequest(entry.sequence))),
    cell(entry.customer && !entry.path.includes(entry.customer) ? entry.customer : ""),
    cell(entry.status ?? "none", tone(entry.status)), cell(done), cell(entry.fault ?? "", "warn"));
}

let last = 0;
let requests = [];
async function follow() {
  // The newest may still be under way: ask for those again.
  const open = requests.filter((entry) => entry.status === null && !entry.fault).map((entry) => entry.sequence);
  const from = Math.min(last, ...open.map((sequence) => sequence - 1));
  const fresh = (await call(`requests?after=${from}`)).requests;
  if (fresh.length === 0) return;
  requests = requests.filter((entry) => entry.sequence <= from).concat(fresh).slice(-KEPT);
  last = requests[requests.length - 1].sequence;
}

function showRequests() {
  const key = JSON.stringify(requests);
  if (shown.requests === key) return;
  shown.requests = key;
  const focused = document.activeElement && document.activeElement.dataset.key;
  const rows = requests.slice().reverse().map(requestRow);
  const none = element("td", { colSpan: 7, className: "empty", textContent: "No request yet." });
  $("requests").replaceChildren(...(rows.length ? rows : [element("tr", {}, none)]));
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function limitRow(limit) {
  const free = limit.used ? `, free in ${Math.ceil(limit.free_in_s)} s` : "";
  const text = `${limit.used} of ${limit.limit} in ${limit.window_s} s${free}`;
  const label = `${limit.scope}, token ${limit.token}`;
  const meter = element("meter", { min: 0, max: limit.limit, value: limit.used, high: limit.limit * 0.8,
    low: limit.limit * 0.6, optimum: 0 });
  meter.setAttribute("aria-label", `${label}: ${text}`);
  return element("li", {}, element("div", { className: "row" }, element("span", { textContent: label }),
    element("span", { className: "soft", textContent: text })), meter);
}

function faultRow(fault) {
  const { id, hits, skip, times, ...rest } = fault;
  const left = times === null ? "all" : `${times} left`;
  const text = `${JSON.stringify(rest)} · ${left}${skip ? `, after ${skip}` : ""}${hits ? `, hit ${hits}` : ""}`;
  const off = element("button", { type: "button", textContent: "Off",
    onclick: async () => {
      await act(() => call(`faults/${id}`, "DELETE"));
      // The button is gone; the keyboard goes on at the next one, or where faults are switched on.
      ($("faults").querySelector("button") || $("fault").elements.on).focus();
    } });
  off.dataset.key = `f${id}`;
  off.setAttribute("aria-label", `Switch off fault ${id}`);
  return element("li", { className: "row" }, element("span", { textContent: text }), off);
}

function conversationRow(row) {
  const state = row.ended ? "ended" : row.ai_enabled ? "" : "a person has taken over";
  const text = `${row.customer ?? row.id}`;
  return element("li", {}, link(text, `c${row.id}`, () => showConversation(row.id)),
    element("div", { className: "soft",
      textContent: [row.type, row.assistant, `${row.messages} messages`, `$${row.total_cost}`, state].filter(Boolean).join(" · ") }));
}

function deliveryRow(row) {
  const text = `${row.event} attempt ${row.attempt}: ${row.status ?? row.error ?? "not sent"}, ${row.outcome}`;
  return element("li", {}, link(text, `d${row.sequence}`, () => showDelivery(row.sequence)),
    element("div", { className: "soft", textContent: `${clock(row.time)} ${row.url}` }));
}

function open(title, ...children) {
  $("detail-title").textContent = title;
  $("detail-body").replaceChildren(...children);
  if (!$("detail").open) $("detail").showModal();
}

const pretty = (value) => element("pre", { textContent: typeof value === "string" ? value : JSON.stringify(value, null, 2) });
const heading = (textContent) => element("h3", { textContent });

async function showRequest(sequence) {
  const { asked, answered, ...entry } = await call(`requests/${sequence}`);
  open(`Request ${sequence}`, heading("Asked"), pretty(asked), heading("Answered"), pretty(answered),
    heading("Noted"), pretty(entry));
}

async function showDelivery(sequence) {
  const { payload, ...entry } = await call(`deliveries/${sequence}`);
  open(`Delivery ${sequence}`, heading("Payload"), pretty(payload), heading("Noted"), pretty(entry));
}

async function showConversation(id) {
  const whole = await call(`conversations/${encodeURIComponent(id)}`);
  const turns = whole.history.map((turn) => {
    const said = element("div", { className: "said" }, element("b", { textContent: turn.role }), turn.content);
    if (["user", "assistant"].includes(turn.role)) said.classList.add(turn.role);
    if (turn.function_calls) said.append(pretty(turn.function_calls));
    return said;
  });
  const end = element("button", { type: "button", textContent: "End it now",
    onclick: () => act(() => call(`conversations/${encodeURIComponent(id)}/end`, "POST")) });
  open(`${whole.customer ?? whole.id}`, element("p", { className: "soft", textContent: `${whole.type} · ${whole.assistant}` }),
    ...turns, end);
}

async function act(what) {
  try {
    await what();
    complain();
    await refresh();
  } catch (error) {
    complain(error);
  }
}

async function refresh() {
  const [time, limits, faults, conversations, deliveries] = await Promise.all(
    ["clock", "limits", "faults", "conversations", "deliveries"].map((path) => call(path)));
  if (last === 0 || (await call("stats")).requests < requests.length) { last = 0; requests = []; }
  await follow();
  $("clock").textContent = `${time.now.slice(0, 10)} ${clock(time.now)} UTC, ` +
    (time.time_scale === 0 ? "standing still" : `${time.time_scale}× real time`);
  showRequests();
  fill("limits", limits.limits, limitRow, "No token has called yet, or limits are off.");
  fill("faults", faults.faults, faultRow, "No fault is switched on.");
  fill("conversations", conversations.conversations, conversationRow, "No conversation.");
  fill("deliveries", deliveries.deliveries.slice(-50).reverse(), deliveryRow, "No webhook was called.");
}

async function poll() {
  try {
    await refresh();
    if ($("trouble").dataset.lost) { delete $("trouble").dataset.lost; complain(); }
  } catch {
    $("trouble").dataset.lost = "1";
    complain("The emulator does not answer; trying again.");
  }
  setTimeout(poll, 1000);
}

for (const name of Object.keys(EFFECTS)) $("fault").elements.effect.append(element("option", { textContent: name }));
for (const name of OPERATIONS) $("fault").elements.operation.append(element("option", { textContent: name }));
$("fault").addEventListener("submit", (event) => {
  event.preventDefault();
  const { effect, operation, customer, times } = event.target.elements;
  const fault = { ...EFFECTS[effect.value], times: times.value ? Number(times.value) : null };
  if (operation.value) fault.operation = operation.value;
  if (customer.value) fault.customer = customer.value;
  act(() => call("faults", "POST", fault));
});
for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => act(() => call("clock", "POST", { advance: button.dataset.advance })));
}
$("reset").addEventListener("click", () => act(async () => { await call("reset", "POST"); last = 0; requests = []; }));
poll();
