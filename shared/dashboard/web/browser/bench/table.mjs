// A table of very many events: until rows are there, until all are, which a search that finds none makes it read, and going
// through all of them.
import { setTimeout as pause } from "node:timers/promises";
import { tellInputs } from "./figures.mjs";

const VISITS = 3;
const STEPS = 120;
const ROW_PX = 30;
const SEARCHED = "azimuth 270 elevation 30";
const UNSAID = "nobody-said-this";

function hasRows() {
  return document.querySelector("table.events tr[data-index]") !== null;
}

function hasSearchedAll({ events }) {
  const said = document.querySelector(".list-foot")?.textContent ?? "";
  const [, read] = /^(?:at least )?0 events of (?:at least )?([\d,]+)/.exec(said) ?? [];
  return read !== undefined && Number(read.replaceAll(",", "")) >= events;
}

function hasAll({ events }) {
  const table = document.querySelector("table.events");
  return table !== null && Number(table.getAttribute("aria-rowcount")) > events;
}

function hasLast({ events }) {
  return document.querySelector(`table.events tr[data-index="${events - 1}"]`) !== null;
}

/** Milliseconds that the page waited for its answers, one after the other. */
function waited() {
  const answers = performance.getEntriesByType("resource").filter(({ name }) => /\/events\?/.test(name));
  return answers.reduce((sum, { duration }) => sum + duration, 0);
}

export async function table({ visit, probe, tell, options }) {
  const { page } = visit;
  const events = Number(options.events);
  const address = `http://${visit.host}/m/${options.mission}/events?t=-24h`;
  const context = { events, made: "put into the table of posted events by SQL, over 23 hours" };
  const search = page.getByRole("searchbox").first();
  const figures = { first: [], all: [], busy: [], waited: [] };
  let longest = 0;
  for (let number = 0; number < VISITS; number += 1) {
    figures.first.push(await probe.opened(address, hasRows));
    const { result, all } = await probe.busy(async () => {
      await search.fill(UNSAID);
      return probe.since(hasSearchedAll, { events });
    });
    await search.fill("");
    await probe.since(hasAll, { events });
    figures.all.push(result);
    figures.busy.push(all);
    figures.waited.push(Math.round(await page.evaluate(waited)));
    longest = Math.max(longest, ...(await probe.seen()).longTasks);
  }
  tell("events_first_rows", figures.first, "ms", context);
  tell("events_all_rows", figures.all, "ms", {
    ...context,
    requests_of: 1_000,
    waited_for_answers_ms: figures.waited,
  });
  tell("events_reading_main_thread", figures.busy, "ms/s", {
    ...context,
    longest_task_ms: Math.round(longest),
  });

  const scroller = page.locator("section.table-scroller").first();
  const { x, y, width, height } = await scroller.boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await probe.seen();
  let most = 0;
  const scrolled = await probe.busy(async () => {
    for (let step = 0; step < STEPS; step += 1) {
      await page.mouse.wheel(0, Math.ceil((events * ROW_PX) / STEPS) + height);
      // A hand turns a wheel so fast.
      await pause(60);
      most = Math.max(most, await page.locator("table.events tr[data-index]").count());
    }
    await probe.since(hasLast, { events });
  });
  const seen = await probe.seen();
  tellInputs(tell, "events_scroll", seen.inputs, { ...context, budget_p95_ms: 100 });
  tell("events_scroll_main_thread", scrolled.all, "ms/s", { ...context, ...scrolled.parts });
  tell("events_rows_in_document", most, "1", context);
  const { heap, nodes } = await probe.memory();
  tell("events_heap", heap / 2 ** 20, "MiB", { ...context, dom_nodes: nodes });

  await search.click();
  await probe.seen();
  for (const letter of SEARCHED) {
    await page.keyboard.press(letter === " " ? "Space" : letter);
    await pause(120);
  }
  tellInputs(tell, "events_search", (await probe.seen()).inputs, { ...context, searched: SEARCHED });
}
