import { screen, within } from "@testing-library/react";
import { useEffect } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEMO, mockDashboards } from "../../../mock/dashboards";
import { advance, openDashboard, START, theSocket } from "../../../test/app";
import type { Sample, Widget } from "../../../types";
import type { ChartProps } from "../../plot/Chart";
import { openWidgets, panel, settle, user } from "../testing";

let drawn: ChartProps | null = null;

// There is no canvas here; what the chart is given to draw is what counts.
vi.mock("../../plot/Chart", () => ({
  Chart: (props: ChartProps) => {
    drawn = props;
    useEffect(() => props.onWidth(500), [props.onWidth]);
    return null;
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
  drawn = null;
});
afterEach(() => {
  vi.useRealTimers();
  sessionStorage.clear();
});

const VOLTAGE = "/aurora/eps/battery_voltage";
const CURRENT = "/aurora/eps/battery_current";
const widget = (kind: string, parameters: unknown, opts: object = {}): Partial<Widget> => ({
  kind,
  opts: { title: "It", parameters, ...opts },
});
const it = () => panel("It");
const asTable = () => user().click(it().getByRole("button", { name: "Show It as table" }));

async function bring(parameter: string, changes: Partial<Sample>) {
  const value = { parameter, ...changes };
  const now = new Date(START + 3_600_000).toISOString();
  theSocket().bring("aurora-1", [
    {
      generation_time: now,
      reception_time: now,
      raw: 1,
      engineering: 1,
      node: "svalbard-1",
      interval_ms: 1000,
      provenance: "live",
      monitoring: "normal",
      validity: "valid",
      dictionary_version: 2,
      ...value,
    },
  ]);
  await advance(600);
}

test("a line plot has a line for each parameter, with the limits in force", async () => {
  await openWidgets([widget("line-plot", [VOLTAGE, CURRENT])]);
  expect(drawn?.lines.map((line) => line.parameter.name)).toEqual([VOLTAGE, CURRENT]);
  expect(drawn?.lines[0]?.series.times.length).toBeGreaterThan(100);
  expect(drawn?.lines[0]?.limits?.zones).toHaveLength(4);
  expect(drawn?.lines[1]?.limits).toBeNull();
  await asTable();
  expect(within(it().getByRole("table")).getAllByRole("row").length).toBeGreaterThan(100);
});

test("a gap says its cause: what waits at a station that is connected is on its way", async () => {
  const t = "2026-11-22T10:00:00Z~2026-11-22T11:00:00Z";
  const { world, router } = await openWidgets([widget("line-plot", [VOLTAGE])]);
  const at = (minute: number) => Date.parse("2026-11-22T10:00:00Z") + minute * 60_000;
  const records = 12;
  world.outages.push(
    { from: at(5), to: at(10), causes: [{ kind: "evicted", node: "svalbard-1", records }] },
    { from: at(20), to: at(25), causes: [{ kind: "waiting-at-station", node: "svalbard-1", records }] },
    { from: at(40), to: at(45), causes: [{ kind: "not-received", node: "svalbard-1", records }] },
  );
  router.history.push(`/m/aurora-1/d/${DEMO}?t=${encodeURIComponent(t)}`);
  await settle();
  expect(drawn?.gaps.map((gap) => gap.kind)).toEqual(["lost", "backfilled", "not-received"]);
  const legend = within(it().getByRole("list", { name: "Lines of the chart" }));
  for (const word of ["lost", "being backfilled", "not received"])
    expect(legend.getByText(word)).toBeTruthy();
});

test("the arrow keys read a plot's lines out, and the other plots point at the same moment", async () => {
  await openWidgets([widget("line-plot", [VOLTAGE, CURRENT])]);
  it().getByRole("application").focus();
  await user().keyboard("{ArrowLeft}{ArrowLeft}{ArrowDown}");
  expect(it().getByTestId("cursor-value").textContent).toMatch(
    /^battery_current: \d\d:\d\d:\d\d\.\d{3}Z, -?[\d.]+ A/,
  );
});

test("a paused panel stands at a time of its own, and goes back to live", async () => {
  await openWidgets([
    widget("line-plot", [VOLTAGE]),
    { ...widget("value", [VOLTAGE]), opts: { title: "Other", parameters: [VOLTAGE] } },
  ]);
  await user().click(it().getByRole("button", { name: "Pause It" }));
  await settle();
  const { to } = drawn?.window ?? { to: 0 };
  await advance(5000);
  expect(drawn?.window.to).toBe(to);
  expect(it().getByText("FIXED")).toBeTruthy();
  expect(panel("Other").queryByText("FIXED")).toBeNull();
  await user().click(it().getByRole("button", { name: "Back to live" }));
  await advance(3000);
  expect(drawn?.window.to).toBeGreaterThan(to);
});

test("at a fixed time values are those of the moment", async () => {
  const t = "2026-11-22T10:00:00Z~2026-11-22T11:00:00Z";
  const { world } = await openWidgets([widget("value", [VOLTAGE])], `?t=${encodeURIComponent(t)}`);
  const parameter = world.find("aurora-1", VOLTAGE);
  if (parameter === undefined) throw new Error("the mock has no such parameter");
  const then = Number(world.sample(parameter, Date.parse("2026-11-22T11:00:00Z")).engineering);
  expect(Number(it().getByTestId("value").textContent)).toBeCloseTo(then, 2);
  expect(it().getByText("FIXED")).toBeTruthy();
});

test.each([
  ["descriptions", /\/parameters$/],
  ["values of the moment", /\/at\?/],
])(
  "%s that do not come are told in the place of each widget that needs them, and asked for again",
  async (_, refusing) => {
    const kinds = ["value", "gauge", "status-matrix", "latest-values"];
    const { world } = await openWidgets(
      kinds.map((kind, index) => ({ kind, opts: { title: `W${index}`, parameters: [VOLTAGE] } })),
      `?t=${encodeURIComponent("2026-11-22T10:00:00Z~2026-11-22T11:00:00Z")}`,
      { prepare: (prepared) => Object.assign(prepared, { refusing }) },
    );
    for (const index of kinds.keys()) {
      expect(panel(`W${index}`).getByRole("alert").textContent).toContain("The question took too long");
      expect(panel(`W${index}`).queryByText(/nothing received|no sample/)).toBeNull();
    }
    world.refusing = null;
    await user().click(panel("W1").getByRole("button", { name: "Try again" }));
    await advance(500);
    for (const index of kinds.keys()) {
      expect(panel(`W${index}`).queryByRole("alert")).toBeNull();
      expect(panel(`W${index}`).getByTestId("value").textContent).toMatch(/\d/);
    }
  },
);

test("a value says its generation time, and that it is stale when the connection is", async () => {
  await openWidgets([
    widget("value", [VOLTAGE]),
    { ...widget("gauge", [VOLTAGE]), opts: { title: "G", parameters: [VOLTAGE] } },
  ]);
  expect(it().getByText(/12:31:\d\dZ/)).toBeTruthy();
  expect(it().getByTestId("value").dataset.stale).toBe("false");
  theSocket().fallSilent();
  await advance(4500);
  expect(it().getByText(/stale/, { selector: ".stamp" })).toBeTruthy();
  expect(panel("G").getByTestId("value").dataset.stale).toBe("true");
});

test.each([
  ["NaN", "NaN", { engineering: "NaN", validity: "not-a-number" as const }],
  ["1e300", "1.0000e+300", { engineering: 1e300 }],
  ["infinite", "Infinity", { engineering: "Infinity", validity: "not-a-number" as const }],
  ["text where a number was", "SAFE", { engineering: "SAFE", raw: "SAFE" }],
  ["missing", "no value", { engineering: null, validity: "outside-calibration" as const }],
])("a value that is %s is shown by all kinds", async (_, text, changes) => {
  const kinds = ["value", "gauge", "status-matrix", "latest-values", "line-plot", "state-timeline"];
  await openWidgets(
    kinds.map((kind, index) => ({ kind, opts: { title: `W${index}`, parameters: [VOLTAGE] } })),
  );
  await bring(VOLTAGE, changes);
  for (const index of kinds.keys()) {
    const shown = panel(`W${index}`);
    expect(shown.queryByText("The dashboard failed")).toBeNull();
    expect(shown.queryAllByTestId("value").every((value) => value.textContent?.includes(text))).toBe(true);
  }
  expect(drawn?.lines[0]?.series.last.every((value) => value === null || Number.isFinite(value))).toBe(true);
});

test("the matrix says in a word how each parameter stands", async () => {
  await openWidgets([
    widget("status-matrix", ["/aurora/adcs/wheel_2_speed", "/aurora/adcs/rate_y", "/aurora/comms/lock"]),
  ]);
  const cells = within(it().getByRole("list", { name: "States of It" }));
  expect(cells.getByText("critical")).toBeTruthy();
  expect(cells.getByText("not a number")).toBeTruthy();
  expect(cells.getByText("not monitored")).toBeTruthy();
  await asTable();
  expect(within(it().getByRole("table", { name: "Values of It" })).getAllByRole("row")).toHaveLength(4);
});

test("a widget's link to a curve keeps the time that is shown", async () => {
  const t = "2026-11-22T10:00:00Z~2026-11-22T11:00:00Z";
  const { router } = await openWidgets([widget("status-matrix", [VOLTAGE])], `?t=${encodeURIComponent(t)}`);
  await user().click(it().getByRole("link", { name: /battery_voltage/ }));
  await settle();
  expect(router.state.location.pathname).toBe("/m/aurora-1/explore");
  expect(router.state.location.search).toEqual({ p: [VOLTAGE], t });
});

test("states over time have their names, and a table of when each began", async () => {
  await openWidgets([widget("state-timeline", ["/aurora/adcs/mode", "/aurora/eps/heater_on"])]);
  expect(it().getAllByText(/IDLE|NOMINAL|SAFE/).length).toBeGreaterThan(0);
  await asTable();
  expect(
    within(it().getByRole("table", { name: "States of It" })).getAllByRole("row").length,
  ).toBeGreaterThan(2);
});

test("the state beside a lane has its age, and one that is over is not shown as present", async () => {
  const { world, router } = await openWidgets([widget("state-timeline", ["/aurora/adcs/mode"])]);
  const stamp = () => it().getByText(/ ago/, { selector: ".stamp" }).textContent;
  expect(stamp()).not.toContain("stale");
  theSocket().fallSilent();
  await advance(4500);
  expect(stamp()).toContain("stale");
  const at = (time: string) => Date.parse(`2026-11-22T${time}:00Z`);
  world.outages.push({ from: at("09:30"), to: at("11:01") });
  router.history.push(
    `/m/aurora-1/d/${DEMO}?t=${encodeURIComponent("2026-11-22T09:00:00Z~2026-11-22T11:00:00Z")}`,
  );
  await settle();
  expect(stamp()).toMatch(/^09:\d\d:\d\dZ · 1 h 3\d min ago · stale$/);
});

test("one parameter against another has an axis for each, and a table", async () => {
  await openWidgets([widget("scatter", [CURRENT, VOLTAGE])]);
  expect(it().getByRole("img", { name: /battery_voltage against battery_current, \d+ pairs/ })).toBeTruthy();
  expect(it().getByText(/pairs, the newest of 2026-11-22/)).toBeTruthy();
  await asTable();
  expect(it().getByRole("table", { name: "Pairs of It" })).toBeTruthy();
});

test("open alarms are listed by urgency, and say that they are of now at another time", async () => {
  const { router } = await openWidgets([{ kind: "alarms", opts: { title: "It" } }]);
  const rows = within(it().getByRole("table", { name: "Open alarms: It" })).getAllByRole("row");
  expect(rows[1]?.textContent).toContain("critical");
  router.history.push(`/m/aurora-1/d/${DEMO}?t=2026-11-22T10%3A00%3A00Z~2026-11-22T11%3A00%3A00Z`);
  await settle();
  expect(it().getByText(/open now, not at the time shown/)).toBeTruthy();
});

test("text of people and of telemetry is shown as text", async () => {
  const evil = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202e";
  await openWidgets([{ kind: "text", opts: { title: evil, text: evil } }, widget("value", [VOLTAGE])]);
  await bring(VOLTAGE, { engineering: evil, raw: evil });
  expect(document.querySelector("main img, main script")).toBeNull();
  expect(it().getByTestId("value").textContent).toContain("<script>");
  expect(screen.getAllByText(evil).length).toBeGreaterThan(0);
});

test.each([
  ["of a kind that is not known", { kind: "hologram", opts: { title: "It" } }, /knows no widget of kind/],
  ["without its parameter", { kind: "gauge", opts: { title: "It" } }, /“Parameter” must be a list/],
  ["with too many parameters", widget("gauge", [VOLTAGE, CURRENT]), /It has 2 parameters; it takes 1/],
  ["with parameters that are no names", widget("line-plot", [3]), /must be a list of parameter names/],
  ["with a scale that is none", widget("gauge", [VOLTAGE], { low: "x" }), /“Scale from” is "x"/],
  ["with a choice that is none", widget("line-plot", [VOLTAGE], { fit: 7 }), /“Axis shows” is 7/],
  ["of a parameter that is gone", widget("value", ["/gone/away"]), /has no parameter/],
])("a widget %s says so in its place and is kept", async (_, wrong, words) => {
  const { saved } = await openWidgets([wrong]);
  expect(it().getByText(words)).toBeTruthy();
  expect(saved()?.widgets[0]?.copies[0]?.widget.opts).toEqual(wrong.opts);
});

test("a name of 300 characters is cut by the panel and whole in its title", async () => {
  const long = `It ${"x".repeat(297)}`;
  await openWidgets([{ kind: "text", opts: { title: long, text: "t" } }]);
  expect(screen.getByRole("heading", { name: long }).title).toBe(long);
});

test("the demonstration has every kind of widget", async () => {
  const { world } = await openDashboard({ path: `/m/aurora-1/d/${DEMO}` });
  await settle();
  const widgets = mockDashboards(world).kept.get(DEMO)?.widgets ?? [];
  expect(document.querySelectorAll("section.widget")).toHaveLength(widgets.length);
  expect(screen.queryByText("The dashboard failed")).toBeNull();
});

test("a small map has a button for each station, and a table of them", async () => {
  await openWidgets([{ kind: "map", opts: { title: "It" } }]);
  expect(it().getByRole("application", { name: /^Map: It/ })).toBeTruthy();
  expect(it().getByText(/Stations as of 2026-11-22/)).toBeTruthy();
  await asTable();
  const rows = within(it().getByRole("table", { name: "Stations: It" })).getAllByRole("row");
  expect(rows.length).toBeGreaterThan(1);
});

test("events of the time shown are listed, newest first, however many they are", async () => {
  // Three days have 6,480 of them; what the table holds is on the first page.
  const t = "2026-11-19T00:00:00Z~2026-11-22T00:00:00Z";
  await openWidgets([{ kind: "events", opts: { title: "It" } }], `?t=${encodeURIComponent(t)}`);
  await advance(3000);
  const rows = within(it().getByRole("table", { name: "Events: It" })).getAllByRole("row");
  expect(rows[1]?.textContent).toMatch(/^23:59:20Z/);
  expect(it().getByText("at least 100 more on the page of events")).toBeTruthy();
});

test("events that could not be read are not said to be none, and are read again", async () => {
  const { world, router } = await openWidgets([{ kind: "events", opts: { title: "It" } }]);
  world.reachable = false;
  router.history.push(`/m/aurora-1/d/${DEMO}?t=2026-11-22T10%3A00%3A00Z~2026-11-22T11%3A00%3A00Z`);
  await advance(20_000);
  expect(it().queryByText("No event in this time.")).toBeNull();
  expect(it().getByRole("alert")).toBeTruthy();
  world.reachable = true;
  await user().click(it().getByRole("button", { name: "Try again" }));
  await advance(1000);
  expect(it().getByRole("table", { name: "Events: It" })).toBeTruthy();
});

test("after an outage events are read from the archive again", async () => {
  const { world } = await openWidgets([{ kind: "events", opts: { title: "It" } }]);
  const asked = () => world.requests.filter((request) => request.includes("/events?")).length;
  const before = asked();
  theSocket().close();
  await advance(5_000);
  expect(asked()).toBe(before + 1);
});

test.each(["value", "latest-values", "status-matrix", "gauge"])(
  "what no limits apply to is called so by a %s, and has not the shape of what is within its limits",
  async (kind) => {
    await openWidgets([widget(kind, [CURRENT])]);
    expect(it().getByText("not monitored")).toBeTruthy();
    expect(it().queryAllByTitle("Not monitored: no limits apply to it.")).toHaveLength(
      kind === "gauge" ? 0 : 1,
    );
  },
);

test.each(["state-timeline", "line-plot"])(
  "of history that does not come a %s says that it is not known",
  async (kind) => {
    await openWidgets([widget(kind, ["/aurora/adcs/mode"])], "?t=2026-11-22T10:00:00Z~2026-11-22T11:00:00Z", {
      prepare: (prepared) => Object.assign(prepared, { refusing: /\/buckets/ }),
    });
    expect(it().getByText("not known")).toBeTruthy();
    expect(it().queryByText("no sample")).toBeNull();
  },
);

test("that there is no sample is said only when the server has said so; before, a widget waits", async () => {
  const kinds = ["value", "gauge", "status-matrix", "latest-values"];
  const { world } = await openWidgets(
    kinds.map((kind, index) => ({ kind, opts: { title: `W${index}`, parameters: [CURRENT] } })),
    "",
    {
      prepare: (prepared) => {
        prepared.snapshotAfterMs = 20_000;
        Object.assign(prepared.find("aurora-1", CURRENT) ?? {}, { silentSince: 7 * 3_600_000 });
      },
    },
  );
  for (const index of kinds.keys()) {
    expect(panel(`W${index}`).getByTestId("value").textContent).toBe("waiting");
    expect(panel(`W${index}`).queryByText(/nothing received|no sample/)).toBeNull();
  }
  await advance(world.snapshotAfterMs);
  for (const index of kinds.keys())
    expect(panel(`W${index}`).getByTestId("value").textContent).toBe("no sample");
});
