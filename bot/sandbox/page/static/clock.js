// The clock of the product: what time it is there, and how to move it on.

import { $, h, menu, menuItem } from "./dom.js";
import { day, hour, mayFail, on, post, state, tell } from "./store.js";

const jump = mayFail(async (body) => {
  const clock = await post("clock", body);
  state.pulse.clock = clock;
  show(clock);
});

let last = 0;

function show(clock) {
  if (last && clock.now - last > 30) tell("jumped", clock.now - last);
  last = clock.now;
  $("clock-time").textContent = hour(clock.now);
  $("clock-day").textContent = day(clock.now);
  $("clock-note").textContent = clock.quiet ? "giờ yên tĩnh" : "Tua tới";
  $("clock").classList.toggle("quiet-hours", clock.quiet);
}

const two = (n) => String(n).padStart(2, "0");

function choices() {
  const { tip_hours: ahead, morning } = state.pulse.clock;
  return [
    h("p", { class: "menu-title" }, "Tua đồng hồ của Loa Số tới"),
    menuItem("clock", "Thêm 1 phút", () => jump({ minutes: 1 }), "qua phút còn hoàn tác được"),
    menuItem("clock", "Thêm 1 giờ", () => jump({ minutes: 60 })),
    ...ahead.map((one) => menuItem("bell", `Tới ${two(one)}:00`, () => jump({ hour: `${two(one)}:00` }), "giờ gửi mẹo")),
    menuItem("bell", `Sáng mai ${morning}`, () => jump({ hour: morning }), "hết giờ yên tĩnh, mẹo buổi sáng"),
  ];
}

export function start() {
  show(state.pulse.clock);
  on("pulse", (pulse) => show(pulse.clock));
  $("clock").addEventListener("click", () => menu($("clock"), choices(), { name: "clock-menu", place: "below" }));
}
