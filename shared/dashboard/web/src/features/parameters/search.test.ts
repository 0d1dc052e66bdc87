import { expect, test } from "vitest";
import type { ParameterDescription } from "../../types";
import { matching } from "./search";

test("search needs every word, in path, description or unit", () => {
  const parameters: ParameterDescription[] = [
    { name: "/eps/battery_voltage", short_name: "battery_voltage", kind: "float", unit: "V", labels: [] },
    { name: "/thermal/tank", short_name: "tank", kind: "float", description: "Battery side", labels: [] },
  ];
  const found = (search: string) => matching(parameters, search).map((p) => p.short_name);
  expect(found("")).toEqual(["battery_voltage", "tank"]);
  expect(found("BATTERY")).toEqual(["battery_voltage", "tank"]);
  expect(found("battery tank")).toEqual(["tank"]);
  expect(found("nothing")).toEqual([]);
});
