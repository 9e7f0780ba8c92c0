// What can be sent besides text: samples that come with the demo, files from the disk, places, contacts, commands.

import { h, icon, menu, menuItem, closeMenu } from "./dom.js";
import { can, errand, mayFail, platform, state, upload } from "./store.js";

const say = mayFail((name, body) => errand(name, body));
const PICTURE = /\.(png|jpg)$/;

const send = mayFail((files, kind) => {
  const form = new FormData();
  form.append("kind", kind);
  for (const file of files) form.append("file", file, file.name);
  return upload(`chat/${state.me}/${state.place}/files`, form);
});

function fromDisk(accept, kind, many) {
  const input = h("input", { type: "file", accept, multiple: many, onchange: () => input.files.length && send([...input.files], kind) });
  input.click();
}

const SOUNDS = { "nhac_hieu_loa.ogg": "Tin thoại mẫu: nhạc hiệu loa thôn" };

export function attachMenu(button) {
  const pictures = state.samples.filter((name) => PICTURE.test(name));
  const sounds = state.samples.filter((name) => name.endsWith(".ogg"));
  const thumbs = pictures.map((name) =>
    h(
      "button",
      { type: "button", role: "menuitem", class: "thumb", title: "Gửi ảnh mẫu này", "aria-label": `Gửi ảnh mẫu ${name}`, onclick: () => (closeMenu(), say("sample", { name })) },
      h("img", { src: `samples/${name}`, alt: "" }),
    ),
  );
  menu(
    button,
    [
      h("div", { class: "thumbs" }, thumbs),
      can("files") && menuItem("image", "Ảnh hoặc video từ máy", () => fromDisk("image/*,video/*", "", true)),
      ...sounds.map((name) => menuItem("mic", SOUNDS[name] ?? name, () => say("sample", { name }))),
      can("files") && menuItem("speaker", "Tệp âm thanh từ máy", () => fromDisk("audio/*", "audio", false)),
      can("files") && menuItem("file", "Tệp từ máy", () => fromDisk("", "document", false)),
      can("location") && menuItem("pin", "Vị trí nhà văn hóa", () => say("location", {})),
      can("contact") && menuItem("user", "Danh thiếp của mình", () => say("contact", {})),
    ],
    { name: "attach" },
  );
}

export function commandMenu(button) {
  const items = platform().commands.map((one) => menuItem("", `/${one.command}`, () => say("write", { text: `/${one.command}` }), one.description));
  menu(button, items.length ? items : [h("p", { class: "quiet" }, icon("commands"), "Loa Số chưa khai lệnh nào.")], { name: "commands" });
}
