import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { manyNodes } from "../../mock/fleet";
import { advance, type Options, openDashboard, settle, theSocket } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

async function open(
  path: string,
  mock: Options["mock"] = {},
  prepare: NonNullable<Options["prepare"]> = () => {},
) {
  const opened = await openDashboard({ path, mock, prepare });
  await settle();
  return opened;
}

const row = (site: string) => {
  const found = screen.getAllByRole("row").find((one) => one.textContent?.startsWith(site));
  if (found === undefined) throw new Error(`no row begins with ${site}`);
  return found;
};

test("every station is a row that begins with its site", async () => {
  await open("/nodes");
  expect(screen.getAllByRole("row")).toHaveLength(6);
  const awarua = within(row("Awarua, New Zealand"));
  expect(awarua.getByText("disconnected")).toBeTruthy();
  expect(awarua.getByText("35,280")).toBeTruthy();
  expect(awarua.getByText("10.8 MiB")).toBeTruthy();
  expect(awarua.getByText("stale · 14 min ago")).toBeTruthy();
  expect(within(row("Inuvik, Canada")).getByText("no report yet")).toBeTruthy();
  expect(within(row("Santiago, Chile")).getByText("revoked")).toBeTruthy();
});

test("the heartbeat brings a station's change without another request", async () => {
  const { world } = await open("/nodes");
  const asked = world.requests.filter((request) => request.includes("/nodes")).length;
  world.nodes = world.currentNodes().map((node) => ({ ...node, state: "disconnected" as const }));
  await advance(1500);
  expect(within(row("Longyearbyen")).getByText("disconnected")).toBeTruthy();
  expect(world.requests.filter((request) => request.includes("/nodes"))).toHaveLength(asked);
});

test("all stations are stale while the connection is frozen", async () => {
  await open("/nodes");
  theSocket().fallSilent();
  await advance(4_000);
  expect(screen.getByTestId("connection-chip").dataset.state).not.toBe("live");
  expect(row("Longyearbyen").className).toBe("stale");
  const summary = within(screen.getByRole("list", { name: "Summary of stations" }));
  expect(summary.getByText("last known:")).toBeTruthy();
});

test("order and search are in the address", async () => {
  const { router } = await open("/nodes");
  await user().click(screen.getByRole("button", { name: "Backlog" }));
  await advance(500);
  expect(router.state.location.search).toEqual({ sort: "backlog" });
  expect(screen.getAllByRole("row")[1]?.textContent).toMatch(/^Awarua/);
  await user().type(screen.getByLabelText("Find a station"), "kiruna");
  await advance(500);
  expect(router.state.location.search).toEqual({ sort: "backlog", q: "kiruna" });
  expect(screen.getAllByRole("row")).toHaveLength(2);
});

test("of a thousand stations only the rows in sight are in the document", async () => {
  const { world } = await open("/nodes");
  world.nodes = manyNodes(world, 1_000);
  await advance(1500);
  expect(screen.getByRole("table").getAttribute("aria-rowcount")).toBe("1001");
  expect(screen.getAllByRole("row").length).toBeLessThan(60);
});

test("a station's page says how it is, part by part, and what its links rejected", async () => {
  await open("/nodes/kiruna-1");
  expect(screen.getByRole("heading", { name: "Kiruna, Sweden kiruna-1" })).toBeTruthy();
  const parts = within(screen.getByRole("region", { name: "Parts of the station" }));
  expect(parts.getByText("6 d left")).toBeTruthy();
  const links = within(screen.getByRole("table", { name: "Intake links of kiruna-1" }));
  expect(links.getByText("37 missing in 2 gaps")).toBeTruthy();
  expect(links.getByText("1 reset")).toBeTruthy();
  expect(links.getByText(/garbage 12/)).toBeTruthy();
  expect(within(screen.getByRole("region", { name: "Machine" })).getByText("all missions")).toBeTruthy();
});

const value = (label: string) =>
  within(screen.getByRole("region", { name: "Backlog" }))
    .getByText(label)
    .parentElement?.querySelector("dd")
    ?.textContent?.trim();

test("the backlog comes with its rates, its drain time and its journals", async () => {
  await open("/nodes/awarua-1?tab=backlog");
  expect(value("Backlog drains")).toContain("not now");
  expect(value("Older journals")).toBe("1 waiting");
  expect(screen.getByText(/Last known: as the station reported at 12:17:0\dZ/)).toBeTruthy();
  const lanes = within(screen.getByRole("region", { name: "Journals" }));
  expect(within(lanes.getAllByRole("row")[1] as HTMLElement).getByText("211")).toBeTruthy();
});

const tabLink = (name: string) =>
  within(screen.getByRole("navigation", { name: "Parts of the station's page" })).getByRole("link", { name });

test("tabs are links, and the address says which is open", async () => {
  const { router } = await open("/nodes/svalbard-1");
  for (const [tab, text] of [
    ["Gaps", "100 %"],
    ["Passes", "47.0°"],
    ["Configuration", "trust list"],
    ["Events", "svalbard-1 was enrolled"],
  ] as const) {
    await user().click(tabLink(tab));
    await advance(1500);
    expect(router.state.location.search).toEqual({ tab: tab.toLowerCase() });
    expect(tabLink(tab).getAttribute("aria-current")).toBe("page");
    expect(screen.getAllByText(text).length).toBeGreaterThan(0);
  }
});

test("a document that a station does not hold is behind, with the time since", async () => {
  await open("/nodes/awarua-1?tab=configuration");
  const limits = screen.getAllByRole("row").find((one) => one.textContent?.includes("limits"));
  expect(limits?.textContent).toContain("behind");
  expect(limits?.textContent).toContain("for 2 h 00 min");
});

