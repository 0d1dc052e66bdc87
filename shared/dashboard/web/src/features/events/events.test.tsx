import { fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MOCK_CODE } from "../../mock/world";
import { advance, openDashboard, START, theSocket } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

async function openEvents(search = "", mock = {}) {
  const opened = await openDashboard({ path: `/m/aurora-1/events${search}`, mock });
  // The page's code is loaded on demand, over real promises.
  await vi.dynamicImportSettled();
  await advance(1000);
  return opened;
}

type Opened = Awaited<ReturnType<typeof openEvents>>;

function happen({ world }: Opened, text: string, code = "STO-TEST"): void {
  const at = new Date(world.now()).toISOString();
  const entry = { at, code, node: "kiruna-1", severity: "warning" as const, text, details: [] };
  world.events.push({ mission: "aurora-1", at: world.now(), entry });
}

const rows = () =>
  within(screen.getByRole("table", { name: "Events of aurora-1" }))
    .getAllByRole("row")
    .slice(1);

test("history is listed newest first, each with time, severity in a word, and station", async () => {
  await openEvents();
  expect(rows().length).toBeGreaterThan(15);
  const texts = rows().map((row) => row.querySelector("th")?.textContent ?? "");
  expect(texts).toEqual(texts.toSorted().reverse());
  expect(rows()[0]?.textContent).toMatch(/^2026-11-22 12:3.*(info|warning|error).*-1/);
});

test("what happens now appears at the top", async () => {
  const opened = await openEvents();
  happen(opened, "a fan failed");
  await advance(1000);
  expect(rows()[0]?.textContent).toContain("a fan failed");
});

test("a paused log stands still and counts what is new and matches", async () => {
  const opened = await openEvents("?severity=warning");
  await user().click(screen.getByRole("button", { name: "Pause" }));
  const before = rows()[0]?.textContent;
  for (let index = 0; index < 142; index += 1) happen(opened, `failure ${index}`);
  await advance(1000);
  expect(rows()[0]?.textContent).toBe(before);
  await user().click(screen.getByRole("button", { name: "142 new · Follow" }));
  expect(rows()[0]?.textContent).toMatch(/failure \d+/);
});

test("a log that is paused for longer than its span counts all that is new, and keeps what was shown", async () => {
  const opened = await openEvents("?t=-5m&severity=warning");
  await user().click(screen.getByRole("button", { name: "Pause" }));
  const before = rows().map((row) => row.textContent);
  for (let index = 0; index < 142; index += 1) happen(opened, `failure ${index}`);
  await advance(62_000);
  const fresh = () =>
    Number(/^(\d+) new/.exec(screen.getByRole("button", { name: /new · Follow/ }).textContent)?.[1]);
  const minute = fresh();
  expect(minute).toBeGreaterThanOrEqual(142);
  await advance(7 * 60_000);
  expect(fresh()).toBeGreaterThan(minute);
  expect(rows().map((row) => row.textContent)).toEqual(before);
});

test("a log that was paused for long goes on where somebody scrolls", async () => {
  const { world } = await openEvents("?t=-6h");
  await user().click(screen.getByRole("button", { name: "Pause" }));
  await advance(3 * 60_000);
  const table = screen.getByRole("region", { name: "Events of aurora-1" });
  table.scrollTop = 190 * 30;
  fireEvent.scroll(table);
  await advance(1000);
  expect(screen.getByText(/^540 events ·/)).toBeTruthy();
  expect(readings(world).at(-1)).toContain("limit=1000");
});

test("filters stand in the address, and what they leave out is counted", async () => {
  const { router } = await openEvents();
  await user().selectOptions(screen.getByLabelText("Severity"), "error");
  await user().type(screen.getByLabelText("Search events"), "given up");
  await advance(500);
  expect(router.state.location.search).toMatchObject({ severity: "error", q: "given up" });
  for (const row of rows()) expect(row.textContent).toContain("batches were given up");
  expect(screen.getByText(/^\d+ events? of \d\d/)).toBeTruthy();
});

