// Beside the phone: who one is, what Loa Số has written down about them, and three things to try.

import { $, avatar, channelBadge, h, icon, iconButton } from "./dom.js";
import { choose } from "./people.js";
import { GROUPS, PARTS, date, hour, number, on, post, refresh, shortDay, state, mayFail, whose } from "./store.js";

const KEY = "loaso-demo-tour";
const parts = {};
const done = new Set();

const STEPS = [
  {
    name: "join",
    title: "Làm bà con mới",
    text: "Cầm máy bà Mến, bấm BẮT ĐẦU rồi làm theo.",
    run: () => choose(first("newcomer")),
  },
  {
    name: "zalo",
    title: "Làm bà con dùng Zalo",
    text: "Cầm máy chị Thơm, bấm Quan tâm rồi chạm nút.",
    run: () => choose(first("newcomer", "zalo_oa")),
  },
  {
    name: "tell",
    title: "Làm trưởng thôn",
    text: "Gõ một tin, bấm gửi, nhìn tin tới từng nhà.",
    run: () => choose(first("village_head")),
  },
  {
    name: "wait",
    title: "Tua tới giờ gửi mẹo",
    text: "Tua đồng hồ để thấy mẹo tới từng người.",
    run: mayFail(() => post("clock", { hour: nextTip() })),
  },
];

const first = (part, channel = "telegram") => [...state.people.values()].find((one) => one.part === part && one.places[0].channel === channel)?.id;

export function nextTip() {
  const { tip_hours: ahead, morning } = state.pulse.clock;
  const last = ahead[ahead.length - 1];
  return last === undefined ? morning : `${String(last).padStart(2, "0")}:00`;
}

function stored(value) {
  try {
    if (value === undefined) return localStorage.getItem(KEY);
    return localStorage.setItem(KEY, value);
  } catch {
    return null;
  }
}

function tour() {
  const list = h(
    "ol",
    { class: "steps" },
    STEPS.map((step, n) => {
      const mark = h("span", { class: "step-mark" }, String(n + 1));
      const words = h("span", { class: "step-words" }, h("strong", {}, step.title), h("span", {}, step.text));
      const button = h("button", { type: "button", class: "step", data: { step: step.name }, onclick: step.run }, mark, words, icon("go"));
      return h("li", {}, button);
    }),
  );
  const hide = iconButton("close", "Cất hướng dẫn", () => show(false));
  parts.tour = h("section", { class: "card-box tour", "aria-label": "Thử bốn việc" }, h("div", { class: "card-head" }, h("h2", {}, "Thử bốn việc"), hide), list);
  parts.again = h("button", { type: "button", class: "tour-again", onclick: () => show(true) }, icon("commands"), "Mở lại hướng dẫn");
  show(stored() !== "away");
}

function show(yes) {
  stored(yes ? "here" : "away");
  parts.tour.hidden = !yes;
  parts.again.hidden = yes;
}

function finish(name) {
  if (done.has(name)) return;
  done.add(name);
  const step = parts.tour.querySelector(`[data-step="${name}"]`);
  step.classList.add("done");
  step.querySelector(".step-mark").replaceChildren(icon("check"));
}

const STATUS = { new: "chưa đăng ký", active: "đang nhận tin", stopped: "đã dừng nhận tin" };

const until = (way) => (way.until ? ` (đến ${hour(way.until)}, ${shortDay(way.until)})` : "");

// Whether a person may be written to now is a rule of Zalo, so it stands in the books.
const WINDOW = {
  open: () => "lúc nào cũng nhắn được",
  free: (way) => `nhắn được miễn phí${until(way)}`,
  paid: (way) => `nhắn được, tính phí${until(way)}`,
  waits: () => "phải chờ bà con nhắn",
  closed: () => "đã rời Loa Số",
};

const ways = (known) => {
  const all = known.ways ?? [];
  return all.map((way) => [state.platforms[way.channel].name, `${WINDOW[way.state](way)}${way.preferred && all.length > 1 ? "; tin đến đây" : ""}`]);
};

function who() {
  const person = state.people.get(state.me);
  if (!person) return;
  const known = state.chat?.known ?? {};
  const facts = [
    ["Tình trạng", STATUS[known.status]],
    ["Nơi ở", known.unit],
    ["Nhóm", GROUPS[known.group]],
    ["Giờ nhận mẹo", known.tip_hour === null || known.tip_hour === undefined ? null : `${known.tip_hour} giờ`],
    ["Đồng ý từ", known.consent_at ? date(known.consent_at) : null],
    ["Vai trò", known.roles?.map((one) => `${PARTS[one.role] ?? one.role}, ${one.unit}`).join("; ")],
    ["Đã mời", known.invited ? `${number(known.invited)} người` : null],
    ...ways(known),
  ].filter(([, value]) => value);
  const note = state.chat && !state.groups.has(state.place) ? "Loa Số chỉ ghi chừng này, không ghi tên." : "";
  parts.who.replaceChildren(
    ...[
      h(
        "div",
        { class: "who-head" },
        avatar(person, "large"),
        h("div", {}, h("small", {}, "Bạn đang là"), h("strong", {}, person.name), h("span", { class: "who-badges" }, h("span", { class: `badge ${person.part}` }, PARTS[person.part]), person.places.map((at) => channelBadge(at.channel, state.platforms[at.channel].name)))),
      ),
      h("p", { class: "who-about" }, person.about || `Bà con ở ${person.place}, ${person.commune}.`),
      facts.length ? h("div", { class: "ledger" }, h("h3", {}, "Sổ của Loa Số"), h("dl", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])), h("p", { class: "quiet" }, note)) : null,
      !facts.length && state.chat && !state.groups.has(state.place) ? h("p", { class: "quiet" }, "Sổ của Loa Số chưa có gì về người này.") : null,
    ].filter(Boolean),
  );
}

export function start() {
  tour();
  parts.who = h("section", { class: "card-box who", id: "who", "aria-live": "polite" });
  $("side").replaceChildren(parts.who, parts.again);
  const narrow = matchMedia("(max-width: 1020px)");
  const put = () => (narrow.matches ? $("people-tour") : $("side")).prepend(parts.tour);
  narrow.addEventListener("change", put);
  put();
  for (const kind of ["switching", "opened", "known"]) on(kind, who);
  on("said", ({ chat, message }) => {
    const { person, channel } = whose(chat);
    if (state.people.get(person)?.part === "newcomer" && (channel !== "telegram" || !message.bot)) finish(channel === "telegram" ? "join" : "zalo");
    if (message.bot && state.people.get(state.me)?.part === "village_head" && person !== state.me) finish("tell");
  });
  on("jumped", (seconds) => {
    if (seconds > 1500) finish("wait");
    mayFail(refresh)();
  });
}
