// What others receive: counters, a small chart, and messages grouped by what they say.

import { $, avatar, channelBadge, groupAvatar, h, icon } from "./dom.js";
import { choose } from "./people.js";
import { chatId, hour, line, number, on, state, whose } from "./store.js";

const KEPT = 40;
const FACES = 5;
const SHOWN = 60;
const parts = {};
const stories = new Map();
const owners = new Map();

function frame() {
  const counter = (name, label, title) => {
    parts[name] = h("strong", {}, "0");
    return h("div", { class: `counter ${name}`, title }, parts[name], h("span", {}, label));
  };
  parts.list = h("div", { class: "stories", id: "stories" });
  parts.chart = chart();
  $("feed").replaceChildren(
    h("div", { class: "feed-head" }, h("h2", {}, "Người khác nhận được"), h("span", { class: "live", id: "live" }, "đang nối")),
    h(
      "div",
      { class: "counters" },
      counter("sent", "tin đã gửi", "Mọi tin mà Loa Số đã gửi từ lúc bật"),
      counter("rate", "tin mỗi giây", "Trong giây vừa qua, cả Telegram (cho nhiều nhất 30) và Zalo"),
      counter("refused", "lần gửi quá nhanh", "Số lần Telegram hoặc Zalo trả lời: gửi quá nhanh. Phải luôn là 0"),
    ),
    parts.chart.box,
    parts.list,
  );
  hint();
}

function hint() {
  if (stories.size) return;
  parts.list.replaceChildren(
    h("div", { class: "nothing" }, icon("bell"), h("p", {}, "Chưa ai nhận được gì."), h("p", {}, "Hãy làm trưởng thôn và gửi một tin, hoặc tua đồng hồ tới giờ gửi mẹo: tin tới từng người sẽ hiện ở đây.")),
  );
}

