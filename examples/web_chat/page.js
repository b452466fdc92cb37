"use strict";

// What is known stands on the server. This asks for it and shows it; every text goes in as text.
const element = (id) => document.getElementById(id);
const names = { visitor: "You", assistant: "AI assistant", person: "A person", notice: "Notice" };
const modes = {
  assistant: "An AI assistant answers. Please send no passwords or card numbers.",
  person: "A person answers. Please send no passwords or card numbers.",
};
let shown = 0;
let lost = false;
let timer;

// Only a changed text is announced to those who hear the page.
function say(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

function problem(text) {
  element("problem").hidden = !text;
  say("problem", text ?? "");
}

function add(entry) {
  const item = document.createElement("li");
  const who = document.createElement("span");
  const text = document.createElement("p");
  item.className = entry.who;
  who.className = "who";
  who.textContent = names[entry.who];
  text.textContent = entry.text;
  item.append(who, text);
  element("entries").append(item);
}

function show(view) {
  if (view.entries.length < shown) {
    // The server has forgotten us; the assistant has not.
    element("entries").replaceChildren();
    shown = 0;
  }
  const news = view.entries.slice(shown);
  news.forEach(add);
  shown = view.entries.length;
  if (news.length > 0) element("log").scrollTop = element("log").scrollHeight;
  say("status", view.status ?? "");
  say("about", view.about ? `, ${view.about}` : "");
  say("mode", view.person ? modes.person : modes.assistant);
  element("send").disabled = view.busy;
}

async function refresh() {
  clearTimeout(timer);
  let pause = 5000;
  try {
    const answer = await fetch("messages", { cache: "no-store" });
    const view = await answer.json();
    if (!answer.ok) throw new Error(view.error);
    show(view);
    if (lost) problem();
    lost = false;
    pause = view.busy ? 700 : view.person ? 5000 : 20000;
  } catch (error) {
    lost = true;
    problem(error instanceof TypeError ? "There is no connection. Trying again …" : error.message);
  }
  timer = setTimeout(refresh, pause);
}

async function send(event) {
  event.preventDefault();
  const text = element("text").value.trim();
  if (!text || element("send").disabled) return;
  element("send").disabled = true;
  try {
    const answer = await fetch("messages", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
    });
    if (!answer.ok) throw new Error((await answer.json()).error);
    element("text").value = "";
    problem();
  } catch (error) {
    element("send").disabled = false;
    const gone = "There is no connection. Please look whether your message stands above before you send it again.";
    problem(error instanceof TypeError ? gone : error.message);
  }
  element("text").focus();
  refresh();
}

element("form").addEventListener("submit", send);
element("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  element("form").requestSubmit();
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());
refresh();
