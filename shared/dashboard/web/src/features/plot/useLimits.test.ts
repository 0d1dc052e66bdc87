import { expect, test } from "vitest";
import type { LimitsInContext, ParameterDescription } from "../../types";
import { limitSetOf } from "./useLimits";

const PARAMETER: ParameterDescription = {
  name: "/m/state",
  short_name: "state",
  kind: "enumeration",
  labels: [{ value: 3, label: "SAFE" }],
};
const always: LimitsInContext = {
  ranges: [{ severity: "warning", high: 10, holds_high: true, holds_low: true, is_of_bad_values: false }],
  labels: [{ label: "SAFE", severity: "critical" }],
};
const inSafeMode: LimitsInContext = { context: "MODE=SAFE", ranges: [], labels: [] };

test("limits without a condition are drawn, with the raw values of their labels", () => {
  const set = limitSetOf([always], PARAMETER);
  expect(set?.zones).toEqual([{ from: 10, to: Number.POSITIVE_INFINITY, severity: "warning" }]);
  expect(set?.states).toEqual(new Map([[3, "critical"]]));
  expect(set?.isPartial).toBe(false);
});

test.each([
  ["beside others", [inSafeMode, always], 1],
  ["alone", [inSafeMode], 0],
] as const)(
  "limits with a condition %s are not drawn, and it is known that there are some",
  (_, contexts, zones) => {
    const set = limitSetOf(contexts, PARAMETER);
    expect(set?.zones).toHaveLength(zones);
    expect(set?.isPartial).toBe(true);
  },
);

test("what has no limits has no set", () => {
  expect(limitSetOf([], PARAMETER)).toBeNull();
});
