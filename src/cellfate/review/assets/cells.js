/* The cells of the study: their rows, the table that shows them, and what was scored of them. */

import { showCounts } from "./counts.js";
import { showLabel } from "./panel.js";
import { noteLooked } from "./shelf.js";
import { $, ask, find, row, state } from "./state.js";

const HIDDEN = ["fate", "condition", "dose", "findings", "others", "recording", "name"];
const OF_FORECASTS = ["forecast", "p_call", "open"];

export async function loadCells() {
  const found = await ask(`/cells?scorer=${encodeURIComponent(state.scorer)}`);
  const names = Object.keys(found.rows);
  state.rows = found.rows.cell.map((_, key) => {
    const one = { key, id: String(key), labels: {}, label: "", others: "" };
    for (const name of names) one[name] = found.rows[name][key];
    return one;
  });
  state.places = new Map(state.rows.map((one) => [`${one.cell} ${one.recording}`, one.key]));
  const applied = new Map(found.applied.map(([key, name, id]) => [`${key} ${name}`, id]));
  Object.assign(state, { since: found.since, blind: found.blind, hidden: found.hidden, hasForecasts: found.has_forecasts, applied });
  takeLabels(found.labels, false);
  for (const label of state.outbox) {
    const one = state.rows[find(label)];
    if (one) { one.labels[label.scorer] = label; describeLabels(one); }
  }
  state.grid.setGridOption("rowData", state.rows);
  state.grid.setColumnsVisible(HIDDEN, !state.blind);
  if (!state.rows.some((one) => one.name)) state.grid.setColumnsVisible(["name"], false);
  showForecastColumns();
  showCounts();
}

export function showForecastColumns() {
  state.grid.setColumnsVisible(OF_FORECASTS, $("forecasts").checked && !state.blind);
  noteShownForecasts();
}

/** What is in sight in the table while it shows forecasts was looked at. */
export function noteShownForecasts() {
  if ($("forecasts").checked && state.hasForecasts) noteLooked(...state.grid.getRenderedNodes().map((node) => node.data).filter(Boolean));
}

/** Take in labels; one that is on its way from here stands above what is stored. */
export function takeLabels(labels, show = true) {
  const changed = new Set();
  for (const label of labels) {
    const one = state.rows[find(label)];
    if (!one || state.outbox.some((sent) => isOfSame(sent, label) && sent.entry_id !== label.entry_id)) continue;
    one.labels[label.scorer] = label;
    changed.add(one);
  }
  if (show) showLabels(changed); else changed.forEach(describeLabels);
}

export const isOfSame = (one, other) => one.recording_id === other.recording_id && one.cell_id === other.cell_id && one.scorer === other.scorer;

/** Show everywhere what was scored of some cells. */
export function showLabels(ones) {
  ones.forEach(describeLabels);
  state.grid.applyTransaction({ update: [...ones] });
  if ([...ones].includes(row())) showLabel();
  showCounts();
}

export function describeLabels(one) {
  one.label = one.labels[state.scorer]?.fate || "";
  const others = Object.values(one.labels).filter((label) => label.scorer !== state.scorer && label.fate);
  one.others = others.map((label) => `${label.scorer}: ${label.fate}`).join(", ");
}
