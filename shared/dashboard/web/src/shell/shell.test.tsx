import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Health } from "../live/connection";
import { ConnectionChip } from "./ConnectionChip";
import { resolveTheme } from "./theme";

const FROZEN = Date.parse("2026-11-22T12:31:05Z");

test.each([
  [{ state: "live", age: 400 }, "live · 0.4 s"],
  [
    { state: "reconnecting", downFor: 12_300, frozenAt: FROZEN },
    "reconnecting 12 s - values frozen at 12:31:05Z",
  ],
  [{ state: "reconnecting", downFor: 2_000, frozenAt: null }, "connecting 2 s"],
  [{ state: "offline", downFor: 240_000, frozenAt: FROZEN }, "offline 4 min - values frozen at 12:31:05Z"],
  [{ state: "offline", downFor: null, frozenAt: null }, "offline"],
] as [Health, string][])("the chip tells the truth: %j", (health, text) => {
  render(<ConnectionChip health={health} dropped={0} />);
  expect(screen.getByText(text)).toBeInstanceOf(HTMLElement);
  expect(screen.getByRole("status").dataset.state).toBe(health.state);
});

test("a screen reader hears the change, not the ticking", () => {
  const { rerender } = render(<ConnectionChip health={{ state: "live", age: 100 }} dropped={0} />);
  const spoken = screen.getByText("Connection is live.");
  rerender(<ConnectionChip health={{ state: "live", age: 900 }} dropped={0} />);
  expect(spoken.textContent).toBe("Connection is live.");
});

test("the chip says what this browser was too slow for", () => {
  const health: Health = { state: "live", age: 100 };
  const { rerender } = render(<ConnectionChip health={health} dropped={0} />);
  expect(screen.getByRole("status").title).toBe("");
  rerender(<ConnectionChip health={health} dropped={1_200} />);
  expect(screen.getByRole("status").title).toContain("too slow for 1,200 samples");
});

test("colours follow the choice first and the system second", () => {
  expect(resolveTheme("light", { light: false, moreContrast: true })).toBe("light");
  expect(resolveTheme("system", { light: false, moreContrast: false })).toBe("dark");
  expect(resolveTheme("system", { light: true, moreContrast: false })).toBe("light");
  expect(resolveTheme("system", { light: true, moreContrast: true })).toBe("contrast");
});
