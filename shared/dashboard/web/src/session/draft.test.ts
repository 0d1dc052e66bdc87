import { afterEach, expect, test, vi } from "vitest";
import { forgetDrafts } from "./draft";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("where storage is forbidden nothing is forgotten, and nothing fails", () => {
  const forbidden = vi.fn(() => {
    throw new Error("The operation is insecure.");
  });
  vi.stubGlobal("sessionStorage", new Proxy({}, { ownKeys: forbidden }));
  expect(forgetDrafts).not.toThrow();
  expect(forbidden).toHaveBeenCalled();
});

test("drafts are forgotten, and nothing else", () => {
  const kept: Record<string, unknown> = { "sto-draft tom event demo": "{}", "sto-theme": "dark" };
  kept.removeItem = (key: string) => delete kept[key];
  vi.stubGlobal("sessionStorage", kept);
  forgetDrafts();
  expect(Object.keys(kept)).toEqual(["sto-theme", "removeItem"]);
});
