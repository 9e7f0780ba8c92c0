// The phone in the middle: the chats of whoever one is, and everything that one can do in them.

import { $, avatar, closeMenu, dialog, groupAvatar, h, icon, iconButton, menu, menuItem } from "./dom.js";
import { attachMenu, commandMenu } from "./attach.js";
import { bubble } from "./message.js";
import { can, channel, chatId, day, errand, hour, line, mayFail, on, open, platform, refresh, state, tell } from "./store.js";

const parts = {};
const blocks = new Map();
let replying = null;
let editing = null;
let acting = 0;

const me = () => state.people.get(state.me);
const group = () => state.groups.get(state.place) ?? null;
const say = mayFail((name, body) => errand(name, body));

function frame() {
  parts.time = h("span", { class: "phone-time" });
  parts.head = h("header", { class: "phone-head" });
  parts.list = h("div", { class: "messages", id: "messages", role: "log", "aria-label": "Tin nhắn", tabIndex: 0 });
  parts.fresh = h("button", { type: "button", class: "to-end", hidden: true, onclick: () => toEnd(true) }, icon("down"), h("span", {}, "Tin mới"));
  parts.strip = h("div", { class: "strip", hidden: true });
  parts.foot = h("footer", { class: "phone-foot" });
  parts.notice = h("div", { class: "phone-notice", role: "status", hidden: true });
  parts.list.addEventListener("scroll", () => (parts.fresh.hidden = nearEnd()), { passive: true });
  $("phone").replaceChildren(
    h("div", { class: "phone-status", "aria-hidden": "true" }, parts.time, h("span", { class: "phone-camera" }), h("span", { class: "phone-signs" }, h("i"), h("i"), h("i"), h("b"))),
    h("div", { class: "screen" }, parts.head, parts.strip, h("div", { class: "chat" }, parts.list, parts.fresh, parts.notice), parts.foot),
  );
}

function head() {
  const person = me();
  const here = group();
  const groups = person.groups.map((id) => state.groups.get(id));
  const { title: account, note: usual } = platform();
  const title = here ? here.title : account;
  const note = h("span", { class: "phone-note" }, here ? `${here.members} người và Loa Số` : usual);
  $("phone").dataset.channel = channel();
  parts.note = note;
  parts.usual = note.textContent;
  const several = person.places.length > 1;
  const places = person.places.map((at) => [at.place, several ? state.platforms[at.channel].name : state.platforms[at.channel].title]);
  const tabs = groups.length || several
    ? h("div", { class: "phone-tabs", role: "tablist" }, [...places, ...groups.map((one) => [one.id, one.title])].map(([id, name]) =>
        h("button", { type: "button", role: "tab", "aria-selected": String(id === state.place), onclick: () => open(state.me, id) }, name)))
    : null;
  parts.head.replaceChildren(
    ...[
      h(
        "div",
        { class: "phone-title" },
        here ? groupAvatar() : h("span", { class: "avatar bot", "aria-hidden": "true" }, icon("speaker")),
        h("span", { class: "phone-names" }, h("strong", {}, title), note),
        h("span", { class: "phone-me" }, avatar(person, "small"), h("span", {}, person.name)),
        here ? null : iconButton("dots", "Việc khác", (event) => more(event.currentTarget), { "aria-haspopup": "menu" }),
      ),
      tabs,
    ].filter(Boolean),
  );
}

function more(button) {
  const { blocked, following } = state.chat ?? {};
  const items = [
    can("follow") && (following
      ? menuItem("close", "Bỏ quan tâm Loa Số", () => say("follow", { following: false }))
      : menuItem("check", "Quan tâm Loa Số", () => say("follow", { following: true }))),
    can("block") && (blocked
      ? menuItem("check", "Bỏ chặn Loa Số", () => say("block", { blocked: false }))
      : menuItem("block", "Chặn Loa Số", () => say("block", { blocked: true }), "để xem trưởng thôn được báo thế nào")),
    can("start") && menuItem("speaker", "Bấm Bắt đầu lần nữa", () => say("start", {})),
  ].filter(Boolean);
  menu(button, items.length ? items : [h("p", { class: "quiet" }, "Ở ứng dụng này chỉ có nhắn tin thôi.")], { place: "below" });
}

// On Zalo one follows an account; who has not is asked to, above the chat.
function strip() {
  const asks = can("follow") && !state.chat.following && !state.chat.blocked;
  parts.strip.hidden = !asks;
  if (!asks) return;
  parts.strip.replaceChildren(
    h("span", {}, "Quan tâm để nhận tin của Loa Số"),
    h("button", { type: "button", id: "follow", class: "follow", onclick: () => say("follow", { following: true }) }, "Quan tâm"),
  );
}

