import { expect, test } from "vitest";
import type { ParameterLimits } from "../../types";
import { changeOf, draftOf, type OverlayDraft, problemsOf } from "./draft";
import { differences, limitsText } from "./limits";

const LIMITS: ParameterLimits = {
  parameter: "/a/v",
  source: "overlay",
  contexts: [
    {
      context: "MODE=SAFE",
      ranges: [
        {
          severity: "warning",
          low: 22,
          high: 33,
          holds_low: true,
          holds_high: true,
          is_of_bad_values: false,
        },
      ],
      labels: [],
    },
    {
      context: null,
      ranges: [
        {
          severity: "critical",
          low: 20,
          high: null,
          holds_low: true,
          holds_high: true,
          is_of_bad_values: false,
        },
        {
          severity: "warning",
          low: 24,
          high: 32,
          holds_low: true,
          holds_high: true,
          is_of_bad_values: false,
        },
      ],
      labels: [],
    },
  ],
  persistence: 3,
  hysteresis: 0.2,
  deadband: 0,
};

function draft(
  ranges: OverlayDraft["contexts"][number]["ranges"],
  more: Partial<OverlayDraft> = {},
): OverlayDraft {
  return { ...draftOf(undefined), contexts: [{ context: "", ranges }], ...more };
}

test("limits that are not touched ask for what is in force", () => {
  const change = changeOf("/a/v", draftOf(LIMITS));
  expect(problemsOf(draftOf(LIMITS))).toEqual([]);
  expect(change).toEqual({
    kind: "overlay",
    parameter: "/a/v",
    contexts: [
      { context: "MODE=SAFE", ranges: [{ severity: "warning", low: 22, high: 33 }] },
      {
        ranges: [
          { severity: "warning", low: 24, high: 32 },
          { severity: "critical", low: 20 },
        ],
      },
    ],
    persistence: 3,
    hysteresis: 0.2,
    deadband: 0,
  });
});

test.each([
  [draft({ warning: { low: "x", high: "" } }), "warning: “x” is no number."],
  [draft({ warning: { low: "1e999", high: "" } }), "warning: “1e999” is no number."],
  [draft({ warning: { low: "NaN", high: "3" } }), "warning: “NaN” is no number."],
  [draft({ warning: { low: "4", high: "3" } }), "warning: 4 is above 3."],
  [
    draft({ warning: { low: "1", high: "9" }, severe: { low: "0", high: "8" } }),
    "severe must hold all of warning, which is less severe.",
  ],
  [
    draft({ watch: { low: "", high: "9" }, critical: { low: "0", high: "10" } }),
    "critical must hold all of watch, which is less severe.",
  ],
  [draft({}, { persistence: "0" }), "Successive violations: a whole number from 1 to 10000."],
  [draft({}, { hysteresis: "-1" }), "Hysteresis: a number, 0 or more."],
  [
    draft(
      {},
      {
        contexts: [
          { context: " ", ranges: {} },
          { context: "MODE=SAFE", ranges: {} },
        ],
      },
    ),
    "The limits without a condition stand last: those behind them would never count.",
  ],
])("what no limits can be is said before it is sent: %#", (wrong, problem) => {
  expect(problemsOf(wrong)).toEqual([problem]);
});

test("very large numbers and open ends are limits like others", () => {
  const large = draft({ warning: { low: "-1e300", high: "" } });
  expect(problemsOf(large)).toEqual([]);
  expect(changeOf("/a/v", large)).toMatchObject({
    contexts: [{ ranges: [{ severity: "warning", low: -1e300 }] }],
  });
});

test("two versions differ where a parameter's limits do, whatever the order of their ranges", () => {
  const [first, second] = LIMITS.contexts;
  const turned = {
    ...LIMITS,
    contexts: [first, { ...second, ranges: second?.ranges.toReversed() }],
  } as ParameterLimits;
  expect(differences([LIMITS], [turned])).toEqual([]);
  const other = { ...LIMITS, persistence: 1 };
  expect(
    differences([LIMITS], [other, { ...LIMITS, parameter: "/a/w" }]).map((one) => one.parameter),
  ).toEqual(["/a/v", "/a/w"]);
  expect(limitsText(LIMITS)).toBe(
    "while MODE=SAFE: warning 22 … 33; warning 24 … 32, critical from 20; after 3 violations; hysteresis 0.2",
  );
});
