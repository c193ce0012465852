/* The keys: what each does, and the list of them. */

import { go } from "./cell.js";
import { say } from "./hand_over.js";
import { play, toFrame, toggleChannel, toggleWhole } from "./screen.js";
import { mark, redo, score, undo } from "./scoring.js";
import { $, film, make, state } from "./state.js";

const LISTED = [
  ["m a n l x", "mitosis, apoptosis, neither, lost, unusable track"],
  ["e", "the event is at this frame (without it: the frame shown when m or a is pressed)"],
  ["j k", "next, previous cell"], ["u r", "undo, redo"], ["space", "play, pause"],
  ["\u2190 \u2192", "a frame back, forth (with shift: ten)"], ["Home End", "first, last frame of the track"],
  ["1 2 3", "a channel on, off"], ["s o", "surroundings, outline"], ["f", "forecasts on, off"],
  ["c", "write a note (Escape: done)"], ["/", "search the table (Enter: into the table, Escape: back)"], ["?", "this list"],
];
const TYPING = "textarea, select, input:not([type=checkbox]):not([type=range])";

export function help() {
  const table = make("table");
  for (const [keys, what] of LISTED) {
    const [line, head] = [make("tr"), make("th")];
    head.append(make("kbd", keys));
    line.append(head, make("td", what));
    table.append(line);
  }
  say(table);
}

const toggle = (id) => { if (!$(id).disabled) { $(id).checked = !$(id).checked; $(id).dispatchEvent(new Event("change")); } };
const letters = {
  m: () => score("mitosis"), a: () => score("apoptosis"), n: () => score("neither"), l: () => score("lost"), x: () => score("unusable"),
  e: mark, j: () => go(1), k: () => go(-1), u: undo, r: redo, s: toggleWhole, o: () => toggle("outline"), f: () => toggle("forecasts"),
  c: () => $("note").focus(),
};
const signs = { " ": () => play(), "?": help, "/": () => $("search").focus() };
const moves = {
  ArrowLeft: (event) => toFrame(state.frame - (event.shiftKey ? 10 : 1)), ArrowRight: (event) => toFrame(state.frame + (event.shiftKey ? 10 : 1)),
  Home: () => toFrame(film().header.track[0]), End: () => toFrame(film().header.track[1]),
};

/** What a key does; letters without shift, whatever Caps Lock says. */
function find(event) {
  const { key } = event;
  if (key in moves) return () => { if (film()?.header) { play(false); moves[key](event); } };
  if (/^[1-9]$/.test(key)) return () => toggleChannel(+key);
  return signs[key] || (event.shiftKey ? undefined : letters[key.toLowerCase()]);
}

/** From the search the keyboard goes to the first row that is left: arrows choose one, Enter opens it, Escape leaves. */
function intoTable() {
  if (!state.grid.getDisplayedRowCount()) return;
  state.grid.ensureIndexVisible(0);
  state.grid.setFocusedCell(0, "cell");
}

/** What was used with the mouse lets go of the keyboard, so that keys go on to mean the same. */
export function letGo(target) {
  if (pointed) target.blur();
}

let pointed = false;
document.addEventListener("pointerdown", () => { pointed = true; }, true);

/** A key is pressed; of what is reached with the tabulator the keyboard's own keys work. */
export function onKey(event) {
  pointed = false;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("dialog").open) return;
  const at = event.target;
  if (at.matches(TYPING)) {
    if (event.key === "Enter" && at === $("search")) intoTable();
    else if (event.key === "Escape" || (event.key === "Enter" && at !== $("note"))) at.blur();
    return;
  }
  if (at.matches("button, a, input") && (event.key === " " || event.key === "Enter" || (at.type === "range" && event.key in moves))) return;
  const inGrid = at.closest("#cells-box");
  if (inGrid && event.key === "Escape") at.blur();
  if (state.key === null || (inGrid && (event.key in moves || event.key === " "))) return;
  if (event.repeat && !(event.key in moves)) return; // a key that is held scores one cell
  const act = find(event);
  if (!act) return;
  act();
  event.preventDefault();
}