test("what the stream left out is said", async () => {
  await openEvents();
  for (const id of theSocket().ids("events")) theSocket().say({ kind: "events", id, events: [], dropped: 3 });
  await advance(500);
  expect(screen.getByText(/too slow for 3 events: read from the archive within a minute/)).toBeTruthy();
});

test("that new events do not come by themselves is said, and why", async () => {
  await openEvents("", { subscriptionsMax: 1 });
  expect(screen.getByText(/new ones are read once a minute: a connection has no more/)).toBeTruthy();
  expect(rows().length).toBeGreaterThan(15);
});

test("while there is no stream, what stations send late is found within a minute", async () => {
  const { world } = await openEvents("", { subscriptionsMax: 1 });
  world.late.push({ at: START - 12 * 60_000, text: "sent late" });
  await advance(62_000);
  expect(screen.getByText("sent late")).toBeTruthy();
});

test("what the stream left out is found within a minute, also what was sent late, and read once", async () => {
  const { world } = await openEvents();
  world.late.push({ at: START - 12 * 60_000, text: "sent late" });
  for (const id of theSocket().ids("events")) theSocket().say({ kind: "events", id, events: [], dropped: 3 });
  await advance(62_000);
  expect(screen.getByText("sent late")).toBeTruthy();
  expect(readings(world)).toHaveLength(3);
  await advance(60_000);
  expect(readings(world)).toHaveLength(4);
});

test("after a lost connection the list is read anew as far as it is looked at", async () => {
  const { world } = await openEvents("?t=-24h");
  const table = screen.getByRole("region", { name: "Events of aurora-1" });
  table.scrollTop = 205 * 30;
  fireEvent.scroll(table);
  await advance(1000);
  world.late.push({ at: START - 210 * 40_000, text: "sent late" });
  theSocket().close();
  await advance(5000);
  expect(screen.getByText("sent late")).toBeTruthy();
});

test("text from telemetry is shown as text", async () => {
  await openEvents("?q=%3Cimg");
  const cell = rows()[0]?.querySelector("bdi");
  expect(rows()[0]?.textContent).toContain('<img src=x onerror="alert(1)">');
  expect(document.querySelector("img")).toBeNull();
  expect(cell).not.toBeNull();
});

test("an event opens in full, with ways to what was going on then", async () => {
  const { router } = await openEvents("?q=skipped");
  rows()[0]?.querySelector("a")?.focus();
  await user().keyboard("{Enter}");
  await advance(300);
  expect(router.state.location.search).toHaveProperty("event");
  const event = within(screen.getByRole("region", { name: "Event" }));
  expect(event.getByText("missing")).toBeTruthy();
  expect(event.getByRole("link", { name: "Values then" }).getAttribute("href")).toMatch(/parameters\?t=/);
  await user().click(event.getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("region", { name: "Event" })).toBeNull();
});

test("a replay shows what had been said by then, and goes on", async () => {
  await openEvents("?t=2026-11-22T10:00:00Z~2026-11-22T11:00:00Z~x60");
  const before = rows().length;
  expect(before).toBeLessThan(10);
  await advance(4000);
  expect(rows().length).toBeGreaterThanOrEqual(before + 5);
  expect(rows()[0]?.textContent?.slice(0, 13)).toBe("2026-11-22 10");
});

const THREE_DAYS = "t=2026-11-19T00:00:00Z~2026-11-22T00:00:00Z";

const readings = (world: Opened["world"]) => world.requests.filter((request) => request.includes("/events?"));

test("of a long range the first screen is read, and only rows in sight are drawn", async () => {
  const { world } = await openEvents(`?${THREE_DAYS}`);
  await advance(3000);
  expect(screen.getByText(/^at least 200 events ·/)).toBeTruthy();
  expect(rows().length).toBeLessThan(60);
  expect(rows()[0]?.textContent).toMatch(/^2026-11-21 23:59:20/);
  expect(readings(world)).toHaveLength(1);
});

test("who scrolls reads on", async () => {
  const { world } = await openEvents(`?${THREE_DAYS}`);
  const table = screen.getByRole("region", { name: "Events of aurora-1" });
  table.scrollTop = 190 * 30;
  fireEvent.scroll(table);
  await advance(1000);
  expect(screen.getByText(/^at least 1,200 events ·/)).toBeTruthy();
  expect(readings(world)).toHaveLength(2);
});

