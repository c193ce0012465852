/* What is told at the head of the page: one sentence of the moment, and under it what waits for a decision. */

import { $, fill, make } from "./state.js";

let ofNow = null;
const waiting = new Map();

/** Say a sentence, instead of the last one; "" says nothing. */
export function tell(sentence) {
  ofNow = sentence ? write(sentence, [["close", () => tell("")]]) : null;
  show();
}

export function tellError(error) {
  if (error.isAway) tell("The server does not answer; what you scored is kept here. Is it still running?");
  else tell(error.status ? error.message : `This is a fault of the page, please report it: ${error.message}.`);
}

/** Say what stays until the person decides: each of actions is a name and what it does. */
export function keepTelling(id, sentence, actions) {
  waiting.set(id, write(sentence, actions));
  show();
}

export function stopTelling(id) {
  if (waiting.delete(id)) show();
}

function write(sentence, actions) {
  const line = make("p", sentence);
  for (const [name, act] of actions) line.append(make("button", name, { onclick: act }));
  return line;
}

function show() {
  const lines = [...(ofNow ? [ofNow] : []), ...waiting.values()];
  $("told").hidden = !lines.length;
  fill($("told"), ...lines);
}
