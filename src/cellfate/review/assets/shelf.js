/* What this browser keeps of a study: labels that the server has not stored, notes without a fate, cells whose forecast
   was seen, and the steps that can be undone. It is named by the study's own place, so that another study that is
   called the same never gets it. Browsers keep it by port: a cookie, which all ports share, tells where labels wait. */

import { state } from "./state.js";
import { tell } from "./told.js";

const YEAR_S = 365 * 24 * 3600, SOON_MS = 300;
const named = (name) => `cellfate:${state.id}:${name}`;
const cookieOf = (port) => `cellfate_waiting_${state.id}_${port}`;
const cell = (one) => `${encodeURIComponent(one.recording)}/${one.cell}`;

let full = false;

function keep(store, name, value) {
  try {
    if (value === null) store.removeItem(named(name)); else store.setItem(named(name), JSON.stringify(value));
    return true;
  } catch {
    full = true;
    tell("This browser can keep nothing (its storage is full, or off): leave the page open until all is saved.");
    return false;
  }
}

function read(store, name) {
  try { return JSON.parse(store.getItem(named(name))); } catch { return null; }
}

/** Whether something that was scored would be lost with the page. */
export const wouldLose = () => full && state.outbox.length > 0;

// ---- labels: kind is "waiting" (not sent yet) or "undecided" (refused: the person decides)

export function keepLabel(kind, label) {
  keep(localStorage, `${kind}:${label.entry_id}`, { at: performance.timeOrigin + performance.now(), label });
  markPort();
}

export function forgetLabel(kind, label) {
  keep(localStorage, `${kind}:${label.entry_id}`, null);
  markPort();
}

/** Labels that an earlier page left, in the order in which they were made. */
export function keptLabels(kind) {
  const found = names(kind).map((name) => read(localStorage, name)).filter((kept) => kept?.label);
  return found.sort((one, other) => one.at - other.at).map((kept) => kept.label);
}

/** The entry that a change of another page's storage took away; null: none of a kind was. */
export function whatWentAway(event, kind) {
  const start = named(`${kind}:`);
  return event.key?.startsWith(start) && event.newValue === null ? event.key.slice(start.length) : null;
}

function names(kind) {
  const [start, all] = [named(""), Object.keys(localStorage)];
  return all.filter((name) => name.startsWith(`${start}${kind}:`)).map((name) => name.slice(start.length));
}

function markPort() {
  const waits = names("waiting").length + names("undecided").length;
  document.cookie = `${cookieOf(location.port)}=1; SameSite=Strict; Max-Age=${waits ? YEAR_S : 0}`;
}

/** Ports of this computer at which labels of this study wait in this browser. */
export function otherPorts() {
  const start = cookieOf("");
  const ports = document.cookie.split("; ").filter((one) => one.startsWith(start)).map((one) => one.slice(start.length).split("=")[0]);
  return ports.filter((port) => port !== location.port);
}

/** Say no more of what waits at another port. */
export function forgetPort(port) {
  document.cookie = `${cookieOf(port)}=; SameSite=Strict; Max-Age=0`;
}

// ---- notes of cells that have no fate yet, by scorer

export function keepDraft(one, note) { keep(localStorage, `draft:${state.scorer}:${cell(one)}`, note || null); }

export const draftOf = (one) => read(localStorage, `draft:${state.scorer}:${cell(one)}`);

// ---- cells whose forecast a scorer has seen: labels of these train and never test

let looked = { of: null, cells: new Set() };

function seen() {
  if (looked.of !== state.scorer) keepLooked();
  if (looked.of !== state.scorer) looked = { of: state.scorer, cells: new Set(read(localStorage, `looked:${state.scorer}`) || []) };
  return looked.cells;
}

export const hasLooked = (one) => seen().has(cell(one));

/** Note that the forecasts of some cells were in sight; a cell that has none has shown none. */
export function noteLooked(...ones) {
  const known = seen().size;
  for (const one of ones) if (one.forecast) seen().add(cell(one));
  if (seen().size > known && !looked.timer) looked.timer = setTimeout(keepLooked, SOON_MS);
}

function keepLooked() {
  if (looked.timer) keep(localStorage, `looked:${looked.of}`, [...looked.cells]);
  looked.timer = null;
}

window.addEventListener("pagehide", keepLooked);

// ---- steps that can be undone, by scorer, and where a page was before it was loaded again

export function keepHistory() {
  keep(sessionStorage, `history:${state.scorer}`, { done: state.done.slice(-200), undone: state.undone.slice(-200) });
}

export function takeHistory() {
  Object.assign(state, { done: [], undone: [] }, read(sessionStorage, `history:${state.scorer}`));
}

export function keepPlace(one) { keep(sessionStorage, "at", { recording_id: one.recording, cell_id: one.cell, from: state.from }); }

export const keptPlace = () => read(sessionStorage, "at");
