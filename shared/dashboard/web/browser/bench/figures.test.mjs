import { expect, it } from "vitest";
import { quantile, slope, tellInputs } from "./figures.mjs";

it("a quantile is a value that was measured, which that share does not exceed", () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.5, 0.95, 1].map((share) => quantile(values, share))).toEqual([1, 3, 5, 5]);
  expect(quantile([], 0.5)).toBeNaN();
});

it("a slope is that of the line, however the points lie around it", () => {
  const at = (x, y) => ({ x, y });
  expect(slope([at(1, 3), at(2, 5), at(3, 7)])).toBeCloseTo(2);
  expect(slope([at(0, 1), at(1, -1), at(2, -1), at(3, 1)])).toBeCloseTo(0);
  expect(slope([at(1, 1)])).toBeNaN();
});

it("inputs are told by median, 95 % and the longest, with how many of each kind there were", () => {
  const told = {};
  const tell = (metric, value, unit, context) => {
    told[metric] = value;
    expect(unit).toBe("ms");
    expect(context).toEqual({ page: "map", inputs: { wheel: 19, keydown: 1 } });
  };
  const wheels = Array.from({ length: 19 }, (_, delay) => ({ kind: "wheel", delay, shown: 20 }));
  tellInputs(tell, "map", [...wheels, { kind: "keydown", delay: 90, shown: 95 }], { page: "map" });
  expect(told).toEqual({
    map_input_delay_p50: 9,
    map_input_delay_p95: 18,
    map_input_delay_max: 90,
    map_input_to_frame_p50: 20,
    map_input_to_frame_p95: 20,
    map_input_to_frame_max: 95,
  });
});
