import { render } from "@testing-library/react";
import { Line, LineDashedMaterial, type Scene } from "three";
import { expect, test, vi } from "vitest";
import Globe, { type GlobeProps } from "./Globe";

const drawn = vi.fn();

// There is no WebGL here; what the renderer is given is what counts.
vi.mock("three", async (original) => ({
  ...(await original<typeof import("three")>()),
  WebGLRenderer: class {
    domElement = document.createElement("canvas");
    render = drawn;
    setPixelRatio() {}
    setSize() {}
    dispose() {}
  },
}));

const PROPS: GlobeProps = {
  label: "Globe",
  ways: [
    [
      [1.1, 0, 0],
      [0, 1.1, 0],
    ],
  ],
  crafts: [
    {
      place: [1.1, 0, 0],
      axes: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    },
  ],
  stations: [[0, 1, 0]],
  sun: null,
  onFailure: () => {
    throw new Error("the globe was not made");
  },
};

function lines(): Line[] {
  const scene = drawn.mock.lastCall?.[0] as Scene;
  return scene.children.filter((child) => child instanceof Line);
}

test("a frame that changes nothing draws nothing and builds nothing anew", () => {
  const { rerender } = render(<Globe {...PROPS} />);
  const [times, before] = [drawn.mock.calls.length, lines()];
  rerender(<Globe {...PROPS} />);
  expect(drawn).toHaveBeenCalledTimes(times);
  rerender(<Globe {...PROPS} crafts={[...PROPS.crafts]} />);
  expect(drawn).toHaveBeenCalledTimes(times + 1);
  expect(lines()).toHaveLength(before.length);
});

test("the axes of a body differ in more than colour", () => {
  render(<Globe {...PROPS} />);
  const patterns = lines().flatMap(({ material }) =>
    material instanceof LineDashedMaterial ? [`${material.dashSize} ${material.gapSize}`] : [],
  );
  expect(new Set(patterns).size).toBe(3);
});
