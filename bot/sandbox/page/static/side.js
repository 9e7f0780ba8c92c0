// Beside the phone: who one is, what Loa Số has written down about them, and three things to try.

import { $, avatar, h, icon, iconButton } from "./dom.js";
import { choose } from "./people.js";
import { GROUPS, PARTS, date, number, on, post, state, mayFail } from "./store.js";

const KEY = "loaso-demo-tour";
const parts = {};
const done = new Set();

const STEPS = [
  {
    name: "join",
    title: "Làm bà con mới",
    text: "Cầm máy bà Mến, bấm BẮT ĐẦU rồi làm theo lời Loa Số.",
    run: () => choose(first("newcomer")),
  },
  {
    name: "tell",
    title: "Làm trưởng thôn",
    text: "Gõ một tin cho cả thôn, bấm gửi và nhìn tin tới từng nhà.",
    run: () => choose(first("village_head")),
  },
  {
    name: "wait",
    title: "Tua tới giờ gửi mẹo",
    text: "Mỗi người chọn một giờ nhận mẹo: tua đồng hồ để thấy mẹo tới.",
    run: mayFail(() => post("clock", { hour: nextTip() })),
  },
];

const first = (part) => [...state.people.values()].find((one) => one.part === part)?.id;

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
  parts.tour = h("section", { class: "card-box tour", "aria-label": "Thử ba việc" }, h("div", { class: "card-head" }, h("h2", {}, "Thử ba việc"), hide), list);
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
  ].filter(([, value]) => value);
  const note = state.chat && state.place === "bot" ? "Loa Số chỉ ghi chừng này, không ghi tên." : "";
  parts.who.replaceChildren(
    ...[
      h(
        "div",
        { class: "who-head" },
        avatar(person, "large"),
        h("div", {}, h("small", {}, "Bạn đang là"), h("strong", {}, person.name), h("span", { class: `badge ${person.part}` }, PARTS[person.part])),
      ),
      h("p", { class: "who-about" }, person.about || `Bà con ở ${person.place}, ${person.commune}.`),
      facts.length ? h("div", { class: "ledger" }, h("h3", {}, "Sổ của Loa Số"), h("dl", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])), h("p", { class: "quiet" }, note)) : null,
      !facts.length && state.chat && state.place === "bot" ? h("p", { class: "quiet" }, "Sổ của Loa Số chưa có gì về người này.") : null,
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
    if (!message.bot && state.people.get(chat)?.part === "newcomer") finish("join");
    if (message.bot && state.people.get(state.me)?.part === "village_head" && chat !== state.me) finish("tell");
  });
  on("jumped", (seconds) => seconds > 1500 && finish("wait"));
}
