// One message as a bubble: formatted text, pictures, sound, files, places, buttons. Data becomes text nodes only.

import { h, icon, iconButton } from "./dom.js";
import { follow } from "./links.js";
import { errand, hour, mayFail, tell } from "./store.js";

const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", expandable_blockquote: "blockquote" };

function marked(entity, text, inner) {
  const { type } = entity;
  if (TAGS[type]) return h(TAGS[type], {}, inner);
  if (type === "spoiler") {
    const shown = h("button", { type: "button", class: "spoiler", "aria-label": "Chữ ẩn, bấm để xem", onclick: () => shown.classList.add("open") }, inner);
    return shown;
  }
  if (type === "bot_command") {
    const say = mayFail(() => errand("write", { text }));
    return h("button", { type: "button", class: "text-link", onclick: say }, inner);
  }
  const address = { text_link: entity.url, url: text, email: `mailto:${text}`, phone_number: `tel:${text}` }[type];
  if (!address) return h("span", { class: "tag" }, inner);
  const whole = /^[a-z]+:/i.test(address) ? address : `https://${address}`;
  return h("button", { type: "button", class: "text-link", title: whole, onclick: () => follow(whole) }, inner);
}

// Entities lie within one another: what lies inside an entity is built inside its element.
export function rich(text, entities = []) {
  const build = (from, to, list) => {
    const parts = [];
    let at = from;
    list.forEach((entity, place) => {
      const end = Math.min(entity.offset + entity.length, to);
      if (entity.offset < at || end <= entity.offset) return;
      parts.push(text.slice(at, entity.offset));
      const inside = list.slice(place + 1).filter((one) => one.offset >= entity.offset && one.offset + one.length <= end);
      parts.push(marked(entity, text.slice(entity.offset, end), build(entity.offset, end, inside)));
      at = end;
    });
    parts.push(text.slice(at, to));
    return parts;
  };
  return build(0, text.length, [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length));
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function picture(message) {
  const { file } = message;
  const image = h("img", { src: file.url, alt: message.text ? "" : "Ảnh", loading: "lazy", width: file.width, height: file.height });
  return h("button", { type: "button", class: "picture", "aria-label": "Xem ảnh lớn", onclick: () => tell("enlarge", file) }, image);
}

function player(message) {
  const { file, kind } = message;
  const sound = h("audio", { src: file.url, preload: "metadata" });
  const whole = file.duration ? clockTime(file.duration) : "";
  const time = h("span", { class: "player-time" }, whole);
  const bars = h("span", { class: "player-bars", "aria-hidden": "true" }, [...Array(28).keys()].map((n) => h("i", { style: { "--tall": `${25 + ((message.id * 31 + n * n * 17 + n * 7) % 75)}%` } })));
  const toggle = iconButton("play", "Nghe", () => (sound.paused ? sound.play().catch(() => tell("refused", "Máy này không phát được âm thanh đó.")) : sound.pause()));
  const show = () => toggle.replaceChildren(icon(sound.paused ? "play" : "pause"));
  sound.addEventListener("play", show);
  sound.addEventListener("pause", show);
  sound.addEventListener("timeupdate", () => {
    const share = sound.duration ? sound.currentTime / sound.duration : 0;
    [...bars.children].forEach((bar, n) => bar.classList.toggle("heard", n / 28 < share));
    time.textContent = sound.paused && share === 1 ? whole : clockTime(sound.currentTime);
  });
  const title = kind === "audio" ? h("span", { class: "player-title" }, file.title || file.name) : null;
  return h("div", { class: "player" }, toggle, h("div", { class: "player-body" }, title, bars), time, sound);
}

const clockTime = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function attached(message) {
  const { file, kind } = message;
  if (kind === "venue" || kind === "location") return place(message);
  if (kind === "contact") {
    const { contact } = message;
    const name = [contact.first_name, contact.last_name].filter(Boolean).join(" ");
    return h("div", { class: "card" }, h("span", { class: "card-icon" }, icon("user")), h("span", {}, h("strong", {}, name), h("small", {}, contact.phone_number)));
  }
  if (kind === "poll") return poll(message.poll);
  if (!file) return null;
  if (kind === "photo" || kind === "sticker") return picture(message);
  if (kind === "animation") return h("video", { src: file.url, class: "picture", autoplay: true, loop: true, muted: true, playsInline: true });
  if (kind === "video" || kind === "video_note") return h("video", { src: file.url, class: `picture ${kind}`, controls: true, preload: "metadata", playsInline: true });
  if (kind === "voice" || kind === "audio") return player(message);
  return h(
    "a",
    { class: "card", href: file.url, download: file.name },
    h("span", { class: "card-icon" }, icon("file")),
    h("span", {}, h("strong", {}, file.name), h("small", {}, `${size(file.size)}, bấm để tải về`)),
  );
}

function place(message) {
  const point = message.venue?.location ?? message.location;
  const numbers = `${point.latitude.toFixed(4)}, ${point.longitude.toFixed(4)}`;
  return h(
    "div",
    { class: "map-card" },
    h("div", { class: "map", "aria-hidden": "true" }, icon("pin")),
    h("div", { class: "map-text" }, h("strong", {}, message.venue?.title ?? "Vị trí"), h("small", {}, message.venue?.address || numbers)),
  );
}

function poll(found) {
  return h("div", { class: "poll" }, h("strong", {}, found.question), found.options.map((one) => h("span", {}, one.text, h("small", {}, String(one.voter_count)))));
}

function button(message, one) {
  const leads = one.url || one.switch_inline_query !== undefined;
  const press = mayFail(async () => {
    if (one.url) return follow(one.url);
    node.classList.add("busy");
    try {
      const answer = await errand("press", { message: message.id, button: one.callback_data ?? one.text });
      node.classList.add("pressed");
      if (answer.url) follow(answer.url);
      else if (answer.text) tell(answer.alert ? "alert" : "notice", answer.text);
      else if (answer.late) tell("notice", "Loa Số chưa trả lời nút này.");
    } finally {
      node.classList.remove("busy");
    }
  });
  const node = h("button", { type: "button", class: "key", data: { press: one.callback_data ?? one.url ?? "" }, onclick: press }, h("span", {}, one.text), leads && icon("external"));
  return node;
}

export function keyboard(message) {
  const rows = message.markup?.inline_keyboard;
  if (!rows) return null;
  return h("div", { class: "keys" }, rows.map((row) => h("div", { class: "keys-row" }, row.map((one) => button(message, one)))));
}

export function bubble(messages, { mine, sender, onmenu }) {
  const message = messages[0];
  if (message.service) return h("div", { class: "service" }, message.service);
  const words = messages.find((one) => one.text) ?? message;
  const media = messages.length > 1 ? h("div", { class: `album of-${Math.min(messages.length, 4)}` }, messages.map(attached)) : attached(message);
  const foot = h("span", { class: "foot" }, words.billed && h("span", { class: "billed", title: "Zalo trừ tin này vào gói trả tiền của Loa Số" }, "tính phí"), words.edited && "đã sửa ", hour(message.date), mine && icon("check"));
  const body = h(
    "div",
    { class: `bubble ${media ? "with-media" : ""} ${words.text ? "" : "bare"}` },
    sender && h("span", { class: "sender" }, sender),
    message.origin && h("span", { class: "origin" }, icon("forward"), `Chuyển tiếp từ ${message.origin}`),
    message.reply_to && h("span", { class: "quote" }, message.reply_to.text),
    media,
    words.text && h("div", { class: "words" }, rich(words.text, words.entities)),
    foot,
  );
  const more = iconButton("dots", "Việc với tin này", (event) => onmenu(event.currentTarget, message), { "aria-haspopup": "menu", class: "icon-button more" });
  const keys = keyboard(messages[messages.length - 1]);
  return h("article", { class: `message ${mine ? "mine" : "theirs"} ${keys ? "with-keys" : ""}`, data: { message: message.id } }, h("div", { class: "line" }, body, more), keys);
}
