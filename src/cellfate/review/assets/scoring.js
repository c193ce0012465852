/* Scoring: a fate, an event frame, a note; undo and redo, which are labels too. Every label is the scorer's own. */

import { goOn, open } from "./cell.js";
import { put } from "./outbox.js";
import { settles, showLabel } from "./panel.js";
import { paint } from "./screen.js";
import { hasLooked, keepDraft, keepHistory } from "./shelf.js";
import { $, EVENTS, find, mineOf, row, state } from "./state.js";
import { tell } from "./told.js";

export function score(fate) {
  const isEvent = EVENTS.includes(fate);
  if (isEvent && state.mark === null && state.frame === null) {
    tell("The film is not there yet, so nobody saw when the event is; nothing was scored.");
    return;
  }
  const frame = state.mark ?? (isEvent ? state.frame : null);
  const stored = store({ fate, event_frame: fate === "unusable" ? null : frame, note: $("note").value.trim() });
  if (stored && !($("advance").checked && goOn())) showLabel();
}

/** Store what is said of the cell that is shown; without a name nothing is. */
function store(said) {
  const one = row();
  if (!one) return false;
  if (!state.scorer) { tell("Say who scores first: a name in the field scorer."); $("scorer").focus(); return false; }
  const before = mineOf(one) ?? null;
  const now = put({
    scorer: state.scorer, queue: state.from, blind: state.blind, recording_id: one.recording, cell_id: one.cell,
    looked_at_forecasts: hasLooked(one), adjudicates: settles(), ...said,
  });
  keepDraft(one, "");
  state.done.push({ before, now, from: state.from });
  state.undone = [];
  keepHistory();
  return true;
}

/** Store the scorer's label of this cell again, with a change. */
function change(said) {
  const { fate, event_frame, note } = mineOf(row());
  if (store({ fate, event_frame, note, ...said })) showLabel();
}

/** The event is at this frame: of a cell that is scored this corrects it. */
export function mark() {
  if (state.frame === null) return;
  const fate = mineOf(row())?.fate;
  state.mark = state.frame;
  if (fate && fate !== "unusable") change({ event_frame: state.frame }); else showLabel();
  paint();
}

/** A note without a fate waits in this browser for one. */
export function draftNote() {
  if (row()) keepDraft(row(), $("note").value);
}

export function saveNote() {
  const mine = mineOf(row());
  const note = $("note").value.trim();
  if (!mine?.fate) return;
  if (note !== (mine.note || "")) change({ note }); else keepDraft(row(), "");
}

export function changeSettles() {
  state.settles = $("settles").checked;
  if (mineOf(row())?.fate) change({ adjudicates: state.settles });
}

// ---- undo and redo

export function undo() {
  const step = state.done.at(-1);
  if (!step || !isNewest(step.now)) return;
  state.done.pop();
  goTo(step);
  const { now, before } = step;
  step.undo = put(before?.fate ? before : { ...now, fate: null, event_frame: null, note: "", adjudicates: false });
  state.undone.push(step);
  if (before) stepsFollow(before, step.undo);
  keepHistory();
  showLabel();
}

export function redo() {
  const step = state.undone.at(-1);
  if (!step || !isNewest(step.undo)) return;
  state.undone.pop();
  goTo(step);
  const { now } = step;
  state.done.push(step);
  stepsFollow(now, put(now));
  keepHistory();
  showLabel();
}

function goTo({ now, from }) {
  state.mark = null;
  const key = find(now);
  if (key !== state.key) open(key, from); else paint();
}

/** What was stored again has a new number: steps that meant the old label mean this one. */
function stepsFollow(old, label) {
  for (const step of [...state.done, ...state.undone]) {
    for (const name of ["before", "now", "undo"]) if (step[name]?.entry_id === old.entry_id) step[name] = label;
  }
}

/** Whether nothing was stored of a cell since a step; if there was, the step is not taken, and this is told. */
function isNewest(label) {
  const one = state.rows[find(label)];
  if (mineOf(one)?.entry_id === label.entry_id) return true;
  tell(one ? `${state.blind ? "The cell" : `${one.recording}, cell ${one.cell}`} was scored in another page since; look at it, and score it again.` : "The study no longer has that cell.");
  if (one) open(one.key, "search");
  return false;
}
