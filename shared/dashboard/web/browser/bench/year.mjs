// A plot over a year: from going there until its line is on the canvas.
import { isPainted, READ_BACK } from "./painted.mjs";

/** `visits` 0: one visit of a browser that was never here; otherwise so many after a first one. */
export async function year({ visit, probe, tell, options }) {
  const { mission, parameter, from, to } = options;
  const warm = Number(options.visits);
  const search = new URLSearchParams({ p: JSON.stringify([parameter]), t: `${from}~${to}` });
  const address = `http://${visit.host}/m/${mission}/explore?${search}`;
  if (warm === 0) await probe.forgetCache();
  const seen = { paints: [], bytes: [], answers: [] };
  for (let number = 0; number < warm + 1; number += 1) {
    probe.received();
    const paint = await visit.expecting(READ_BACK, () => probe.opened(address, isPainted, { charts: 1 }));
    if (number === 0 && warm > 0) continue;
    const { all, answers } = probe.received();
    seen.paints.push(paint);
    seen.bytes.push(all);
    seen.answers.push(answers);
  }
  const points = Number(await visit.page.getByTestId("plot").getAttribute("data-points"));
  const context = {
    days: (Date.parse(to) - Date.parse(from)) / 86_400_000,
    samples_per_s: 1,
    taken_in: "sealed batches of one node, over QUIC, into segments and roll-ups",
    points,
    visit:
      warm === 0
        ? "cold: hub and PostgreSQL started anew, nothing of the database's files in memory, browser cache empty"
        : "warm: a page that is loaded anew",
  };
  const kind = warm === 0 ? "cold" : "warm";
  tell(`year_first_paint_${kind}`, seen.paints, "ms", context);
  tell(`year_bytes_${kind}`, seen.bytes, "byte", { ...context, of: "all that came over the network" });
  tell(`year_answer_bytes_${kind}`, seen.answers, "byte", { ...context, of: "answers of the API" });
}
