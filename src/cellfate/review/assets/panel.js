/* What stands beside the film: which cell it is, its relatives, and what was scored of it. */

import { draftOf, hasLooked, keepPlace } from "./shelf.js";
import { $, fill, make, mineOf, row, state } from "./state.js";

export function showAbout() {
  const one = row();
  $("title").textContent = state.blind ? tellPlace() : `${one.recording}, cell ${one.cell}${one.name ? ` (${one.name})` : ""}`;
  $("about").textContent = state.blind ? `frames ${one.first} to ${one.last}` : describe(one);
  $("about").title = one.found ?? "";
  const link = (key, word) => make("button", `${word} ${state.rows[key].cell}`, { className: "link", value: key });
  const family = [
    ...(one.mother == null ? [] : [link(one.mother, "mother")]),
    ...(one.daughters || []).map((key) => link(key, "daughter")),
    ...(one.sisters || []).map((key) => link(key, "sister")),
  ];
  fill($("family"), ...(family.length ? family : [state.blind ? "" : "no relatives are known"]));
  $("html").href = `/hand_over/${state.key}.html?forecasts=${+$("forecasts").checked}`;
  history.replaceState(null, "", state.blind ? "/" : `#${encodeURIComponent(one.recording)}/${one.cell}`);
  keepPlace(one);
  const node = state.grid.getRowNode(one.id);
  if (node) { node.setSelected(true, true); state.grid.ensureNodeVisible(node); }
  showLabel();
}

function tellPlace() {
  const place = state.order.indexOf(state.key);
  return place < 0 ? "a cell outside this order" : `cell ${place + 1} of ${state.order.length} in this order`;
}

function describe(one) {
  const at = one.event_frame === null ? "" : ` at frame ${one.event_frame}`;
  const recorded = one.fate && one.fate !== "unscored" ? `; recorded: ${one.fate}${at}` : "";
  const open = one.open > 1 ? `, ${one.open} outcomes left open` : "";
  const forecast = $("forecasts").checked && one.forecast ? `; forecast: ${one.forecast}, ${one.p_call}${open}` : "";
  return `${[...new Set([one.condition, one.dose])].filter(Boolean).join(", ")}; frames ${one.first} to ${one.last}${recorded}${forecast}`;
}

export function showLabel() {
  const one = row();
  const mine = mineOf(one);
  document.querySelectorAll("[data-fate]").forEach((button) => button.classList.toggle("on", button.dataset.fate === mine?.fate));
  const at = mine?.event_frame == null ? "" : ` at frame ${mine.event_frame}`;
  const marked = state.mark === null ? "" : ` Event marked at frame ${state.mark}.`;
  const others = one.others && !state.blind ? ` Others: ${one.others}.` : "";
  const trains = state.hasForecasts && hasLooked(one) ? " Its forecast was seen: for training only." : "";
  $("mine").textContent = (mine?.fate ? `You scored ${mine.fate}${at}.` : "Not scored by you yet.") + marked + others + trains;
  $("settle").hidden = state.blind || !(one.others || mine?.adjudicates);
  $("settles").checked = settles();
  if (document.activeElement !== $("note")) $("note").value = draftOf(one) ?? mine?.note ?? "";
}

/** Whether the scorer's label of the cell settles what scorers do not agree on. */
export const settles = () => state.settles ?? mineOf(row())?.adjudicates ?? false;