test("a search reads on as far as it finds too little, and says of how many", async () => {
  const { world } = await openEvents(`?${THREE_DAYS}&q=nobody+ever+said+this`);
  await advance(3000);
  expect(screen.getByText(/^0 events of 6,480 ·/)).toBeTruthy();
  expect(readings(world)).toHaveLength(8);
});

const from = (request = "") => Date.parse(/from=([^&]+)/.exec(decodeURIComponent(request))?.[1] ?? "");

test("who goes from last year's range to the present does not read all between", async () => {
  const { world, router } = await openEvents("?t=2025-11-19T00:00:00Z~2025-11-19T01:00:00Z");
  await router.navigate({ to: ".", search: { t: "-15m" } as never });
  await advance(62_000);
  const looks = readings(world).slice(2);
  expect(looks).toHaveLength(1);
  expect(from(looks[0])).toBeGreaterThan(START - 6 * 60_000);
});

test("an event that is linked to is looked for among older ones, unless it left the time shown", async () => {
  const key = (at: number) => encodeURIComponent(`${at * 1000} kiruna-1 STO-NONE 0`);
  const { world, router } = await openEvents(`?t=-24h&event=${key(START - 25 * 3_600_000)}`);
  await advance(1000);
  expect(readings(world)).toHaveLength(1);
  await router.navigate({
    to: ".",
    search: { t: "-24h", event: decodeURIComponent(key(START - 20 * 3_600_000)) } as never,
  });
  await advance(1000);
  expect(readings(world)).toHaveLength(3);
});

test("while it is live only what is newer is asked for", async () => {
  const { world } = await openEvents("?t=-24h");
  const [first, ...others] = readings(world);
  expect(others).toEqual([]);
  const shown = rows().length;
  await advance(180_000);
  const looks = readings(world).slice(1);
  expect(looks).toHaveLength(3);
  for (const look of looks) expect(from(look) - from(first)).toBeGreaterThan(23.8 * 3_600_000);
  expect(rows().length).toBeGreaterThanOrEqual(shown);
  expect(rows()[0]?.textContent).toMatch(/^2026-11-22 12:34/);
});

test("a look for newer events that fails is said, and can be tried again", async () => {
  const { world } = await openEvents();
  world.refusing = /\/events\?/;
  await advance(61_000);
  expect(within(screen.getByRole("alert")).getByText("The question took too long")).toBeTruthy();
  expect(rows().length).toBeGreaterThan(15);
  world.refusing = null;
  await user().click(screen.getByRole("button", { name: "Try again" }));
  await advance(500);
  expect(screen.queryByRole("alert")).toBeNull();
});

test("an event that another controller posts is there with the author at once", async () => {
  const { world } = await openEvents();
  const at = new Date(world.now()).toISOString();
  const entry = { at, author: "kari", code: "STO-EVENT-POSTED", text: "antenna stowed", details: [] };
  world.events.push({ mission: "aurora-1", at: world.now(), entry });
  await advance(1000);
  expect(rows()[0]?.textContent).toContain("kari (posted)");
});

test("a paused log reads on where somebody scrolls, and counts none of that as new", async () => {
  const opened = await openEvents("?t=-24h");
  await user().click(screen.getByRole("button", { name: "Pause" }));
  const table = screen.getByRole("region", { name: "Events of aurora-1" });
  table.scrollTop = 190 * 30;
  fireEvent.scroll(table);
  happen(opened, "a fan failed");
  await advance(1000);
  expect(screen.getByText(/^at least 1,200 events ·/)).toBeTruthy();
  expect(screen.getByRole("button", { name: "1 new · Follow" })).toBeTruthy();
});

