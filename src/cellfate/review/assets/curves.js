/* The curves of a cell, and the mark of the frame on them. */

import { $, state } from "./state.js";

export function showCurves(figure) {
  state.figure = figure;
  window.dash_clientside.set_props("curves", { figure: figure || { data: [], layout: {} } });
}

export function placeNow(hours) {
  const meta = state.figure?.layout.meta;
  const now = $("now");
  now.style.display = meta && meta.n_panels ? "block" : "none";
  if (!meta) return;
  const { l, r } = state.figure.layout.margin;
  const wide = $("curves").clientWidth - l - r;
  now.style.left = `${l + ((hours - meta.hours[0]) / (meta.hours[1] - meta.hours[0] || 1)) * wide}px`;
  now.style.height = `${state.figure.layout.height - 8}px`;
}

/** Hours at which the curves were clicked; null: beside them. */
export function hoursAt(event) {
  const meta = state.figure?.layout.meta;
  if (!meta?.n_panels) return null;
  const { l, r } = state.figure.layout.margin;
  const share = (event.clientX - $("curves").getBoundingClientRect().left - l) / ($("curves").clientWidth - l - r);
  return share < -0.02 || share > 1.02 ? null : meta.hours[0] + share * (meta.hours[1] - meta.hours[0]);
}
