// What the tests of dashboards share: a chart that notes what it is given, and ways to open pages.
import { fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { vi } from "vitest";
import { DEMO, mockDashboards } from "../../mock/dashboards";
import { advance, type Options, openDashboard } from "../../test/app";
import type { Widget } from "../../types";

export const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

export async function settle(): Promise<void> {
  // Pages and charts are loaded on demand, over real promises.
  for (let round = 0; round < 3; round += 1) {
    await vi.dynamicImportSettled();
    await advance(500);
  }
}

export const PAGE = `/m/aurora-1/d/${DEMO}`;

/** A page with these widgets only; `edit`: as it is edited. */
export async function openWidgets(widgets: Partial<Widget>[], search = "", options: Options = {}) {
  const opened = await openDashboard({ path: "/m/aurora-1/d", ...options });
  const dashboards = mockDashboards(opened.world);
  dashboards.create(
    {
      id: DEMO,
      title: "Power",
      audience: "operators",
      widgets: widgets.map((widget, index) => ({
        id: `w${index}`,
        kind: "text",
        x: 0,
        y: index * 6,
        w: 8,
        h: 6,
        opts: {},
        ...widget,
      })),
    },
    options.mock?.role === "viewer" ? "kari" : "operator",
  );
  opened.router.history.push(PAGE + search);
  await settle();
  return { ...opened, dashboards, saved: () => dashboards.kept.get(DEMO) };
}

export const panel = (name: string) => within(screen.getByRole("region", { name }));
export const slot = (name: RegExp) => screen.getByRole("group", { name });

export function press(element: Element, key: string, options: object = {}): void {
  fireEvent.keyDown(element, { key, ...options });
}