test("a node is revoked only with a reason and its name typed", async () => {
  const { world } = await open("/nodes/kiruna-1?tab=actions");
  await user().click(screen.getByRole("button", { name: "Revoke this node" }));
  const dialog = within(screen.getByRole("dialog", { name: "Revoke the node" }));
  const submit = dialog.getByRole("button", { name: "Revoke" });
  await user().type(dialog.getByLabelText("Why"), "stolen");
  await user().click(submit);
  expect(dialog.getByText("Type the node's name as it is written above.")).toBeTruthy();
  expect(world.requests.some((request) => request.includes("/revoke"))).toBe(false);
  await user().type(dialog.getByLabelText("The node's name"), "kiruna-1");
  await user().click(submit);
  await advance(1500);
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(world.requests).toContain("POST /api/v1/nodes/kiruna-1/revoke");
  expect(screen.getAllByText("revoked").length).toBeGreaterThan(0);
  expect(screen.getByRole("button", { name: "Revoke this node" }).title).toMatch(/withdrawn already/);
});

test("the missions a node may send for, and the place of its site, are changed in dialogs", async () => {
  await open("/nodes/inuvik-2?tab=actions");
  expect(screen.getByText("Nobody has said where this site is.")).toBeTruthy();
  await user().click(screen.getByRole("button", { name: "Set the place" }));
  const place = within(screen.getByRole("dialog"));
  await user().type(place.getByLabelText(/^Latitude/), "68.4");
  await user().type(place.getByLabelText(/^Longitude/), "-233.5");
  expect(place.getByText(/Longitude.*from -180 to 180/)).toBeTruthy();
  await user().clear(place.getByLabelText(/^Longitude/));
  await user().type(place.getByLabelText(/^Longitude/), "-133.5");
  await user().click(place.getByRole("button", { name: "Set the place" }));
  await advance(1500);
  expect(screen.getByText(/Latitude 68.4°, longitude -133.5°/)).toBeTruthy();
  await user().click(screen.getByRole("button", { name: "Change missions" }));
  await user().click(screen.getByLabelText("only these"));
  await user().click(screen.getByLabelText("kestrel"));
  await user().click(screen.getByRole("button", { name: "Change" }));
  await advance(1500);
  expect(screen.getByText("It may send for kestrel.")).toBeTruthy();
});

test("a viewer sees why nothing can be done", async () => {
  await open("/nodes/kiruna-1?tab=actions", { role: "viewer" });
  expect(screen.getByText(/Only operators may do this/)).toBeTruthy();
  const revoke = screen.getByRole("button", { name: "Revoke this node" });
  expect(revoke.getAttribute("aria-disabled")).toBe("true");
  await user().click(revoke);
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("a station alone has its own node page where the hub has the table", async () => {
  const { world } = await open("/nodes", { kind: "edge" });
  expect(screen.getByRole("heading", { name: "Longyearbyen, Svalbard svalbard-1" })).toBeTruthy();
  await user().click(tabLink("Backlog"));
  world.nodes = world.currentNodes().map((node) => {
    if (!node.report) return node;
    const { backlog } = node.report;
    const grows = { ...backlog, drain: { kind: "never" as const }, full_in_s: 17_000, older_journals: 0 };
    return { ...node, report: { ...node.report, backlog: grows } };
  });
  await advance(1500);
  expect(value("Backlog drains")).toContain("never at this rate");
  expect(value("Journal full")).toContain("in 4 h 43 min");
});

test("a node that is not there is said so, with what to do", async () => {
  await open("/nodes/nowhere-9");
  expect(screen.getByRole("alert").textContent).toMatch(/No such node.*nowhere-9/);
});

test("a station where nothing waits says so, and not that it is unknown", async () => {
  await open("/nodes/kiruna-1?tab=backlog");
  expect(value("Backlog")).toBe("0 packets");
  expect(value("Oldest waiting")).toBe("nothing waits");
});

/** A page of a station whose questions to some routes fail. */
async function openBroken(path: string, refusing: RegExp) {
  const { world } = await open(path, {}, (prepared) => Object.assign(prepared, { refusing }));
  return world;
}

const retry = async (place: ReturnType<typeof within>) => {
  await user().click(place.getByRole("button", { name: "Try again" }));
  await advance(500);
};

test("a place that could not be read is not said to be unknown, and is not overwritten", async () => {
  const world = await openBroken("/nodes/inuvik-2?tab=actions", /\/places$/);
  const actions = within(screen.getByRole("region", { name: "Actions" }));
  expect(actions.queryByText("Nobody has said where this site is.")).toBeNull();
  const set = actions.getByRole("button", { name: "Set the place" });
  expect(set.title).toBe("Where it is now is not known yet.");
  await user().click(set);
  expect(screen.queryByRole("dialog")).toBeNull();
  world.refusing = null;
  await retry(actions);
  expect(actions.getByText("Nobody has said where this site is.")).toBeTruthy();
});

test.each(["passes", "gaps"])(
  "without the list of missions the tab of %s says so, and asks again",
  async (tab) => {
    const world = await openBroken(`/nodes/kiruna-1?tab=${tab}`, /\/missions$/);
    expect(screen.queryByText(/No pass over this station/)).toBeNull();
    expect(screen.queryByRole("table")).toBeNull();
    world.refusing = null;
    await retry(within(screen.getByRole("main")));
    expect(screen.getByRole("table")).toBeTruthy();
  },
);

test("passes that could not be asked for are not said to be none", async () => {
  await openBroken("/nodes/kiruna-1?tab=passes", /\/passes\?/);
  expect(screen.queryByText("No pass over this station in this time.")).toBeNull();
  expect(screen.getByText(/not all could be computed/)).toBeTruthy();
  expect(screen.getByText("aurora-1: Ask for less, or try again.")).toBeTruthy();
});
