// Several parameters on one grid of cells, computed from the mock's signals.
import type { Aligned } from "../types";
import { type MockRoute, problem } from "./answers";
import { numericAt } from "./parameters";

export const answerAligned: MockRoute = ({ world, url, path }) => {
  const [missions, mission, word] = path;
  if (missions !== "missions" || word !== "aligned" || path.length !== 3) return null;
  const from = Date.parse(url.searchParams.get("from") ?? "");
  const to = Date.parse(url.searchParams.get("to") ?? "");
  const points = Number(url.searchParams.get("points") ?? 500);
  const step = (to - from) / points;
  const starts = Array.from({ length: points }, (_, cell) => from + cell * step);
  const columns: Aligned["columns"] = [];
  for (const name of url.searchParams.getAll("parameter")) {
    const parameter = world.find(mission ?? "", name);
    if (parameter === undefined)
      return problem(404, "STO-API-UNKNOWN-PARAMETER", "No such parameter", `${name} is unknown.`);
    const cells = starts.map((start) => {
      const [first] = world.times(parameter, start, Math.min(start + step - 1, world.now()));
      return first === undefined ? null : numericAt(parameter, first);
    });
    const count = cells.map((cell) => (cell === null ? 0 : 1));
    columns.push({ parameter: name, count, last: cells, max: cells, mean: cells, min: cells });
  }
  const answer: Aligned = {
    columns,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    step_ms: step,
    times: starts,
  };
  return Response.json(answer);
};
