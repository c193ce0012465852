/* Labels on their way to the journal. Each is shown at once, and kept in this browser until the server has it. What the
   server refuses is kept too, each by itself, until the person has decided. */

import { isOfSame, showLabels, takeLabels } from "./cells.js";
import { forgetLabel, forgetPort, keepLabel, keptLabels, otherPorts, whatWentAway } from "./shelf.js";
import { $, ask, find, state } from "./state.js";
import { keepTelling, stopTelling, tell } from "./told.js";

const AGAIN_MS = 1000;
const newId = () => crypto.randomUUID().replaceAll("-", "");
const newestOf = (label) => state.rows[find(label)]?.labels[label.scorer];

/** What is done when another page of this browser began or ended blind mode. */
export const hooks = { blindChanged() {} };

/** Make a label of facts, the newest of its cell and scorer, and send it. */
export function put(facts) {
  const label = { ...facts, entry_id: newId(), after: newestOf(facts)?.entry_id ?? null };
  delete label.at; // the server says it
  keepLabel("waiting", label);
  state.outbox.push(label);
  const key = find(label);
  if (key >= 0) {
    state.rows[key].labels[label.scorer] = label;
    showLabels([state.rows[key]]);
  }
  send();
  return label;
}

export async function send() {
  if (state.sending) return;
  state.sending = true;
  try {
    while (state.outbox.length) {
      showSaved();
      await sendOne(state.outbox[0]);
    }
  } finally {
    state.sending = false;
    showSaved();
  }
}

async function sendOne(label) {
  let found;
  try {
    const body = JSON.stringify({ label, since: state.since, scorer: state.scorer });
    found = await ask("/labels", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  } catch (error) {
    if ([409, 422].includes(error.status)) { refuse(label, error); return; }
    state.refused = error.isAway ? "The server does not answer: what you scored is kept in this browser and sent as soon as it does." : error.message;
    tell(state.refused);
    showSaved();
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    return;
  }
  leave(label);
  if (state.refused) { state.refused = ""; tell(""); }
  take(found);
}

function leave(label) {
  state.outbox = state.outbox.filter((other) => other !== label);
  forgetLabel("waiting", label);
}

function take(found) {
  state.since = found.since;
  takeLabels(found.labels);
  if (found.blind !== state.blind) hooks.blindChanged();
}

/** Learn what others stored meanwhile. */
export async function catchUp() {
  if (state.sending) return;
  try { take(await ask(`/labels?since=${state.since}&scorer=${encodeURIComponent(state.scorer)}`)); } catch { /* told when something is scored */ }
}

// ---- what the server refused

/** Keep a label that was not stored: its cell was scored elsewhere meanwhile, or the study has changed.
    What followed it here is part of it: the last of these is what the person meant. */
function refuse(label, error) {
  const all = state.outbox.filter((other) => other === label || isOfSame(other, label));
  const last = all.at(-1);
  keepLabel("undecided", last);
  all.forEach(leave);
  const one = state.rows[find(label)];
  if (one && error.status === 409) {
    const { newest } = error.body;
    if (newest) one.labels[label.scorer] = newest; else delete one.labels[label.scorer];
    showLabels([one]);
    take(error.body);
  }
  askAbout(last, error.status === 409 ? "" : error.message);
}

function askAbout(label, reason) {
  const there = newestOf(label)?.fate;
  const elsewhere = there ? `scored ${there === "scored" ? "" : `${there} `}` : "taken back ";
  const why = reason || `${name(label)} was ${elsewhere}in another page of ${label.scorer} in the meantime.`;
  const frame = label.event_frame === null ? "" : ` at frame ${label.event_frame}`;
  const mine = `${label.fate ? label.fate + frame : "taken back"}${label.note ? `, note: ${label.note}` : ""}`;
  state.undecided.push(label);
  keepTelling(label.entry_id, `${why} Yours is not stored${reason ? `, of ${name(label)}` : ""}: ${mine}.`, [
    ["store mine", () => { decide(label.entry_id); put(label); }],
    ["drop mine", () => decide(label.entry_id)],
  ]);
}

const name = (label) => (state.blind ? `Cell ${label.cell_id}` : `${label.recording_id}, cell ${label.cell_id},`);

function decide(entryId) {
  forgetLabel("undecided", { entry_id: entryId });
  state.undecided = state.undecided.filter((other) => other.entry_id !== entryId);
  stopTelling(entryId);
}

/** Take up what an earlier page left in this browser, before the cells are loaded. */
export function takeUp() {
  state.outbox = keptLabels("waiting");
  window.addEventListener("storage", (event) => { const id = whatWentAway(event, "undecided"); if (id) decide(id); });
}

/** Ask again what an earlier page asked, once the cells are there. */
export function askAgain() {
  keptLabels("undecided").forEach((label) => askAbout(label, ""));
  for (const port of otherPorts()) {
    keepTelling(`port ${port}`, `Labels of this study wait in this browser at port ${port}: to have them stored, start the review once with --port ${port}.`,
      [["close", () => stopTelling(`port ${port}`)], ["say it no more", () => { forgetPort(port); stopTelling(`port ${port}`); }]]);
  }
}

export function showSaved() {
  const n = state.outbox.length;
  $("saved").textContent = n ? `${n} not saved yet` : "all saved";
  $("saved").className = n && state.refused ? "waiting" : "";
}
