// A range in numbers, counted from the mock's samples.
import { parseTime } from "../format/time";
import type { Statistic, Statistics } from "../types";
import { type MockRoute, problem } from "./answers";
import { numericAt, qualityOf } from "./parameters";
import { iso } from "./world";

export const answerStatistics: MockRoute = ({ world, url, path }) => {
  const [missions, mission, leaf] = path;
  if (missions !== "missions" || leaf !== "statistics" || path.length !== 3) return null;
  const name = url.searchParams.get("parameter") ?? "";
  const parameter = world.find(mission ?? "", name);
  if (parameter === undefined)
    return problem(404, "STO-API-UNKNOWN-PARAMETER", "No such parameter", `${name} is unknown.`);
  const [from, to] = [url.searchParams.get("from") ?? "", url.searchParams.get("to") ?? ""];
  const times = world.times(parameter, parseTime(from), Math.min(parseTime(to) - 1, world.now()));
  const { validity, monitoring } = qualityOf(parameter);
  const numbers = times.flatMap((at) => {
    const value = numericAt(parameter, at);
    return value === null || validity !== "valid" ? [] : [{ generation_time: iso(at), value }];
  });
  const values = numbers.map(({ value }) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const isMonitored = monitoring !== "not-monitored";
  const outside = isMonitored && monitoring !== "normal" ? times.length : 0;
  const seconds = (times.length * parameter.period) / 1000;
  const total: Statistic = {
    count: times.length,
    numbers: values.length,
    ...(values.length === 0
      ? {}
      : {
          min: values.reduce((a, b) => Math.min(a, b)),
          max: values.reduce((a, b) => Math.max(a, b)),
          mean,
          deviation: Math.sqrt(square),
        }),
    first: numbers[0] ?? null,
    last: numbers.at(-1) ?? null,
    monitored: isMonitored ? times.length : 0,
    monitored_s: isMonitored ? seconds : 0,
    outside,
    outside_s: outside > 0 ? seconds : 0,
  };
  const answer: Statistics = { parameter: name, from, to, total, buckets: [] };
  return Response.json(answer);
};
