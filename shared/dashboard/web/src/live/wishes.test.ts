import { expect, test } from "vitest";
import { Wishes } from "./wishes";

test("many components become one subscription for values and one for curves", () => {
  const wishes = new Wishes();
  wishes.parameters("values", "m", ["/a", "/b"]);
  wishes.parameters("values", "m", ["/b", "/c"]);
  wishes.parameters("traces", "m", ["/a"]);
  expect(wishes.changes()).toEqual([
    {
      id: "values-1",
      of: { kind: "parameters", mission: "m", parameters: ["/a", "/b", "/c"], rate_max_per_s: 4 },
    },
    { id: "traces-2", of: { kind: "parameters", mission: "m", parameters: ["/a"] } },
  ]);
  expect(wishes.changes()).toEqual([]);
});

test("a parameter stays as long as somebody wants it", () => {
  const wishes = new Wishes();
  const first = wishes.parameters("values", "m", ["/a"]);
  const second = wishes.parameters("values", "m", ["/a", "/b"]);
  wishes.changes();
  first();
  first();
  expect(wishes.changes()).toEqual([]);
  expect(wishes.of("values-1")).toEqual({ purpose: "values", mission: "m", key: "values m" });
  second();
  expect(wishes.changes()).toEqual([{ id: "values-1", of: null }]);
  expect(wishes.of("values-1")).toBeNull();
});

test("there is no sample only of what the server has answered for since it was asked", () => {
  const wishes = new Wishes();
  expect(wishes.lackOf("m", "/a")).toBe("waiting");
  wishes.parameters("values", "m", ["/a"]);
  const [asked] = wishes.changes();
  expect(wishes.lackOf("m", "/a")).toBe("waiting");
  wishes.onSnapshot(asked?.id);
  expect(wishes.lackOf("m", "/a")).toBe("no sample");
  wishes.parameters("values", "m", ["/b"]);
  wishes.onSnapshot(asked?.id);
  expect(wishes.lackOf("m", "/b")).toBe("waiting");
  wishes.changes();
  wishes.onSnapshot(asked?.id);
  expect(wishes.lackOf("m", "/b")).toBe("no sample");
  wishes.forget();
  expect(wishes.lackOf("m", "/a")).toBe("waiting");
});

test("what is told of the question before says nothing of a name that was just asked for", () => {
  const wishes = new Wishes();
  const ask = (name: string) => {
    wishes.parameters("values", "m", [name]);
    for (const { id } of wishes.changes()) wishes.onSent(id);
  };
  ask("/a");
  wishes.onOpened("values-1");
  ask("/b");
  wishes.onSnapshot("values-1");
  expect(wishes.lackOf("m", "/b")).toBe("waiting");
  ask("/c");
  wishes.onOpened("values-1");
  wishes.onSnapshot("values-1");
  expect(wishes.lackOf("m", "/c")).toBe("waiting");
  wishes.onConnected();
  wishes.onSent("values-1");
  wishes.onOpened("values-1");
  wishes.onSnapshot("values-1");
  expect(wishes.lackOf("m", "/c")).toBe("no sample");
});

test("of what is refused nothing is known", () => {
  const wishes = new Wishes();
  wishes.parameters("values", "m", ["/a"]);
  const [asked] = wishes.changes();
  wishes.onRefused(asked?.id, { code: "STO-API-BAD-REQUEST", detail: "" });
  expect(wishes.lackOf("m", "/a")).toBe("not known");
});

test("what is given up and wanted again in the same moment is not closed", () => {
  const wishes = new Wishes();
  const leave = wishes.parameters("values", "m", ["/a"]);
  wishes.changes();
  leave();
  wishes.parameters("values", "m", ["/a"]);
  expect(wishes.changes().map((change) => change.of?.kind)).toEqual(["parameters"]);
});

test("alarms of a mission are subscribed to once", () => {
  const wishes = new Wishes();
  const subject = { kind: "alarms", mission: "m" } as const;
  const leave = wishes.shared(subject);
  const stay = wishes.shared(subject);
  expect(wishes.changes()).toEqual([{ id: "alarms-1", of: subject }]);
  leave();
  expect(wishes.changes()).toEqual([]);
  stay();
  expect(wishes.changes()).toEqual([{ id: "alarms-1", of: null }]);
});

test("what was refused is asked for again behind what is over, and is its subject's until it is opened", () => {
  const wishes = new Wishes();
  const subject = { kind: "events", mission: "m" } as const;
  const refusal = { code: "C", detail: "no room" };
  wishes.shared(subject);
  const leave = wishes.parameters("values", "m", ["/a"]);
  wishes.changes();
  wishes.onRefused("events-1", refusal);
  expect(wishes.changes()).toEqual([]);
  leave();
  expect(wishes.changes()).toEqual([
    { id: "values-2", of: null },
    { id: "events-1", of: subject },
  ]);
  expect(wishes.refusalOf(subject)).toBe(refusal);
  wishes.onOpened("events-1");
  expect(wishes.refusalOf(subject)).toBeNull();
});
