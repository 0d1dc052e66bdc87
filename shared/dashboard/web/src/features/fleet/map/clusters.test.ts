import { expect, test } from "vitest";
import { clustered, isSpread, type MapSite, neighbour } from "./clusters";

const site = (id: string, latitude: number, longitude: number, changes: Partial<MapSite> = {}): MapSite => ({
  id,
  site: id,
  latitude,
  longitude,
  status: "normal",
  word: "in order",
  hollow: false,
  link: "live",
  ...changes,
});

test("stations close to each other are one symbol with the worst status, and come apart when zoomed in", () => {
  const sites = [
    site("a", 60, 10),
    site("b", 61, 11, { status: "serious" }),
    site("far", -30, 100, { status: "off", hollow: true }),
  ];
  const [near, far] = clustered(sites, 2);
  expect(near?.members.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(near).toMatchObject({ status: "serious", latitude: 60.5, longitude: 10.5, hollow: false });
  expect(far).toMatchObject({ status: "off", hollow: true });
  expect(clustered(sites, 64)).toHaveLength(3);
});

test("every station is in exactly one cluster, whatever their number", () => {
  const sites = Array.from({ length: 1_000 }, (_, index) =>
    site(`n${index}`, 80 - (index % 160), ((index * 137.508) % 360) - 180),
  );
  const clusters = clustered(sites, 3);
  expect(clusters.flatMap(({ members }) => members)).toHaveLength(1_000);
  expect(new Set(clusters.map(({ id }) => id)).size).toBe(clusters.length);
  expect(clusters.length).toBeLessThan(1_000);
});

test("only stations at different places can be zoomed apart", () => {
  const [one] = clustered([site("a", 60, 10), site("b", 60, 10)], 64);
  const [two] = clustered([site("a", 60, 10), site("b", 60.001, 10)], 64);
  expect([one && isSpread(one), two && isSpread(two)]).toEqual([false, true]);
});

test("an arrow key goes to the next station in its direction", () => {
  const clusters = clustered([site("mid", 0, 0), site("east", 10, 40), site("north", 50, 5)], 2);
  const of = (id: string) => clusters.find(({ members }) => members[0]?.id === id);
  const mid = of("mid");
  if (mid === undefined) throw new Error("it is there");
  expect(neighbour(clusters, mid, "right")).toBe(of("east"));
  expect(neighbour(clusters, mid, "up")).toBe(of("north"));
  expect(neighbour(clusters, mid, "left")).toBeNull();
});
