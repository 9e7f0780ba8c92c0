// Building the page without ever reading data as HTML: elements, icons, avatars, dialogs, toasts.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "style") for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const $ = (id) => document.getElementById(id);

const PATHS = {
  attach: "M20 11.5 12.3 19.2a5 5 0 0 1-7.1-7.1l8.2-8.2a3.3 3.3 0 0 1 4.7 4.7l-8.2 8.2a1.7 1.7 0 0 1-2.4-2.4l7.3-7.3",
  back: "M15 5l-7 7 7 7",
  bell: "M18 9a6 6 0 1 0-12 0c0 6-2.5 7-2.5 7h17S18 15 18 9M10 20a2.2 2.2 0 0 0 4 0",
  block: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M5.8 5.8l12.4 12.4",
  chart: "M4 20V10M10 20V4M16 20v-8M21 20H3",
  chat: "M4 5h16v11H9l-5 4z",
  check: "M5 12.5l4.5 4.5L19 7",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7.5V12l3.2 2",
  close: "M6 6l12 12M18 6L6 18",
  commands: "M4 7h16M4 12h16M4 17h10",
  copy: "M9 9h10v11H9zM5 15V4h10",
  dots: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  down: "M12 5v14M6 13l6 6 6-6",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  forward: "M13 6l6 6-6 6M19 12H5",
  go: "M9 5l7 7-7 7",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.01",
  mic: "M12 4a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V7a3 3 0 0 0-3-3M6 11.5a6 6 0 0 0 12 0M12 17.5V21",
  pause: "M8.5 6v12M15.5 6v12",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18.5 14.5c2 .8 3.2 2.6 3.2 5.5",
  pin: "M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21M12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
  play: "M8 5.5v13l10.5-6.5z",
  reply: "M10 7l-6 5 6 5v-3.5c5 0 8 1.5 10 4.5-1-5-4-8-10-8z",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5L21 21",
  send: "M4 12l16-8-5 17-3.5-7z",
  speaker: "M4 10v4h3.5L15 18.5v-13L7.5 10zM18.5 9a4.5 4.5 0 0 1 0 6",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.5 21c0-4 3.4-6.5 7.5-6.5s7.5 2.5 7.5 6.5",
  video: "M3 6h12v12H3zM15 10l6-3.5v11L15 14",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, onclick, extra = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...extra }, icon(name));
}

// A given name comes last in Vietnamese: the letter in the circle is the one that people look for.
export function avatar(person, size = "") {
  const words = person.name.trim().split(/\s+/);
  const letters = words.length > 1 ? words[0][0] + words[words.length - 1][0] : words[0].slice(0, 2);
  return h("span", { class: `avatar tint-${person.id % 10} ${size}`, "aria-hidden": "true" }, letters.toLocaleUpperCase("vi"));
}

// On which application a chat is: both products of Zalo are Zalo to people.
export function channelBadge(channel, title) {
  const zalo = channel.startsWith("zalo");
  return h("span", { class: `channel ${zalo ? "zalo" : "telegram"}`, title }, zalo ? "Zalo" : "Telegram");
}

// The same where there is little room: most people are on Telegram, and its sign is enough.
export function channelSign(channel, title) {
  if (channel !== "telegram") return channelBadge(channel, title);
  return h("span", { class: "channel telegram", title, role: "img", "aria-label": title }, icon("send"));
}

export function groupAvatar(size = "") {
  return h("span", { class: `avatar group ${size}`, "aria-hidden": "true" }, icon("people"));
}

export function toast(text, tone = "") {
  const shown = h("div", { class: `toast ${tone}` }, text);
  $("toasts").append(shown);
  setTimeout(() => shown.classList.add("leaving"), 4200);
  setTimeout(() => shown.remove(), 4600);
}

export function dialog(title, ...content) {
  const box = h("dialog", { class: "dialog", "aria-label": title });
  const close = () => box.close();
  box.append(
    h("div", { class: "dialog-head" }, h("h2", {}, title), iconButton("close", "Đóng", close)),
    h("div", { class: "dialog-body" }, content),
  );
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", (event) => event.target === box && close());
  document.body.append(box);
  box.showModal();
  return { box, close };
}

// A small menu beside its button; one at a time, closed by Escape, by choosing and by clicking elsewhere.
let open = null;

export function closeMenu() {
  if (!open) return;
  const { menu, button } = open;
  open = null;
  menu.remove();
  button.setAttribute("aria-expanded", "false");
}

export function menu(button, content, { name = "", place = "above" } = {}) {
  const again = open && open.button === button;
  closeMenu();
  if (again) return;
  const shown = h("div", { class: `menu ${name} ${place}`, role: "menu" }, content);
  document.body.append(shown);
  const at = button.getBoundingClientRect();
  const room = { width: document.documentElement.clientWidth, height: window.innerHeight };
  const size = shown.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, room.width - size.width - 8));
  const top = place === "above" ? at.top - size.height - 8 : at.bottom + 8;
  shown.style.left = `${left}px`;
  shown.style.top = `${Math.max(8, Math.min(top, room.height - size.height - 8))}px`;
  button.setAttribute("aria-expanded", "true");
  open = { menu: shown, button };
  shown.querySelector("button, input")?.focus();
}

export function menuItem(name, label, act, note = "") {
  return h(
    "button",
    {
      type: "button",
      role: "menuitem",
      class: "menu-item",
      onclick: () => {
        const { button } = open ?? {};
        closeMenu();
        button?.focus();
        act();
      },
    },
    name && icon(name),
    h("span", {}, label, note && h("small", {}, note)),
  );
}

document.addEventListener("pointerdown", (event) => {
  if (open && !open.menu.contains(event.target) && !open.button.contains(event.target)) closeMenu();
});
document.addEventListener("keydown", (event) => {
  if (!open) return;
  if (event.key === "Escape") {
    const { button } = open;
    closeMenu();
    button.focus();
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") moveFocus(open.menu, event);
});

export function moveFocus(within, event) {
  const all = [...within.querySelectorAll("button:not([disabled])")].filter((one) => one.offsetParent);
  const at = all.indexOf(document.activeElement);
  const next = all[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}
