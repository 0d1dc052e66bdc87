// A dashboard of live plots, looked at for a long time: what it costs, how soon it answers, and what stays in memory.
import { setTimeout as pause } from "node:timers/promises";
import { slope, tellInputs } from "./figures.mjs";
import { isPainted, READ_BACK } from "./painted.mjs";

const PLOTS = 20;
const LINES = 6;
/** Plots beside each other, and columns and rows of each. */
const ACROSS = 4;
const [COLUMNS, ROWS] = [6, 8];
const DASHBOARD = "bench-of-the-browser";
const INTERVAL_MS = 60_000;
/** A short run has shorter intervals: fewer would show no growth. */
const INTERVALS_MIN = 6;
/** Of an interval; in the rest a person is at work. */
const STILL = 2 / 3;
/** Three inputs each. */
const ROUNDS = 8;
/** Of the page anew, in the end. */
const VISITS = 5;

export async function live({ visit, probe, tell, options }) {
  const { mission } = options;
  const minutes = Number(options.minutes);
  await makeDashboard(visit, mission, Number(options.parameters));
  const address = `http://${visit.host}/m/${mission}/d/${DASHBOARD}`;
  const context = {
    plots: PLOTS,
    lines: PLOTS * LINES,
    parameters_per_s: Number(options.parameters),
    shown: "the last 15 minutes",
  };
  const open = () => visit.expecting(READ_BACK, () => probe.opened(address, isPainted, { charts: PLOTS }));
  await open();
  await visit.chip("live");
  const looks = await look(visit, probe, minutes);

  const still = looks.map(({ busy }) => busy.all);
  tell("live_main_thread", still, "ms/s", {
    ...context,
    minutes,
    by_interval: still.map(Math.round),
    last: looks.at(-1)?.busy.parts,
    longest_task_ms: Math.round(Math.max(0, ...looks.flatMap(({ longTasks }) => longTasks))),
  });
  const inputs = looks.flatMap((one) => one.inputs);
  tellInputs(tell, "live", inputs, { ...context, minutes, budget_p95_ms: 100 });
  tellMemory(tell, looks, { ...context, minutes });
  const paints = [];
  for (let number = 0; number < VISITS; number += 1) paints.push(await open());
  tell("live_first_paint", paints, "ms", { ...context, minutes });
}

async function makeDashboard(visit, mission, wanted) {
  const { body } = await visit.ask(`/api/v1/missions/${mission}/parameters`);
  if (body.parameters.length < wanted)
    throw new Error(`the mission has ${body.parameters.length} parameters, not ${wanted}`);
  const numbers = body.parameters.filter(({ kind }) => kind === "float").map(({ name }) => name);
  const every = Math.floor(numbers.length / (PLOTS * LINES));
  const widgets = Array.from({ length: PLOTS }, (_, plot) => ({
    id: `plot-${plot}`,
    kind: "line-plot",
    x: (plot % ACROSS) * COLUMNS,
    y: Math.floor(plot / ACROSS) * ROWS,
    w: COLUMNS,
    h: ROWS,
    opts: {
      title: `Plot ${plot}`,
      parameters: Array.from({ length: LINES }, (_, line) => numbers[(plot * LINES + line) * every]),
    },
  }));
  await visit.tell("POST", `/api/v1/missions/${mission}/dashboards`, {
    id: DASHBOARD,
    title: "Bench",
    widgets,
  });
}

async function look(visit, probe, minutes) {
  const intervals = Math.max(INTERVALS_MIN, Math.round((minutes * 60_000) / INTERVAL_MS));
  const interval = (minutes * 60_000) / intervals;
  const begun = performance.now();
  const looks = [];
  for (let number = 0; number < intervals; number += 1) {
    const end = begun + (number + 1) * interval;
    await probe.seen();
    const busy = await probe.busy(() => pause(interval * STILL));
    const { longTasks } = await probe.seen();
    await work(visit.page, number);
    const { inputs } = await probe.seen();
    await pause(Math.max(0, end - performance.now()));
    looks.push({ busy, longTasks, inputs, minute: (end - begun) / 60_000, ...(await probe.memory()) });
  }
  return looks;
}

/** A plot is paused, read point by point, and let go, one plot after the other. */
async function work(page, interval) {
  for (let round = 0; round < ROUNDS; round += 1) {
    const name = `Plot ${(interval * ROUNDS + round) % PLOTS}`;
    const plot = page.getByRole("region", { name, exact: true });
    await plot.getByRole("button", { name: `Pause ${name}` }).click();
    await pause(70 + 23 * round);
    await plot.getByRole("application").focus();
    await page.keyboard.press("ArrowLeft");
    await pause(110);
    await plot.getByRole("button", { name: "Back to live" }).click();
    await pause(90);
  }
}

/** Growth is that of the second half: in the first one the plots fill. */
function tellMemory(tell, looks, context) {
  const later = looks.slice(Math.floor(looks.length / 2));
  const [first, last] = [looks[0], looks.at(-1)];
  const mib = looks.map(({ heap }) => Number((heap / 2 ** 20).toFixed(1)));
  tell("live_heap", last.heap / 2 ** 20, "MiB", { ...context, after_each_interval: mib });
  const perMinute = slope(later.map(({ minute, heap }) => ({ x: minute, y: heap })));
  tell("live_heap_growth", perMinute, "byte/min", { ...context, over: "the second half" });
  tell("live_heap_last_of_first", last.heap / first.heap, "ratio", context);
  for (const what of ["nodes", "listeners"])
    tell(`live_dom_${what}`, last[what], "1", {
      ...context,
      after_first_interval: first[what],
      at_half: later[0][what],
    });
}
