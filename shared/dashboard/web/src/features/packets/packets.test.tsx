import { cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { advance, openDashboard } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });
const RANGE = "2026-11-22T12:00:00Z~2026-11-22T12:20:00Z";

async function openPackets(search = "", mock = {}) {
  const opened = await openDashboard({ path: `/m/aurora-1/packets${search}`, mock });
  // The page's code is loaded on demand, over real promises.
  await vi.dynamicImportSettled();
  await advance(1000);
  return opened;
}

const table = () => screen.getByRole("table", { name: "Packets of aurora-1" });
const rows = () => within(table()).getAllByRole("row").slice(1);
const firstTime = () => rows()[0]?.querySelector("th")?.textContent ?? "";

test("the list follows the newest packets, newest first", async () => {
  await openPackets();
  const before = firstTime();
  expect(before).toMatch(/^2026-11-22 12:31:0\d\.\d{3}Z$/);
  await advance(4000);
  expect(firstTime() > before).toBe(true);
  expect(rows()[0]?.textContent).toContain("2047");
});

test("a held list stands still and counts what comes", async () => {
  await openPackets("?apid=100");
  await user().click(screen.getByRole("button", { name: "Pause" }));
  const before = firstTime();
  await advance(6500);
  expect(firstTime()).toBe(before);
  const follow = screen.getByRole("button", { name: /^[678] new · Follow$/ });
  await user().click(follow);
  expect(firstTime() > before).toBe(true);
});

test("a fixed range is listed from its beginning and read on at its end", async () => {
  const { world } = await openPackets(`?t=${RANGE}`);
  expect(firstTime()).toBe("2026-11-22 12:00:00.180Z");
  expect(screen.getByText(/1,000 so far/)).toBeTruthy();
  const asked = world.requests.filter((request) => request.includes("/packets?"));
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain("to=2026-11-22T12%3A20%3A00.000Z");
});

test("a replay shows what had been received by then, and goes on", async () => {
  await openPackets(`?apid=100&t=${RANGE}~x60`);
  const received = () => Number(/^([\d,]+)/.exec(screen.getByText(/so far/).textContent ?? "")?.[1]);
  const before = received();
  expect(before).toBeGreaterThan(20);
  expect(before).toBeLessThan(400);
  await advance(1000);
  expect(received()).toBeGreaterThanOrEqual(before + 55);
  expect(received()).toBeLessThan(400);
});

test("filters narrow the list and stand in the address", async () => {
  const { router, world } = await openPackets(`?t=${RANGE}`);
  await user().type(screen.getByLabelText("APID"), "101{Enter}");
  await user().selectOptions(screen.getByLabelText("Station"), "kiruna-1");
  await user().click(screen.getByLabelText("In quarantine only"));
  await advance(500);
  expect(router.state.location.search).toMatchObject({ apid: 101, node: "kiruna-1", quarantined: true });
  expect(world.requests.at(-1)).toMatch(/apid=101&node=kiruna-1&quarantined=true/);
  for (const row of rows()) expect(row.textContent).toMatch(/101.*quarantined: crc.*kiruna-1/);
});

test("a number that is no APID asks for nothing", async () => {
  const { router } = await openPackets(`?t=${RANGE}`);
  await user().type(screen.getByLabelText("APID"), "many{Enter}");
  await advance(300);
  expect(router.state.location.search).not.toHaveProperty("apid");
});

test("a packet is taken apart: header, values, bytes, and the place of a value in them", async () => {
  const { router } = await openPackets(`?apid=100&t=${RANGE}`);
  rows()[0]?.querySelector("a")?.focus();
  await user().keyboard("{Enter}");
  await advance(500);
  expect(router.state.location.search).toHaveProperty("packet");
  const packet = within(screen.getByRole("region", { name: "Packet" }));
  expect(packet.getByText("telemetry, with secondary header")).toBeTruthy();
  expect(packet.getByText(/dictionary version 2/)).toBeTruthy();
  const dump = packet.getByRole("table", { name: "Bytes of the packet" });
  // Telemetry text is shown as text, and what cannot be printed as a dot.
  expect(dump.textContent).toContain("..<b>AURORA<");
  expect(dump.querySelector("b")).toBeNull();
  await user().click(packet.getByRole("button", { name: "bits 48–63" }));
  expect([...dump.querySelectorAll("mark")].map((mark) => mark.textContent)).toEqual(["3c 62", "<b"]);
  const link = packet.getByRole("link", { name: "/aurora/eps/battery_voltage" });
  expect(decodeURIComponent(link.getAttribute("href") ?? "")).toContain("t=2026-11-22T11:50:00Z~");
});

test("a packet that cannot be decoded says why and shows its bytes", async () => {
  await openPackets(`?packet=${"07".repeat(16)}.1.0.1763812800.1&t=${RANGE}`);
  const packet = within(screen.getByRole("region", { name: "Packet" }));
  expect(packet.getByText("no container fits a packet of APID 101")).toBeTruthy();
  expect(packet.queryByRole("table", { name: "Values of the packet" })).toBeNull();
  expect(packet.getByRole("table", { name: "Bytes of the packet" })).toBeTruthy();
});

test("j and k go from packet to packet", async () => {
  await openPackets(`?t=${RANGE}`);
  rows()[0]?.querySelector("a")?.focus();
  await user().keyboard("jj");
  expect(document.activeElement?.closest("tr")?.dataset.index).toBe("2");
  await user().keyboard("k");
  expect(document.activeElement?.closest("tr")?.dataset.index).toBe("1");
});

test("the packets shown can be downloaded as they were received; a station has no files", async () => {
  await openPackets(`?apid=100&t=${RANGE}`);
  const link = screen.getByRole("link", { name: "Download packets" });
  expect(link.getAttribute("href")).toBe(
    "/api/v1/missions/aurora-1/export?from=2026-11-22T12%3A00%3A00.000Z&to=2026-11-22T12%3A20%3A00.000Z&format=packets&apid=100",
  );
  cleanup();
  await openPackets("", { kind: "edge" });
  expect(screen.getByRole("button", { name: /Files are made at the hub/ })).toBeTruthy();
});
