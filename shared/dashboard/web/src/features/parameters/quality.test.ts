import { expect, test } from "vitest";
import type { Monitoring, Validity } from "../../types";
import { quality } from "./quality";

test.each([
  ["valid", "not-monitored", null, "not monitored"],
  ["valid", "normal", "normal", "normal"],
  ["valid", "watch", "caution", "watch"],
  ["valid", "warning", "caution", "warning"],
  ["valid", "distress", "serious", "distress"],
  ["valid", "critical", "critical", "critical"],
  ["valid", "severe", "critical", "severe"],
  ["not-a-number", "not-monitored", "invalid", "not a number"],
  ["outside-calibration", "not-monitored", "invalid", "outside calibration"],
  ["outside-valid-range", "normal", "invalid", "outside valid range"],
  ["unknown-label", "not-monitored", "invalid", "unknown label"],
] as const)(
  "a %s value that is %s has the shape %s and the word %s",
  (validity, monitoring, status, word) => {
    expect(quality({ validity, monitoring })).toMatchObject({ status, word });
  },
);

test("words of a newer server are never taken for good news", () => {
  const strange = (text: string) => text as Monitoring & Validity;
  expect(quality({ validity: strange("frozen"), monitoring: "normal" })).toEqual({
    status: "invalid",
    word: "frozen",
    invalid: "frozen",
  });
  expect(quality({ validity: "valid", monitoring: strange("extreme") }).status).toBe("critical");
});
