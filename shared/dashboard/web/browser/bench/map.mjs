// The fleet on the map: until it is there, what it costs to stand still, and how soon it follows a hand.
import { setTimeout as pause } from "node:timers/promises";
import { tellInputs } from "./figures.mjs";

const VISITS = 7;
const STILL_MS = 20_000;
const DRAGS = 10;
const DRAG_STEPS = 10;
const TURNS = 40;
const KEYS = ["ArrowRight", "+", "ArrowDown", "ArrowLeft", "-", "ArrowUp"];

/** Every node is in one of the symbols. */
function hasAll({ nodes }) {
  const symbols = [...document.querySelectorAll(".map-markers button")];
  const stations = symbols.map((symbol) => Number(/^([\d,]+) stations/.exec(symbol.title)?.[1] ?? 1));
  return stations.reduce((sum, count) => sum + count, 0) === nodes;
}

/** A place of the map that no symbol covers. */
function free() {
  const surface = document.querySelector(".map-surface");
  const { left, top, width, height } = surface.getBoundingClientRect();
  for (let part = 0.1; part < 0.9; part += 0.01)
    for (let other = 0.2; other < 0.8; other += 0.01) {
      const [x, y] = [left + width * part, top + height * other];
      if (document.elementFromPoint(x, y) === surface) return { x, y };
    }
  return null;
}

export async function map({ visit, probe, tell, options }) {
  const { page } = visit;
  const nodes = Number(options.nodes);
  const context = {
    nodes,
    sessions: nodes,
    reports_per_s: nodes,
    enrolled: "each over QUIC by a token of its own; their places are put in by SQL",
  };
  const paints = [];
  for (let number = 0; number < VISITS; number += 1)
    paints.push(await probe.opened(`http://${visit.host}/fleet`, hasAll, { nodes }));
  tell("map_first_paint", paints.slice(1), "ms", { ...context, first_visit_ms: Math.round(paints[0]) });
  await visit.chip("live");
  await pause(2_000);
  await probe.seen();
  const still = await probe.busy(() => pause(STILL_MS));
  const { longTasks } = await probe.seen();
  tell("map_main_thread", still.all, "ms/s", {
    ...context,
    ...still.parts,
    seconds: STILL_MS / 1_000,
    longest_task_ms: Math.round(Math.max(0, ...longTasks)),
  });
  const symbols = await page.locator(".map-markers button").count();
  const moving = await probe.busy(() => move(page));
  const seen = await probe.seen();
  tellInputs(tell, "map", seen.inputs, { ...context, symbols, budget_p95_ms: 100 });
  tell("map_moving_main_thread", moving.all, "ms/s", {
    ...context,
    ...moving.parts,
    longest_task_ms: Math.round(Math.max(0, ...seen.longTasks)),
  });
  const { heap, nodes: elements } = await probe.memory();
  tell("map_heap", heap / 2 ** 20, "MiB", { ...context, dom_nodes: elements });
}

/** Drags, turns of the wheel in and out, and keys. */
async function move(page) {
  for (let drag = 0; drag < DRAGS; drag += 1) {
    const from = await page.evaluate(free);
    if (from === null) throw new Error("symbols cover the whole map");
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    for (let step = 1; step <= DRAG_STEPS; step += 1) {
      await page.mouse.move(from.x + (drag % 2 === 0 ? 15 : -15) * step, from.y + 4 * step);
      await pause(30);
    }
    await page.mouse.up();
  }
  const { x, y, width, height } = await page.locator(".map-surface").boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  for (let turn = 0; turn < TURNS; turn += 1) {
    await page.mouse.wheel(0, turn < TURNS / 2 ? -60 : 60);
    await pause(60);
  }
  await page.locator(".map-surface").focus();
  for (const key of [...KEYS, ...KEYS, ...KEYS, ...KEYS, ...KEYS]) {
    await page.keyboard.press(key);
    await pause(60);
  }
}
