/* The screen: a frame of the film, or the whole frame around the cell; stepping, playing, channels and contrast. */

import { placeNow } from "./curves.js";
import { CHANNEL_COLOURS, Film } from "./film.js";
import { drawBar, drawTracks } from "./marks.js";
import { $, fill, film, make, state, watched } from "./state.js";
import { tellError } from "./told.js";

const FRAMES_A_SECOND = 15, SCREEN_PX = 372;
const shown = () => state.whole || film();

export function paint() {
  const one = shown();
  if (!one?.header) return;
  state.drawn = state.frame;
  const { header } = one;
  const frame = state.whole ? header.frames[0] : state.frame;
  const there = one.has(frame);
  $("film").hidden = !there || one.isBad(frame);
  if (there && !one.isBad(frame)) {
    one.paint($("film"), frame, viewNow());
    const scale = Math.min(SCREEN_PX / header.width, SCREEN_PX / header.height);
    for (const canvas of [$("film"), $("marks")]) Object.assign(canvas.style, { width: `${header.width * scale}px`, height: `${header.height * scale}px` });
  }
  drawMarks(one, frame, there);
  showFrame(there === null ? "no image" : there && one.isBad(frame) ? "unreadable" : there ? "" : "loading");
}

function drawMarks(one, frame, there) {
  const marks = $("marks");
  const scale = window.devicePixelRatio || 1;
  Object.assign(marks, { width: parseFloat(marks.style.width || SCREEN_PX) * scale, height: parseFloat(marks.style.height || SCREEN_PX) * scale });
  const context = marks.getContext("2d");
  if (state.whole) drawTracks(context, marks, one);
  else if (there && $("outline").checked && !one.isBad(frame)) one.outline(marks, frame);
  if (there && one.header.pixel_size_um) drawBar(context, marks, one.header, scale);
}

function showFrame(remark) {
  const { header } = film();
  const hours = (state.frame * header.frame_interval_min) / 60;
  const beyond = state.frame < header.track[0] ? ", before the track" : state.frame > header.track[1] ? ", after the track" : "";
  const event = state.mark === state.frame ? ", event" : "";
  $("frame").textContent = `frame ${state.frame}, ${hours.toFixed(1)} h${beyond}${event}${remark ? `, ${remark}` : ""}`;
  $("scrub").value = state.frame;
  placeNow(hours);
}

// ---- stepping and playing

export function toFrame(frame) {
  const header = film()?.header;
  if (!header || state.frame === null) return;
  state.frame = Math.max(header.shown[0], Math.min(header.shown[1], Math.round(frame)));
  if (state.whole) showWhole(); else paint();
}

export function play(on = !state.playing) {
  if (on === state.playing) return;
  state.playing = on;
  $("play").textContent = on ? "pause" : "play";
  if (!on) return;
  const header = film()?.header;
  if (header && state.frame >= header.shown[1]) state.frame = header.shown[0] - 1;
  let last = performance.now();
  const tick = (now) => {
    if (!state.playing) return;
    if (now - last >= 1000 / FRAMES_A_SECOND - 4) { last = now; playOn(); }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

function playOn() {
  const header = film()?.header;
  if (!header || film().has(state.frame + 1) === false) return;
  watched.played += 1;
  toFrame(state.frame + 1 > header.shown[1] ? header.shown[0] : state.frame + 1);
}

// ---- the whole frame

async function showWhole() {
  const [key, frame] = [state.key, state.frame];
  const one = Film.fetch(`/surroundings/${key}/${frame}`);
  try { await one.whenDone; await one.whenHeader; } catch (error) { tellError(error); return; }
  if (state.key !== key || state.frame !== frame) return;
  $("remark").textContent = one.header.remark;
  Object.assign(state, { whole: one.header.frames.length ? one : null, limits: null });
  paint();
}

export function toggleWhole() {
  if (!state.whole) { showWhole(); return; }
  Object.assign(state, { whole: null, limits: null });
  $("remark").textContent = film().header.remark;
  paint();
}

// ---- channels and contrast

function limitsOf(channel, name) {
  const held = $("hold")?.checked && state.view[name]?.held;
  if (held) return held;
  state.limits ||= {};
  const limits = state.limits[channel] || shown().limits(channel);
  if (shown().done || state.whole) state.limits[channel] = limits;
  return limits;
}

function viewNow() {
  return shown().header.channels.map((name, c) => {
    const { on, low, high } = state.view[name];
    const [dark, bright] = limitsOf(c, name);
    state.view[name].now = [dark, bright];
    return { on, low: dark + low * (bright - dark), high: dark + high * (bright - dark) };
  });
}

export function showChannels() {
  const names = film().header.channels;
  const lines = names.flatMap((name, c) => {
    const view = (state.view[name] ||= { on: c < 3, low: 0, high: 1 });
    const auto = () => { Object.assign(view, { low: 0, high: 1 }); showChannels(); paint(); };
    return [nameChannel(name, c, view), slide(name, view, "low", -0.5, 0.95), slide(name, view, "high", 0.05, 2), make("button", "auto", { onclick: auto })];
  });
  const hold = make("input", "", { type: "checkbox", id: "hold", checked: $("hold")?.checked || false });
  hold.onchange = () => { for (const name of names) state.view[name].held = hold.checked ? state.view[name].now : null; paint(); };
  const label = make("label", "", { title: "so that brightness can be compared", className: "wide" });
  label.append(hold, " the same contrast for all cells");
  fill($("channels"), ...(film().header.frames.length ? [...lines, label] : []));
}

function nameChannel(name, c, view) {
  const on = make("input", "", { type: "checkbox", checked: view.on, onchange: () => { view.on = on.checked; paint(); } });
  const dot = make("span", "\u25a0 ");
  dot.style.color = `rgb(${CHANNEL_COLOURS[c % CHANNEL_COLOURS.length]})`;
  const label = make("label", "", { className: "name", title: `key ${c + 1}` });
  label.append(on, dot, name);
  return label;
}

function slide(name, view, end, min, max) {
  const title = `${end === "low" ? "black" : "white"} level`;
  const oninput = (event) => { view[end] = +event.target.value; paint(); };
  return make("input", "", { type: "range", min, max, step: 0.01, value: view[end], title, ariaLabel: `${name}: ${title}`, oninput });
}

export function toggleChannel(number) {
  const name = film()?.header?.channels[number - 1];
  if (!name) return;
  state.view[name].on = !state.view[name].on;
  showChannels();
  paint();
}