function svg(tag, props, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const sum = (all) => all.reduce((one, other) => one + other, 0);

function stand(bar, on, tall) {
  bar.setAttribute("y", String(on - tall));
  bar.setAttribute("height", String(tall));
}

// Telegram's own limit is drawn, so its messages stand at the bottom and Zalo's above them.
function chart() {
  const places = [...Array(60).keys()].map((n) => ({ x: n * 5 + 0.75, width: 3.5, rx: 1 }));
  const [bars, tops] = ["chart-bar", "chart-bar zalo"].map((name) => places.map((at) => svg("rect", { ...at, class: name })));
  const limit = svg("line", { x1: 0, x2: 300, class: "chart-limit" });
  const drawn = svg("svg", { viewBox: "0 0 300 64", class: "chart", role: "img", "aria-label": "Số tin mỗi giây trong một phút qua" }, limit, ...bars, ...tops);
  const draw = (rates) => {
    const top = Math.max(34, ...rates.map(sum));
    const height = (value) => (value / top) * 60;
    bars.forEach((bar, n) => {
      const [telegram, ...zalo] = rates[n] ?? [0];
      const low = telegram ? Math.max(2, height(telegram)) : 1;
      const high = sum(zalo) ? Math.max(2, height(sum(zalo))) : 0;
      stand(bar, 63, low);
      stand(tops[n], 63 - (telegram ? low : 0), high);
      bar.classList.toggle("empty", !telegram);
    });
    const y = 63 - height(30);
    limit.setAttribute("y1", String(y));
    limit.setAttribute("y2", String(y));
  };
  return { box: h("figure", { class: "chart-box" }, drawn, h("figcaption", {}, h("span", {}, "một phút trước"), h("span", { class: "limit" }, "mức 30 của Telegram"), h("span", {}, "bây giờ"))), draw };
}

function pulse(found) {
  parts.sent.textContent = number(found.sent);
  parts.rate.textContent = number(sum(found.rate));
  parts.refused.textContent = number(found.refused);
  parts.refused.parentElement.classList.toggle("bad", found.refused > 0);
  parts.chart.draw(state.rates);
}

function said({ chat, message }) {
  if (!message.bot || message.service || chat === chatId()) return;
  const key = `${message.kind} ${message.text.slice(0, 120) || message.file?.name}`; // on Zalo links and choices follow as words, and files have other names
  let story = stories.get(key);
  if (!story) {
    story = { key, message, people: new Map(), gone: 0, ...card() };
    stories.set(key, story);
    if (stories.size === 1) parts.list.replaceChildren();
    parts.list.prepend(story.node);
    while (stories.size > KEPT) forget();
  }
  story.people.set(chat, message.date);
  owners.set(`${chat} ${message.id}`, story);
  soon(story);
}

function forget() {
  const [key, story] = stories.entries().next().value;
  stories.delete(key);
  story.node.remove();
  for (const [id, owner] of owners) if (owner === story) owners.delete(id);
}

function deleted({ chat, message }) {
  const story = owners.get(`${chat} ${message.id}`);
  if (!story) return;
  story.gone += 1;
  soon(story);
}

const waiting = new Set();

function soon(story) {
  if (!waiting.size) requestAnimationFrame(flush);
  waiting.add(story);
}

function flush() {
  for (const story of waiting) fill(story);
  waiting.clear();
}

function card() {
  const title = h("strong", { class: "story-title" });
  const text = h("p", { class: "story-text" });
  const faces = h("div", { class: "faces" });
  const all = h("div", { class: "recipients", hidden: true });
  const more = h("button", { type: "button", class: "story-more", "aria-expanded": "false", onclick: () => toggle() }, "Xem từng người");
  const time = h("span", { class: "story-hour" });
  const badges = h("div", { class: "story-badges" });
  const node = h("article", { class: "story" }, h("div", { class: "story-head" }, title, time), badges, text, h("div", { class: "story-foot" }, faces, more), all);
  const toggle = () => {
    all.hidden = !all.hidden;
    more.setAttribute("aria-expanded", String(!all.hidden));
    more.textContent = all.hidden ? "Xem từng người" : "Thu lại";
    fill([...stories.values()].find((one) => one.node === node));
  };
  return { node, title, badges, text, faces, all, more, time };
}

function owner(chat) {
  const { person, channel } = whose(chat);
  const one = state.people.get(person) ?? { ...state.groups.get(chat), name: state.groups.get(chat)?.title ?? "?", place: "" };
  return { ...one, chat, channel };
}

const badge = (one) => channelBadge(one.channel, state.platforms[one.channel].name);

// One badge for each application that a message has reached, with how many people there.
function badges(people) {
  const on = (zalo) => people.filter((one) => one.channel.startsWith("zalo") === zalo);
  return [on(false), on(true)].filter((all) => all.length).map((all) => {
    const shown = badge(all[0]);
    if (people.length > 1) shown.append(` ${number(all.length)}`);
    return shown;
  });
}

const portrait = (one) => (one.id < 0 ? groupAvatar("small") : avatar(one, "small"));

function go(chat) {
  const { person, place } = whose(chat);
  if (person !== null) return choose(person, place);
  const member = [...state.people.values()].find((one) => one.groups.includes(chat));
  return member && choose(member.id, chat);
}

function where(people) {
  const places = [...new Set(people.map((one) => one.place).filter(Boolean))];
  if (places.length === 1) return ` ở ${places[0]}`;
  return places.length ? ` ở ${places.length} thôn` : "";
}

function fill(story) {
  if (!story) return;
  const people = [...story.people.keys()].map(owner);
  const [first] = people;
  const many = people.length > 1;
  const kind = people.every((one) => one.id < 0) ? "nhóm" : "người";
  story.title.textContent = many ? `Đã tới ${number(people.length)} ${kind}${where(people)}` : `${first.name}${first.place ? `, ${first.place}` : ""}`;
  if (story.gone) story.title.textContent += ` (đã thu hồi ${number(story.gone)})`;
  story.text.textContent = line(story.message);
  story.time.textContent = hour(Math.max(...story.people.values()));
  story.node.classList.toggle("many", many);
  const face = (one) => h("button", { type: "button", class: "face", title: `${one.name}: xem điện thoại`, "aria-label": `Xem điện thoại của ${one.name}`, onclick: () => go(one.chat) }, portrait(one));
  const newest = people.slice(-FACES).reverse();
  const rest = people.length - newest.length;
  story.badges.replaceChildren(...badges(people));
  story.faces.replaceChildren(...newest.map(face), ...(rest > 0 ? [h("span", { class: "rest" }, `+${number(rest)}`)] : []));
  story.more.hidden = !many;
  if (story.all.hidden) return;
  const rows = people.slice(0, SHOWN).map((one) => h("button", { type: "button", class: "recipient", onclick: () => go(one.chat) }, portrait(one), h("span", {}, one.name), badge(one), h("small", {}, one.place)));
  story.all.replaceChildren(...rows, ...(people.length > SHOWN ? [h("p", { class: "quiet" }, `và ${number(people.length - SHOWN)} người nữa`)] : []));
}

export const reached = () => Math.max(0, ...[...stories.values()].map((story) => story.people.size));

function redraw() {
  stories.clear();
  owners.clear();
  frame();
  for (const event of state.recent) said(event);
  flush();
  pulse(state.pulse);
}

export function start() {
  redraw();
  on("loaded", redraw);
  on("pulse", pulse);
  on("said", said);
  on("deleted", deleted);
  on("connected", (yes) => {
    $("live").textContent = yes ? "trực tiếp" : "đang nối lại";
    $("live").classList.toggle("on", yes);
  });
}
