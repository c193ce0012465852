/* The order in which cells come to be scored. */

import { showForecastColumns } from "./cells.js";
import { $, ask, BY_FORECASTS, mineOf, state } from "./state.js";

export async function loadOrder() {
  const queue = $("queue").value;
  const found = await ask(`/queue/${queue}?scorer=${encodeURIComponent(state.scorer)}`);
  Object.assign(state, { queue, order: found.keys, place: 0 });
  $("forecasts").checked = BY_FORECASTS.includes(queue) && !state.blind;
  showForecastColumns();
}

/** In the order of likely errors a cell is looked at again, whatever was said of it before. */
function isDone(one) {
  const mine = mineOf(one);
  return mine?.fate && (state.queue !== "disagreement" || mine.queue === "disagreement");
}

export function nextUnscored(from = state.place) {
  const n = state.order.length;
  for (let i = 1; i <= n; i++) {
    const place = (from + i) % n;
    if (!isDone(state.rows[state.order[place]])) return place;
  }
  return -1;
}
