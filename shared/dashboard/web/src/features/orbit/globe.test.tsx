import { fireEvent, render, screen } from "@testing-library/react";
import {
  type Camera,
  Line,
  LineDashedMaterial,
  Mesh,
  type Object3D,
  type Scene,
  SphereGeometry,
} from "three";
import { beforeEach, expect, test, vi } from "vitest";
import type { Vector } from "./frames";
import Globe, { type GlobeProps } from "./Globe";

const gl = {
  fails: false,
  frames: 0,
  disposed: 0,
  scene: null as Scene | null,
  camera: null as Camera | null,
};

// There is no WebGL here: the scene is three's own, and what would draw it notes what it was given.
vi.mock("three", async (original) => ({
  ...(await original<typeof import("three")>()),
  WebGLRenderer: class {
    readonly domElement = document.createElement("canvas");
    constructor() {
      if (gl.fails) throw new Error("Error creating WebGL context.");
    }
    setPixelRatio(): void {}
    setSize(): void {}
    render(scene: Scene, camera: Camera): void {
      gl.frames += 1;
      Object.assign(gl, { scene, camera });
    }
    dispose(): void {
      gl.disposed += 1;
    }
  },
}));

beforeEach(() => {
  Object.assign(gl, { fails: false, frames: 0, disposed: 0, scene: null, camera: null });
});

const PLACE: Vector = [0, 1.1, 0];
const props = (changes: Partial<GlobeProps> = {}): GlobeProps => ({
  label: "Orbit of aurora-1",
  ways: [
    [
      [1.1, 0, 0],
      [0, 1.1, 0],
    ],
  ],
  crafts: [{ place: PLACE, axes: null }],
  stations: [
    [1, 0, 0],
    [0, 0, 1],
  ],
  sun: [10, 0, 0],
  onFailure: () => {},
  ...changes,
});

const things = (): Object3D[] => gl.scene?.children ?? [];
/** Where the small spheres are. */
const dots = () =>
  things()
    .filter(
      (one): one is Mesh<SphereGeometry> => one instanceof Mesh && one.geometry instanceof SphereGeometry,
    )
    .filter(({ geometry }) => geometry.parameters.radius < 0.1)
    .map(({ position }) => position.toArray());
const lines = () =>
  things()
    .filter((one) => one instanceof Line && one.type === "Line")
    .map((one) =>
      [...(one as Line).geometry.getAttribute("position").array].map((at) => Math.round(at * 100) / 100),
    );
const globe = () => screen.getByRole("application", { name: /^Orbit of aurora-1/ });

test("stations and spacecraft stand where they are, and a line leads to the ground below", () => {
  render(<Globe {...props()} />);
  expect(dots()).toEqual([[1, 0, 0], [0, 0, 1], PLACE]);
  expect(lines()).toEqual([
    [1.1, 0, 0, 0, 1.1, 0],
    [0, 1.1, 0, 0, 1, 0],
  ]);
});

test("a known attitude is three axes from the spacecraft", () => {
  const axes: [Vector, Vector, Vector] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  render(<Globe {...props({ ways: [], crafts: [{ place: PLACE, axes }] })} />);
  expect(lines().slice(1)).toEqual([
    [0, 1.1, 0, 0.28, 1.1, 0],
    [0, 1.1, 0, 0, 1.38, 0],
    [0, 1.1, 0, 0, 1.1, 0.28],
  ]);
});

test("the axes of a body differ in more than colour", () => {
  const axes: [Vector, Vector, Vector] = [PLACE, PLACE, PLACE];
  render(<Globe {...props({ crafts: [{ place: PLACE, axes }] })} />);
  const patterns = things().flatMap((one) =>
    one instanceof Line && one.material instanceof LineDashedMaterial
      ? [`${one.material.dashSize} ${one.material.gapSize}`]
      : [],
  );
  expect(new Set(patterns).size).toBe(3);
});

test("a frame that changes nothing draws nothing", () => {
  const same = props();
  const { rerender } = render(<Globe {...same} />);
  const { frames } = gl;
  rerender(<Globe {...same} />);
  expect(gl.frames).toBe(frames);
  rerender(<Globe {...same} crafts={[...same.crafts]} />);
  expect(gl.frames).toBe(frames + 1);
});

test("what moved is drawn in its new place, and the old one is gone", () => {
  const { rerender } = render(<Globe {...props({ stations: [] })} />);
  rerender(<Globe {...props({ stations: [], crafts: [{ place: [0, 0, 1.1], axes: null }] })} />);
  expect(dots()).toEqual([[0, 0, 1.1]]);
});

test("without a Sun everything is lit alike", () => {
  const sunlight = () => things().find(({ type }) => type === "DirectionalLight");
  const { rerender } = render(<Globe {...props()} />);
  expect(sunlight()?.visible).toBe(true);
  expect(sunlight()?.position.toArray()).toEqual([10, 0, 0]);
  rerender(<Globe {...props({ sun: null })} />);
  expect(sunlight()?.visible).toBe(false);
});

test("arrow keys turn it, plus and minus zoom, and other keys are the page's", () => {
  render(<Globe {...props()} />);
  const at = () => gl.camera?.position.clone() ?? null;
  const before = at();
  fireEvent.keyDown(globe(), { key: "ArrowRight" });
  const turned = at();
  expect(turned?.length()).toBeCloseTo(before?.length() ?? 0);
  expect(turned?.distanceTo(before ?? turned)).toBeGreaterThan(0.1);
  fireEvent.keyDown(globe(), { key: "+" });
  expect(at()?.length()).toBeCloseTo((before?.length() ?? 0) * 0.85);
  const frames = gl.frames;
  expect(fireEvent.keyDown(globe(), { key: "g" })).toBe(true);
  expect(gl.frames).toBe(frames);
});

test("a browser without WebGL is told of, and nothing is drawn", () => {
  gl.fails = true;
  const onFailure = vi.fn();
  render(<Globe {...props({ onFailure })} />);
  expect(onFailure).toHaveBeenCalledOnce();
  expect(gl.frames).toBe(0);
});

test("it gives the graphics back when it goes", () => {
  const { unmount } = render(<Globe {...props()} />);
  expect(globe().querySelector("canvas")).not.toBeNull();
  unmount();
  expect(gl.disposed).toBe(1);
});
