import { afterEach, expect, test, vi } from "vitest";
import { readBuckets } from "./buckets";
import { ProblemError, UnreachableError } from "./client";

const RANGE = { mission: "aurora-1", from: 0, to: 60_000, points: 800 };
const SILENT = { title: "There is no such parameter", status: 404, code: "STO-API-UNKNOWN-PARAMETER" };

/** Answers every parameter but `/missing`, and counts what was asked for at once. */
function serve(): string[][] {
  const asked: string[][] = [];
  vi.stubGlobal("fetch", async (path: string) => {
    const names = new URL(path, "http://test").searchParams.getAll("parameter");
    asked.push(names);
    const answers = names.map((parameter) =>
      parameter === "/missing"
        ? { kind: "problem", type: "about:blank", detail: "it is unknown", ...SILENT }
        : { kind: "buckets", parameter, count: 1 },
    );
    return Response.json({ answers });
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("what is asked in one moment about one range is one request, and each has its own answer", async () => {
  const asked = serve();
  const names = ["/a", "/b", "/a"];
  const answers = await Promise.all(names.map((parameter) => readBuckets({ ...RANGE, parameter })));
  expect(answers.map(({ parameter }) => parameter)).toEqual(names);
  expect(asked).toEqual([["/a", "/b"]]);
  await readBuckets({ ...RANGE, parameter: "/a" });
  expect(asked).toHaveLength(2);
});

test.each([{ mission: "kestrel" }, { from: 1 }, { to: 1 }, { points: 900 }])(
  "%j is another question",
  async (other) => {
    const asked = serve();
    await Promise.all([
      readBuckets({ ...RANGE, parameter: "/a" }),
      readBuckets({ ...RANGE, ...other, parameter: "/a" }),
    ]);
    expect(asked).toEqual([["/a"], ["/a"]]);
  },
);

test("many are asked for in several requests, so that no chart waits for all others", async () => {
  const asked = serve();
  const names = Array.from({ length: 30 }, (_, index) => `/p${index}`);
  await Promise.all(names.map((parameter) => readBuckets({ ...RANGE, parameter })));
  expect(asked.map((each) => each.length)).toEqual([12, 12, 6]);
});

test("names that are long go in addresses that a proxy takes", async () => {
  const asked = serve();
  const names = Array.from({ length: 10 }, (_, index) => `/${"x".repeat(900)}${index}`);
  await Promise.all(names.map((parameter) => readBuckets({ ...RANGE, parameter })));
  expect(asked.map((each) => each.length)).toEqual([4, 4, 2]);
});

test("an answer without answers is told to all who asked", async () => {
  vi.stubGlobal("fetch", async () => Response.json({}));
  const asked = ["/a", "/b"].map((parameter) => readBuckets({ ...RANGE, parameter }));
  const answers = await Promise.allSettled(asked);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("one that cannot be answered fails alone", async () => {
  serve();
  const [known, missing] = await Promise.allSettled(
    ["/a", "/missing"].map((parameter) => readBuckets({ ...RANGE, parameter })),
  );
  expect(known).toMatchObject({ status: "fulfilled", value: { parameter: "/a" } });
  expect(missing).toMatchObject({ status: "rejected", reason: { problem: SILENT } });
  expect(missing?.status === "rejected" && missing.reason).toBeInstanceOf(ProblemError);
});

test("when no answer comes all are told so", async () => {
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed to fetch")));
  const answers = await Promise.allSettled(
    ["/a", "/b"].map((parameter) => readBuckets({ ...RANGE, parameter })),
  );
  for (const answer of answers)
    expect(answer.status === "rejected" && answer.reason).toBeInstanceOf(UnreachableError);
});
