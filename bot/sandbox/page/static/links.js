// Links of messages. Those that lead to the bot are opened here, on the phone of whoever one chooses.

import { avatar, dialog, h, icon } from "./dom.js";
import { choose } from "./people.js";
import { PARTS, errand, mayFail, state, tell } from "./store.js";

export function follow(address) {
  let url;
  try {
    url = new URL(address, location.href);
  } catch {
    return tell("notice", `Địa chỉ này không mở được: ${address}`);
  }
  if (["t.me", "telegram.me"].includes(url.hostname)) return telegram(url);
  if (url.host + url.pathname === state.platforms.zalo_oa.link) return tell("notice", "Ngoài đời, đường dẫn này mở trang Loa Số trên Zalo.");
  if (url.hostname === "button-share.zalo.me") return tell("notice", "Ngoài đời, Zalo cho chọn người để gửi đường dẫn này.");
  if (url.protocol === "tg:") return tell("notice", "Ngoài đời, nút này mở một màn hình của Telegram.");
  if (!["http:", "https:"].includes(url.protocol)) return tell("notice", `Ngoài đời, điện thoại sẽ mở ${address}`);
  if (url.origin === location.origin) return window.open(url.href, "_blank", "noopener");
  return outside(url);
}

function telegram(url) {
  const path = url.pathname.replace(/^\/+/, "");
  if (path === "share/url") return share(url.searchParams.get("url") ?? "", url.searchParams.get("text") ?? "");
  if (path.toLowerCase() === bot()) {
    if (url.searchParams.has("startgroup")) return tell("notice", "Ngoài đời, nút này cho chọn một nhóm để thêm Loa Số vào.");
    return openWith(url.searchParams.get("start") ?? "");
  }
  return outside(url);
}

const bot = () => state.platforms.telegram.link.toLowerCase();

function outside(url) {
  const { close } = dialog(
    "Trang ở ngoài bản chạy thử",
    h("p", {}, "Liên kết này dẫn ra Internet:"),
    h("p", { class: "address" }, url.href),
    h("div", { class: "dialog-actions" }, h("button", { type: "button", class: "primary", onclick: () => (window.open(url.href, "_blank", "noopener"), close()) }, "Mở trong thẻ mới")),
  );
}

function share(address, text) {
  const inner = URL.canParse?.(address) ? new URL(address) : null;
  const ours = inner?.hostname === "t.me" && inner.pathname.slice(1).toLowerCase() === bot();
  const shown = dialog(
    "Chuyển cho người khác",
    h("p", {}, "Ngoài đời, Telegram cho chọn người hoặc nhóm để gửi lời nhắn này:"),
    h("blockquote", { class: "shared" }, text && h("span", {}, text), h("span", { class: "address" }, address)),
    ours && h("p", {}, "Người nhận bấm vào đường dẫn thì sao? Thử làm người nhận:"),
    ours && people((id) => (shown.close(), start(id, inner.searchParams.get("start") ?? ""))),
  );
}

function openWith(payload) {
  const shown = dialog(
    "Mở bằng điện thoại của ai?",
    h("p", {}, payload ? "Đường dẫn này mở Loa Số và mang theo lời giới thiệu của người đã gửi nó." : "Đường dẫn này mở Loa Số."),
    people((id) => (shown.close(), start(id, payload))),
  );
}

const start = mayFail(async (id, payload) => {
  await choose(id);
  await errand("start", { payload }, id, "bot");
});

function people(chosen) {
  const list = h("div", { class: "pick" });
  const draw = (words = "") => {
    const wanted = words.trim().toLocaleLowerCase("vi");
    const all = [...state.people.values()].filter((one) => one.id !== state.me && one.places[0].channel === "telegram" && `${one.name} ${one.place}`.toLocaleLowerCase("vi").includes(wanted));
    list.replaceChildren(
      ...all.slice(0, 12).map((one) =>
        h(
          "button",
          { type: "button", class: "row", onclick: () => chosen(one.id) },
          avatar(one),
          h("span", { class: "row-text" }, h("span", { class: "row-name" }, one.name), h("span", { class: "row-note" }, h("span", { class: `badge ${one.part}` }, PARTS[one.part]), h("span", { class: "row-said" }, one.place))),
        ),
      ),
    );
  };
  draw();
  const search = h("input", { type: "search", placeholder: "Tìm người khác", "aria-label": "Tìm người khác", oninput: (event) => draw(event.target.value) });
  return h("div", {}, h("label", { class: "search" }, icon("search"), search), list);
}
