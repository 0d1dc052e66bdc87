import { expect, test } from "vitest";
import type { DetectionRule } from "../../types";
import { countingText, settingsText, watched, withWatch } from "./detection";

const RULE: DetectionRule = {
  line: 3,
  parameters: [],
  severity: "warning",
  mode: null,
  training_fit: 1000,
  training_calibrate: 500,
  gap_max_s: null,
  merge_within: 100,
  linger: 20,
  detectors: [],
};

test("the first rule that names a parameter watches it, if it is a number", () => {
  const rules = [["/a/*_voltage"], ["/a/*"], ["/a/x"]].map((parameters) => ({ ...RULE, parameters }));
  const parameters = ["/a/bus_voltage", "/a/x", "/b/x"].map((name) => ({ name, kind: "float" as const }));
  const text = { name: "/a/name", kind: "string" as const };
  expect(watched(rules, [...parameters, text])).toEqual([1, 1, 0]);
});

test.each([
  ["/a/b", "/a/b", true],
  ["/a/b", "/a/bc", false],
  ["*", "/a", true],
  ["/a/*/x", "/a//x", true],
  ["/a/*/x", "/a/x", false],
  ["/a/*b*c", "/a/bxbc", true],
  ["/a/*b*c", "/a/cb", false],
  ["/aa*a", "/aa", false],
])("%s fits %s as at the server: %s", (pattern, name, fits) => {
  expect(watched([{ ...RULE, parameters: [pattern] }], [{ name, kind: "integer" }])).toEqual([fits ? 1 : 0]);
});

test("settings of a detector are told apart from those of how it judges", () => {
  const settings = { order: 32, "residual.span": 20 };
  const detector = { detector: "autoregression", settings, persistence: 1, hold: 0, rearm: 1 };
  expect(settingsText(detector, false)).toBe("order 32");
  expect(settingsText(detector, true)).toBe("residual.span 20");
  expect(countingText(detector)).toBe("");
  expect(countingText({ ...detector, persistence: 5, hold: 9, rearm: 7 })).toBe(
    "after 5 in a row, held for 9, again after 7 usual ones",
  );
});

test("a rule is added behind all that stood there", () => {
  const text = "version = 1 # mine\n";
  const watch = { parameters: ["/a/*", "/b"], severity: "critical", mode: "", detectors: [] };
  expect(withWatch(text, watch)).toBe(
    `${text}\n[[watch]]\nparameters = ["/a/*", "/b"]\nseverity = "critical"\n`,
  );
  expect(withWatch("", { ...watch, mode: "/m", detectors: ["range"] })).toBe(
    '[[watch]]\nparameters = ["/a/*", "/b"]\nseverity = "critical"\nmode = "/m"\n\n' +
      "[[watch.suite.detectors]]\nmethod.range = {}\n",
  );
});
