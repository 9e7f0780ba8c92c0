// What the page knows, who wants to hear of changes, and the way to the server.

export const PARTS = {
  newcomer: "Bà con mới",
  resident: "Bà con",
  blocked: "Đã chặn",
  village_head: "Trưởng thôn",
  influencer: "Đại sứ số",
  helper: "Tổ công nghệ số",
  editor: "Biên tập",
  approver: "Người duyệt",
  admin: "Quản trị",
};

export const GROUPS = {
  student: "học sinh, sinh viên",
  resident: "người dân",
  public_staff: "cán bộ, viên chức",
  worker: "người lao động",
  business_household: "hộ kinh doanh",
  elderly: "người cao tuổi",
};

export const state = {
  platforms: {},
  people: new Map(),
  groups: new Map(),
  chats: new Map(),
  samples: [],
  rates: [],
  recent: [],
  pulse: null,
  me: null,
  place: "bot",
  chat: null,
};

const listeners = new Map();

export function on(kind, hear) {
  listeners.set(kind, [...(listeners.get(kind) ?? []), hear]);
}

export function tell(kind, data) {
  for (const hear of listeners.get(kind) ?? []) hear(data);
}

export class Refused extends Error {}

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.error ?? "Máy chủ chạy thử chưa làm được việc này.");
  return body;
}

async function reach(address, options) {
  try {
    return await answer(await fetch(address, options));
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused("Không thấy máy chủ chạy thử: lệnh loaso demo còn chạy không?");
  }
}

export const get = (address) => reach(`api/${address}`, {});

export const post = (address, body = {}) =>
  reach(`api/${address}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const upload = (address, form) => reach(`api/${address}`, { method: "POST", body: form });

// An errand for the person on the phone, in the chat that is open.
export const errand = (name, body = {}, who = state.me, place = state.place) => post(`chat/${who}/${place}/${name}`, body);

export async function load() {
  const found = await get("state");
  const unread = new Map([...state.people.values()].map((one) => [one.id, one.unread]));
  state.platforms = found.platforms;
  state.samples = found.samples;
  state.rates = found.rates;
  state.recent = found.recent;
  state.pulse = found.pulse;
  state.people = new Map(found.people.map((one) => [one.id, { ...one, unread: unread.get(one.id) ?? 0 }]));
  state.groups = new Map(found.groups.map((one) => [one.id, { ...one, unread: state.groups.get(one.id)?.unread ?? 0 }]));
  state.chats = new Map(found.people.flatMap((one) => one.places.map((at) => [at.chat, { ...at, person: one.id }])));
}

// Where the chat lies that an event names: whose it is, on which place of their phone, on which channel.
export const whose = (chat) => state.chats.get(chat) ?? { person: null, place: chat, chat, channel: "telegram" };

const here = () => state.people.get(state.me)?.places.find((at) => at.place === state.place) ?? whose(state.place);

// The platform that the phone shows now, and whether one can do a thing there.
export const channel = () => here().channel;
export const platform = () => state.platforms[channel()];
export const can = (name) => Boolean(state.chat?.can.includes(name));

const owner = (chat) => state.people.get(whose(chat).person) ?? state.groups.get(chat);

let asked = 0;

export async function open(me, place = "bot") {
  const mine = ++asked;
  state.me = me;
  state.place = place;
  state.chat = null;
  tell("switching");
  const chat = await get(`chat/${me}/${place}`);
  if (mine !== asked) return;
  const early = state.early ?? [];
  state.early = [];
  state.chat = { ...chat, messages: new Map(chat.messages.map((one) => [one.id, one])) };
  for (const one of early) if (one.chat === chat.id) keep(one.message);
  (state.groups.get(place) ?? state.people.get(me)).unread = 0;
  tell("opened");
}

// What Loa Số has written down about the person on the phone may have changed by what they did.
export async function refresh() {
  const mine = asked;
  const chat = await get(`chat/${state.me}/${state.place}`);
  if (mine !== asked || !state.chat) return;
  state.chat.known = chat.known;
  state.chat.keyboard = chat.keyboard;
  tell("known");
}

function keep(message) {
  if (message.deleted) state.chat.messages.delete(message.id);
  else state.chat.messages.set(message.id, message);
}

export const chatId = () => here().chat;

export function listen() {
  const source = new EventSource("api/stream");
  let lost = false;
  const hear = (kind, act) => source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  source.addEventListener("open", async () => {
    if (lost) await again();
    lost = false;
    tell("connected", true);
  });
  source.addEventListener("error", () => {
    lost = true;
    tell("connected", false);
  });
  hear("again", again);
  hear("pulse", (pulse) => {
    state.pulse = pulse;
    state.rates = [...state.rates.slice(-59), pulse.rate];
    tell("pulse", pulse);
  });
  for (const kind of ["message", "edited", "deleted"]) hear(kind, (event) => heard(kind, event));
  hear("action", (event) => event.chat === chatId() && tell("action", event.action));
  hear("standing", ({ chat, ...standing }) => {
    const person = state.people.get(whose(chat).person);
    if (person) person.blocked = standing.blocked;
    if (chat === chatId() && state.chat) {
      Object.assign(state.chat, standing);
      tell("opened");
      mayFail(refresh)();
    }
    if (person) tell("people", person.id);
  });
}

async function again() {
  await load();
  tell("loaded");
  if (state.me) await open(state.me, state.place);
}

function heard(kind, event) {
  const { chat, message } = event;
  const open = chat === chatId();
  if (open && state.chat) {
    if (!message.bot) state.chat.started = true;
    keep(message);
    tell("chat", message);
  } else if (open) {
    state.early = [...(state.early ?? []), event];
  }
  const whom = owner(chat);
  if (whom && kind === "message") {
    whom.last = { text: line(message), date: message.date };
    if (!open && message.bot) whom.unread += 1;
    tell("people", whom.id);
  }
  tell(kind === "message" ? "said" : kind, event);
}

const KINDS = {
  photo: "Ảnh",
  video: "Video",
  animation: "Ảnh động",
  voice: "Tin thoại",
  audio: "Âm thanh",
  video_note: "Video tròn",
  sticker: "Nhãn dán",
  location: "Vị trí",
  venue: "Địa điểm",
  contact: "Danh thiếp",
  poll: "Bình chọn",
};

export function line(message) {
  const text = (message.text || message.service || "").replace(/\s+/g, " ");
  const kind = message.kind === "document" ? message.file.name : (KINDS[message.kind] ?? "");
  return (kind && text ? `${kind}: ${text}` : kind || text).slice(0, 160);
}

export function mayFail(work) {
  return async (...given) => {
    try {
      return await work(...given);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tell("refused", error.message);
      return null;
    }
  };
}

const zone = () => state.pulse?.clock.zone ?? "Asia/Ho_Chi_Minh";
const formats = new Map();

function format(name, options) {
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat("vi", { timeZone: zone(), ...options }));
  return formats.get(name);
}

export const hour = (seconds) => format("hour", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(seconds * 1000);
export const day = (seconds) => format("day", { weekday: "long", day: "numeric", month: "numeric" }).format(seconds * 1000);
// When something was said last: the hour today, else the day.
export const lately = (seconds) => (day(seconds) === day(state.pulse.clock.now) ? hour(seconds) : shortDay(seconds));
export const shortDay = (seconds) => format("short", { day: "numeric", month: "numeric" }).format(seconds * 1000);
export const date = (seconds) => format("date", { day: "numeric", month: "numeric", year: "numeric" }).format(seconds * 1000);
export const number = (value) => new Intl.NumberFormat("vi").format(value);
