// The page's own script: keeps nothing a person wrote. Signs of life, lock, progress, panels on a phone, names for
// screen readers that Gradio leaves in English.
"use strict";
(() => {
  const PULSE_MS = 3000;
  const SIGN_MS = 20000;
  const language = location.pathname.split("/")[2];

  // Gradio takes its few own words from the browser's language; here the page's language counts.
  for (const [name, value] of [["language", language], ["languages", [language]]]) {
    Object.defineProperty(navigator, name, { get: () => value, configurable: true });
  }

  const gone = () => location.replace(`/?lang=${language}&note=locked`);
  const original = window.fetch.bind(window);
  window.fetch = async (...request) => {
    const response = await original(...request);
    if (response.status === 401) gone();
    return response;
  };
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  let signed = 0;
  const sign = () => {
    const now = Date.now();
    if (now - signed < SIGN_MS) return;
    signed = now;
    window.fetch("/activity", { method: "POST" }).catch(() => {});
  };
  for (const kind of ["keydown", "pointerdown", "wheel"]) {
    addEventListener(kind, sign, { passive: true, capture: true });
  }

  // Gradio hears of typing by `keypress` alone; deletions, pasting and dictation have to be told.
  document.addEventListener("input", (event) => {
    if (event.target.closest?.(".sheet-field, .sheet-question")) {
      event.target.dispatchEvent(new KeyboardEvent("keypress", { key: "Unidentified" }));
    }
  });

  const tell = (text, state) => {
    const line = document.getElementById("progress");
    if (line.textContent !== text) line.textContent = text;
    line.hidden = !text;
    line.dataset.state = state;
  };

  let missed = 0;
  const pulse = async () => {
    try {
      const answer = await (await window.fetch(`/pulse?lang=${language}`)).json();
      missed = 0;
      tell(answer.progress, answer.state);
    } catch {
      missed += 1;
      if (missed > 1) tell(document.getElementById("bar").dataset.away, "failed");
    }
    setTimeout(pulse, PULSE_MS);
  };

  const show = (panel) => {
    document.body.dataset.panel = panel;
    for (const button of document.querySelectorAll(".panels button")) {
      button.setAttribute("aria-pressed", String(button.dataset.panel === panel));
    }
  };

  const named = () => {
    const log = document.querySelector("#chat [role=log]");
    if (log) log.setAttribute("aria-label", document.getElementById("bar").dataset.log);
    for (const part of document.querySelectorAll("#chat .message [aria-label]")) part.removeAttribute("aria-label");
    const status = document.getElementById("status");
    if (status) status.setAttribute("role", "status");
  };

  // Whoever begins, opens or sends goes on writing; on a phone that would call up the keyboard, so not there.
  const byKeys = matchMedia("(hover: hover) and (pointer: fine)").matches;
  let writing = false;
  const write = () => {
    const box = document.querySelector("#box textarea");
    if (writing && box?.checkVisibility()) {
      writing = false;
      box.focus();
    }
  };

  let marked = null;
  const reveal = () => {
    const mark = document.querySelector("#card mark");
    if (mark && mark !== marked) mark.scrollIntoView({ block: "center" });
    marked = mark;
  };

  document.addEventListener("DOMContentLoaded", () => {
    show("talk");
    document.querySelector(".panels").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) show(button.dataset.panel);
    });
    document.addEventListener("click", (event) => {
      if (event.target.closest("#new-conversation, #conversation-list input")) show("talk");
      if (byKeys && event.target.closest(".begin, #send")) writing = true;
      if (event.target.closest(".skip")) {
        event.preventDefault();
        const box = document.querySelector("#box textarea");
        (box.checkVisibility() ? box : document.querySelector("#welcome button")).focus();
      }
    });
    new MutationObserver(() => {
      named();
      reveal();
      write();
    }).observe(document.body, { childList: true, subtree: true });
    pulse();
  });
})();