test("an event is posted by keyboard, and stands in the log with its author", async () => {
  const { world } = await openEvents();
  screen.getByRole("button", { name: "Post an event" }).focus();
  await user().keyboard("{Enter}");
  await user().keyboard("Handover to the night shift");
  await user().click(screen.getByRole("button", { name: "Post" }));
  await advance(1500);
  expect(world.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  expect(rows()[0]?.textContent).toContain("operator (posted)");
  expect(rows().filter((row) => row.textContent?.includes("Handover"))).toHaveLength(1);
});

test("nothing can be typed or discarded while an event is on its way", async () => {
  const { world } = await openEvents();
  await user().click(screen.getByRole("button", { name: "Post an event" }));
  await user().keyboard("half");
  world.latencyMs = 2_000;
  await user().click(screen.getByRole("button", { name: "Post" }));
  await user().type(screen.getByLabelText("Text"), " a sentence");
  expect(screen.getByDisplayValue("half")).toBeTruthy();
  const severity = within(screen.getByRole("form")).getByLabelText<HTMLSelectElement>("Severity");
  expect(severity.disabled).toBe(true);
  await user().click(screen.getByRole("button", { name: "Discard" }));
  expect(screen.getByRole("button", { name: "Discard" }).title).toBe("It is on its way.");
  await advance(5_000);
  expect(rows()[0]?.textContent).toContain("half");
});

test("a draft outlives the page", async () => {
  const { router } = await openEvents();
  await user().click(screen.getByRole("button", { name: "Post an event" }));
  await user().keyboard("half a sen");
  await router.navigate({ to: "/nodes" });
  await advance(300);
  await router.navigate({ to: "/m/$mission/events", params: { mission: "aurora-1" } });
  await vi.dynamicImportSettled();
  await advance(1000);
  expect(screen.getByDisplayValue("half a sen")).toBeTruthy();
});

test("a draft is nobody else's, and a logout forgets it", async () => {
  const { world } = await openEvents();
  await user().click(screen.getByRole("button", { name: "Post an event" }));
  await user().keyboard("not for tom");
  world.loggedIn = false;
  await advance(61_000);
  world.options.principal = "tom";
  await user().type(screen.getByLabelText("One-time code"), MOCK_CODE);
  await user().click(screen.getByRole("button", { name: "Log in" }));
  await advance(1500);
  expect(screen.getByRole("button", { name: "Post an event" })).toBeTruthy();
  expect(screen.queryByDisplayValue("not for tom")).toBeNull();
  expect(sessionStorage.length).toBe(1);
  await user().click(screen.getByRole("button", { name: "Log out" }));
  await advance(500);
  expect(sessionStorage.length).toBe(0);
});

test("a draft that cannot be read is none", async () => {
  sessionStorage.setItem("sto-draft operator event aurora-1", "{");
  await openEvents();
  expect(screen.getByRole("button", { name: "Post an event" })).toBeTruthy();
});

test("an empty text and one of more than 2,000 characters are not sent", async () => {
  const { world } = await openEvents();
  await user().click(screen.getByRole("button", { name: "Post an event" }));
  await user().click(screen.getByRole("button", { name: "Post" }));
  await user().click(screen.getByLabelText("Text"));
  await user().paste("x".repeat(2_001));
  await user().click(screen.getByRole("button", { name: "Post" }));
  expect(screen.getByText("2,001 of 2,000 characters")).toBeTruthy();
  expect(world.requests.some((request) => request.startsWith("POST"))).toBe(false);
});

test("who may not post is told why", async () => {
  await openEvents("", { role: "viewer" });
  const button = screen.getByRole("button", { name: "Post an event" });
  expect(button.getAttribute("aria-disabled")).toBe("true");
  expect(button.title).toContain("Only operators may do this");
  await user().click(button);
  expect(screen.queryByRole("form")).toBeNull();
});

test("operators of all missions also read what the hub says of itself", async () => {
  await openEvents();
  await user().click(screen.getByRole("button", { name: "Hub" }));
  await vi.dynamicImportSettled();
  await advance(1000);
  const table = screen.getByRole("table", { name: "Events of the hub" });
  expect(within(table).getByText(/certificate is revoked/)).toBeTruthy();
  expect(within(table).getByText("not graded")).toBeTruthy();
});

test("a range in which nothing was said says so", async () => {
  await openEvents(`?t=${new Date(START + 60_000).toISOString()}~${new Date(START + 120_000).toISOString()}`);
  expect(screen.getByText("Nothing was said in this range.")).toBeTruthy();
});