function foot() {
  const { chat } = state;
  replying = editing = null;
  if (chat.blocked) {
    parts.foot.replaceChildren(
      h("p", { class: "foot-note" }, `${me().name} đã chặn Loa Số: tin gửi tới đây không tới nơi.`),
      h("button", { type: "button", class: "big", onclick: () => say("block", { blocked: false }) }, "BỎ CHẶN"),
    );
  } else if (can("start") && !chat.started) {
    parts.foot.replaceChildren(h("button", { type: "button", class: "big", id: "start", onclick: () => say("start", {}) }, "BẮT ĐẦU"));
  } else {
    composer();
  }
}

function composer() {
  const input = h("textarea", { id: "composer", rows: 1, placeholder: "Nhắn cho Loa Số", "aria-label": "Nội dung tin nhắn", maxLength: platform().max_text });
  if (group()) input.placeholder = "Nhắn trong nhóm";
  const grow = () => {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 120)}px`;
  };
  const submit = async () => {
    const text = input.value.trim();
    if (!text) return input.focus();
    input.value = "";
    grow();
    const body = editing ? { message: editing.id, text } : { text, ...(replying ? { reply_to: replying.id } : {}) };
    const name = editing ? "edit" : "write";
    stopQuoting();
    if ((await say(name, body)) === null) input.value = text;
    input.focus();
  };
  input.addEventListener("input", grow);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
    if (event.key === "Escape") stopQuoting();
  });
  parts.input = input;
  parts.quoting = h("div", { class: "quoting", hidden: true });
  const attach = iconButton("attach", "Gửi ảnh và thứ khác", () => attachMenu(attach), { "aria-haspopup": "menu" });
  const commands = platform().commands.length ? iconButton("commands", "Các lệnh của Loa Số", () => commandMenu(commands), { "aria-haspopup": "menu" }) : null;
  parts.foot.replaceChildren(
    ...[parts.quoting, h("form", { class: "composer", onsubmit: (event) => (event.preventDefault(), submit()) }, commands, input, attach, h("button", { type: "submit", class: "icon-button send", "aria-label": "Gửi", title: "Gửi" }, icon("send"))), replyKeys()].filter(Boolean),
  );
}

function replyKeys() {
  const rows = state.chat.keyboard?.keyboard;
  if (!rows) return null;
  return h("div", { class: "reply-keys" }, rows.map((row) => h("div", { class: "keys-row" }, row.map((one) => h("button", { type: "button", class: "key", onclick: () => say("write", { text: one.text }) }, one.text)))));
}

function quote(message, kind) {
  [replying, editing] = kind === "edit" ? [null, message] : [message, null];
  parts.quoting.hidden = false;
  parts.quoting.replaceChildren(icon(kind), h("span", {}, line(message)), iconButton("close", "Thôi", stopQuoting));
  if (kind === "edit") parts.input.value = message.text;
  parts.input.focus();
}

function stopQuoting() {
  if (editing) parts.input.value = "";
  replying = editing = null;
  parts.quoting.hidden = true;
}

function aboutMessage(button, message) {
  const own = message.from.id === state.me;
  const writable = state.chat.started !== false && !state.chat.blocked;
  menu(button, [
    writable && platform().replies && menuItem("reply", "Trả lời", () => quote(message, "reply")),
    own && can("edit") && message.kind === "text" && menuItem("edit", "Sửa", () => quote(message, "edit")),
    can("forward") && menuItem("forward", "Chuyển tiếp cho Loa Số", mayFail(async () => {
      const from = state.place;
      if (group()) await open(state.me, "bot");
      await errand("forward", { message: message.id }, state.me, from);
    })),
    message.text && menuItem("copy", "Chép chữ", () => navigator.clipboard?.writeText(message.text)),
  ]);
}

// Messages become blocks (an album is one), and only what has changed is built again.
function draw({ toBottom = false } = {}) {
  const stay = toBottom || nearEnd();
  const list = [...state.chat.messages.values()].sort((a, b) => a.id - b.id);
  const wanted = [];
  let today = "";
  for (const message of list) {
    const date = day(message.date);
    if (date !== today) wanted.push(keyed(`day ${date}`, date, () => h("div", { class: "day" }, date)));
    today = date;
    const last = wanted[wanted.length - 1];
    if (message.media_group_id && last.album === message.media_group_id) last.messages.push(message);
    else wanted.push({ key: `m ${message.id}`, album: message.media_group_id, messages: [message] });
  }
  const nodes = wanted.map((one) => one.node ?? keyed(one.key, JSON.stringify(one.messages), () => made(one.messages)).node);
  if (!nodes.length) nodes.push(keyed("empty", `${state.me} ${state.chat.started} ${state.chat.following}`, empty).node);
  nodes.forEach((node, place) => {
    if (parts.list.children[place] !== node) parts.list.insertBefore(node, parts.list.children[place] ?? null);
  });
  while (parts.list.childElementCount > nodes.length) parts.list.lastElementChild.remove();
  if (stay) toEnd(!toBottom);
  else parts.fresh.hidden = false;
}

function keyed(key, sign, make) {
  const known = blocks.get(key);
  if (known?.sign === sign) return known;
  const fresh = { sign, node: make() };
  blocks.set(key, fresh);
  return fresh;
}

function made(messages) {
  const [first] = messages;
  const mine = first.from.id === state.me;
  const sender = group() && !mine ? first.from.name : null;
  return bubble(messages, { mine, sender, onmenu: aboutMessage });
}

function empty() {
  const { title, about } = platform();
  const known = me().part !== "newcomer";
  if (!group() && (!state.chat.started || !known)) {
    return h(
      "div",
      { class: "welcome" },
      h("span", { class: "avatar bot huge", "aria-hidden": "true" }, icon("speaker")),
      h("h3", {}, title),
      h("p", {}, about || "Mỗi ngày một mẹo nhỏ để dùng điện thoại thạo hơn, an toàn hơn."),
      !state.chat.started && h("p", { class: "welcome-hint" }, "Bấm BẮT ĐẦU ở dưới"),
    );
  }
  return h("div", { class: "welcome" }, h("p", {}, !group() ? `${me().name} đã đăng ký từ trước. Chưa có tin nào hôm nay: hãy nhắn thử, hoặc tua đồng hồ tới giờ gửi mẹo.` : "Nhóm chưa có tin nào."));
}

const nearEnd = () => parts.list.scrollHeight - parts.list.scrollTop - parts.list.clientHeight < 90;

function toEnd(smooth) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  parts.list.scrollTo({ top: parts.list.scrollHeight, behavior: smooth && !still ? "smooth" : "instant" });
  parts.fresh.hidden = true;
}

function acts(action) {
  const words = { typing: "đang soạn tin…", upload_photo: "đang gửi ảnh…", upload_document: "đang gửi tệp…", record_voice: "đang ghi âm…", upload_voice: "đang gửi tiếng…" };
  parts.note.textContent = words[action] ?? "đang làm…";
  parts.note.classList.add("acting");
  clearTimeout(acting);
  acting = setTimeout(still, 5000);
}

function still() {
  clearTimeout(acting);
  parts.note.textContent = parts.usual;
  parts.note.classList.remove("acting");
}

function notice(text) {
  parts.notice.textContent = text;
  parts.notice.hidden = false;
  clearTimeout(parts.notice.timer);
  parts.notice.timer = setTimeout(() => (parts.notice.hidden = true), 3500);
}

let soon = 0;

export function start() {
  frame();
  on("switching", () => {
    closeMenu();
    blocks.clear();
    parts.list.replaceChildren();
    parts.foot.replaceChildren();
    parts.notice.hidden = parts.strip.hidden = true;
    head();
  });
  on("opened", () => {
    strip();
    foot();
    draw({ toBottom: true });
  });
  on("chat", (message) => {
    if (message.bot) still();
    draw({ toBottom: message.from.id === state.me });
    const waits = parts.foot.querySelector("#start");
    if (waits && state.chat.started) foot();
    if (message.markup && !message.markup.inline_keyboard) refresh().then(foot);
    clearTimeout(soon);
    soon = setTimeout(mayFail(refresh), 400);
  });
  on("action", acts);
  on("notice", notice);
  on("alert", (text) => {
    const { close } = dialog(platform().title, h("p", { class: "alert-text" }, text), h("div", { class: "dialog-actions" }, h("button", { type: "button", class: "primary", onclick: () => close() }, "Đã hiểu")));
  });
  on("enlarge", (file) => dialog("Ảnh", h("img", { src: file.url, alt: "Ảnh lớn", class: "enlarged" })));
  on("pulse", (pulse) => (parts.time.textContent = hour(pulse.clock.now)));
  on("focus", () => (parts.input ?? $("start"))?.focus());
}

export const isOpen = (id) => chatId() === id;
export { tell };
