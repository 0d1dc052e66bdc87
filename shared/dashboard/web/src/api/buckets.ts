// Ranges of parameters as buckets. What many charts ask in one moment about one range goes as one request.
import type { Buckets, ManyBuckets } from "../types";
import { missionPath, ProblemError, request } from "./client";

/** Parameters of one request. The server takes more, but has 30 s for all of them, and a chart waits for its neighbours. */
const PARAMETERS_MAX = 12;
/** The most that the server answers at once. */
const BUCKETS_MAX = 500_000;
/** Names in one address: proxies refuse those of more than some KiB. */
const NAMES_LENGTH_MAX = 4_000;

export interface BucketsQuestion {
  mission: string;
  parameter: string;
  /** Unix milliseconds, included and excluded. */
  from: number;
  to: number;
  points: number;
}

interface Waiting {
  parameter: string;
  resolve: (buckets: Buckets) => void;
  reject: (error: unknown) => void;
}

type Range = Omit<BucketsQuestion, "parameter">;

const ranges = new Map<string, { range: Range; waiting: Waiting[] }>();

/** One that the server cannot answer fails alone. */
export function readBuckets({ parameter, ...range }: BucketsQuestion): Promise<Buckets> {
  const key = JSON.stringify([range.mission, range.from, range.to, range.points]);
  return new Promise((resolve, reject) => {
    const known = ranges.get(key);
    if (known !== undefined) {
      known.waiting.push({ parameter, resolve, reject });
      return;
    }
    const waiting = [{ parameter, resolve, reject }];
    ranges.set(key, { range, waiting });
    setTimeout(() => {
      ranges.delete(key);
      askAll(range, waiting);
    }, 0);
  });
}

function askAll(range: Range, waiting: readonly Waiting[]): void {
  const names = [...new Set(waiting.map(({ parameter }) => parameter))];
  for (const asked of requestsOf(names, Math.floor(BUCKETS_MAX / range.points))) {
    const askers = waiting.filter(({ parameter }) => asked.includes(parameter));
    ask(range, asked)
      .then((answers) => {
        for (const { parameter, resolve, reject } of askers) {
          const answer = answers[asked.indexOf(parameter)];
          if (answer?.kind === "buckets") resolve(answer);
          else if (answer?.kind === "problem") reject(new ProblemError(answer));
          else reject(new Error(`the server answered nothing of ${parameter}`));
        }
      })
      .catch((error: unknown) => {
        for (const { reject } of askers) reject(error);
      });
  }
}

/** The names, as many in a request as it takes. */
function requestsOf(names: readonly string[], most: number): string[][] {
  const requests: string[][] = [];
  let length = 0;
  for (const name of names) {
    const added = encodeURIComponent(name).length;
    const last = requests.at(-1);
    if (
      last !== undefined &&
      last.length < Math.min(PARAMETERS_MAX, most) &&
      length + added <= NAMES_LENGTH_MAX
    ) {
      last.push(name);
      length += added;
    } else {
      requests.push([name]);
      length = added;
    }
  }
  return requests;
}

async function ask({ mission, from, to, points }: Range, names: readonly string[]) {
  const search = new URLSearchParams({
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    points: String(points),
    gaps: "true",
  });
  for (const name of names) search.append("parameter", name);
  return (await request<ManyBuckets>("GET", missionPath(mission, `buckets?${search}`))).answers;
}
