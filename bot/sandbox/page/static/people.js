// The list of people: who one can be, grouped by what they do and where they live.

import { $, avatar, channelSign, groupAvatar, h, icon, moveFocus } from "./dom.js";
import { GROUPS, PARTS, lately, number, on, open, state, tell } from "./store.js";

const rows = new Map();
const PRINCIPALS = ["village_head", "influencer", "helper", "editor", "approver", "admin"];

const fold = (text) =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/đ/gi, "d")
    .toLowerCase();

export function choose(id, place = "bot") {
  $("columns").dataset.tab = "phone";
  tell("tab", "phone");
  return open(id, place);
}

function row(person) {
  const note = h("span", { class: "row-note" });
  const unread = h("span", { class: "unread", hidden: true });
  const node = h(
    "button",
    { type: "button", class: "row", data: { person: person.id }, onclick: () => choose(person.id) },
    avatar(person),
    h("span", { class: "row-text" }, h("span", { class: "row-title" }, h("span", { class: "row-name" }, person.name), person.places.map((at) => channelSign(at.channel, state.platforms[at.channel].name))), note),
    h("span", { class: "row-end" }, h("span", { class: "row-hour" }), unread),
  );
  rows.set(person.id, node);
  refresh(person);
  return node;
}

function refresh(person) {
  const node = rows.get(person.id);
  if (!node) return;
  const [note, unread, at] = [".row-note", ".unread", ".row-hour"].map((name) => node.querySelector(name));
  const badge = person.part === "resident" ? null : h("span", { class: `badge ${person.part}` }, PARTS[person.part]);
  const said = person.last?.text;
  note.replaceChildren(...[badge, h("span", { class: "row-said" }, said || (badge || person.about ? shortPlace(person) : (GROUPS[person.group] ?? "")))].filter(Boolean));
  at.textContent = person.last ? lately(person.last.date) : "";
  unread.hidden = !person.unread;
  unread.textContent = person.unread > 99 ? "99+" : String(person.unread);
  unread.setAttribute("aria-label", `${person.unread} tin chưa xem`);
  node.classList.toggle("blocked", person.blocked);
  mark(node, person.id);
}

const shortPlace = (person) => person.place || "chưa đăng ký";

function mark(node, id) {
  if (state.me === id && state.place === "bot") node.setAttribute("aria-current", "true");
  else node.removeAttribute("aria-current");
}

function section(title, people, note = "") {
  if (!people.length) return null;
  return h(
    "section",
    { class: "people-section" },
    h("h3", {}, title, note && h("small", {}, note)),
    people.map(row),
  );
}

function village(name, people) {
  const shut = h("details", { class: "village", data: { village: name } });
  const count = h("small", {}, `${number(people.length)} người`);
  const fresh = h("span", { class: "unread", hidden: true });
  shut.append(h("summary", {}, icon("go"), h("span", {}, name), fresh, count));
  const fill = () => {
    if (shut.childElementCount === 1) shut.append(...people.map(row));
  };
  shut.addEventListener("toggle", () => shut.open && fill());
  villages.set(name, { fresh, people });
  return shut;
}

const villages = new Map();

function count(name) {
  const found = villages.get(name);
  if (!found) return;
  const unread = found.people.reduce((sum, one) => sum + state.people.get(one.id).unread, 0);
  found.fresh.hidden = !unread;
  found.fresh.textContent = unread > 99 ? "99+" : String(unread);
}

function groupRow(group) {
  const member = [...state.people.values()].find((one) => one.groups.includes(group.id));
  return h(
    "button",
    { type: "button", class: "row", onclick: () => member && choose(member.id, group.id) },
    groupAvatar(),
    h(
      "span",
      { class: "row-text" },
      h("span", { class: "row-name" }, group.title),
      h("span", { class: "row-note" }, h("span", { class: "row-said" }, `${group.members} người và Loa Số`)),
    ),
  );
}

function draw() {
  rows.clear();
  villages.clear();
  const all = [...state.people.values()];
  const of = (...parts) => all.filter((one) => parts.includes(one.part));
  const known = of("resident", "blocked").filter((one) => one.about);
  const others = all.filter((one) => one.part === "resident" && !one.about);
  const byCommune = Map.groupBy
    ? Map.groupBy(others, (one) => one.commune)
    : others.reduce((map, one) => map.set(one.commune, [...(map.get(one.commune) ?? []), one]), new Map());
  const list = h(
    "div",
    { class: "people-list", id: "people-list" },
    section("Lần đầu gặp Loa Số", of("newcomer")),
    section("Người làm việc với Loa Số", PRINCIPALS.flatMap((part) => of(part))),
    section("Bà con quen", known),
    h("section", { class: "people-section" }, h("h3", {}, "Nhóm chat"), [...state.groups.values()].map(groupRow)),
    [...byCommune].map(([commune, people]) =>
      h(
        "section",
        { class: "people-section" },
        h("h3", {}, commune, h("small", {}, `${number(people.length)} người`)),
        [...new Set(people.map((one) => one.place))].map((name) =>
          village(name, people.filter((one) => one.place === name)),
        ),
      ),
    ),
  );
  list.addEventListener("keydown", (event) => event.key.startsWith("Arrow") && moveFocus(list, event));
  const search = h("input", {
    type: "search",
    id: "search",
    placeholder: "Tìm tên, thôn, Zalo",
    "aria-label": "Tìm người",
    autocomplete: "off",
    oninput: () => find(search.value, list),
    onkeydown: (event) => event.key === "ArrowDown" && moveFocus(list, event),
  });
  $("people").replaceChildren(
    h("div", { class: "people-head" }, h("h2", {}, "Bạn muốn làm ai?"), h("label", { class: "search" }, icon("search"), search)),
    list,
  );
}

function find(words, list) {
  const wanted = fold(words.trim());
  list.querySelector(".found")?.remove();
  for (const part of list.children) part.hidden = Boolean(wanted);
  if (!wanted) return;
  const hits = [...state.people.values()]
    .filter((one) => fold(`${one.name} ${one.place} ${PARTS[one.part]} ${one.places.map((at) => state.platforms[at.channel].name).join(" ")}`).includes(wanted))
    .slice(0, 40);
  const shown = hits.map((one) => {
    const own = row(one);
    own.addEventListener("click", draw, { once: true });
    return own;
  });
  list.append(h("section", { class: "people-section found" }, shown.length ? shown : h("p", { class: "quiet" }, "Không thấy ai tên như vậy.")));
}

function reveal() {
  for (const [id, node] of rows) mark(node, id);
  const me = state.people.get(state.me);
  if (!me) return;
  refresh(me);
  count(me.place);
}

export function start() {
  draw();
  on("loaded", draw);
  on("switching", reveal);
  on("opened", reveal);
  on("people", (id) => {
    const person = state.people.get(id);
    if (!person) return;
    refresh(person);
    count(person.place);
    tell("unread");
  });
}
