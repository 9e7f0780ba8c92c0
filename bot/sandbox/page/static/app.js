// Where the page begins: load the town, draw the parts, listen to what happens.

import { $, h, icon, toast } from "./dom.js";
import * as clock from "./clock.js";
import * as feed from "./feed.js";
import * as people from "./people.js";
import * as phone from "./phone.js";
import * as side from "./side.js";
import { listen, load, on, open, state, tell } from "./store.js";

const TABS = [
  ["people", "people", "Người"],
  ["phone", "chat", "Điện thoại"],
  ["feed", "chart", "Đã nhận"],
];

function tabs() {
  $("tabs").replaceChildren(
    ...TABS.map(([name, sign, label]) =>
      h("button", { type: "button", data: { tab: name }, onclick: () => ($("columns").dataset.tab = name, tell("tab", name)) }, icon(sign), h("span", {}, label)),
    ),
  );
  const mark = (name) => {
    for (const one of $("tabs").children) one.setAttribute("aria-current", one.dataset.tab === name ? "page" : "false");
  };
  on("tab", mark);
  mark($("columns").dataset.tab);
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    $("columns").dataset.tab = "people";
    tell("tab", "people");
    $("search").focus();
  }
});

on("refused", (text) => toast(text, "bad"));

async function begin() {
  await load();
  const parts = [clock, people, phone, side, feed];
  for (const part of parts) part.start();
  tabs();
  listen();
  const asked = Number(location.hash.slice(1));
  const first = [...state.people.values()].find((one) => one.part === "newcomer");
  await open(state.people.has(asked) ? asked : first.id);
  on("opened", () => history.replaceState(null, "", `#${state.me}`));
  document.body.classList.add("ready");
}

begin().catch((error) => toast(error.message, "bad"));
