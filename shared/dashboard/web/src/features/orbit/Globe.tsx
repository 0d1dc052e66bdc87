// The Earth with its land and grid, the spacecraft, its way and its attitude, in three dimensions.
import { useEffect, useRef } from "react";
import {
  AmbientLight,
  BufferGeometry,
  DirectionalLight,
  Float32BufferAttribute,
  Line,
  LineBasicMaterial,
  LineDashedMaterial,
  LineSegments,
  Mesh,
  MeshBasicMaterial,
  MeshLambertMaterial,
  type Object3D,
  PerspectiveCamera,
  Scene,
  SphereGeometry,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { useTheme } from "../../shell/theme";
import type { Vector } from "./frames";
import { landLines } from "./land";

interface Drawn {
  /** Ways over the Earth in the scene's frame, one for each spacecraft. */
  ways: readonly (readonly Vector[])[];
  /** Where spacecraft are now, and where their body's axes point, if that is known. */
  crafts: readonly { place: Vector; axes: readonly [Vector, Vector, Vector] | null }[];
  stations: readonly Vector[];
  /** Towards the Sun; `null` lights everything alike. */
  sun: Vector | null;
}

export interface GlobeProps extends Drawn {
  label: string;
  /** No WebGL here: the page then shows the map. */
  onFailure: () => void;
}

const AXIS_LENGTH = 0.28;
/** x, y and z: told apart by how they are drawn, and by colour. */
const AXES = [
  { colour: "--critical", dash: 1, gap: 0 },
  { colour: "--normal", dash: 0.04, gap: 0.02 },
  { colour: "--standby", dash: 0.012, gap: 0.018 },
] as const;

export default function Globe(props: GlobeProps) {
  const place = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage | null>(null);
  const theme = useTheme((state) => state.theme);
  const { ways, crafts, stations, sun, onFailure } = props;
  useEffect(() => {
    if (place.current === null) return;
    try {
      stage.current = new Stage(place.current);
    } catch {
      onFailure();
      return;
    }
    return () => {
      stage.current?.end();
      stage.current = null;
    };
  }, [onFailure]);
  // Colours are read from the style sheet while drawing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme changes what the style sheet says.
  useEffect(() => stage.current?.show({ ways, crafts, stations, sun }), [ways, crafts, stations, sun, theme]);
  return (
    <div
      ref={place}
      className="globe"
      role="application"
      aria-label={`${props.label}: arrow keys turn it, plus and minus zoom`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is turned with the keyboard.
      tabIndex={0}
      data-own-keys
      onKeyDown={(event) => {
        if (stage.current?.onKey(event.key)) event.preventDefault();
      }}
    />
  );
}

/** What three.js needs to be told once, and what changes. It draws when something did, and while somebody turns it. */
class Stage {
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(40, 1, 0.01, 100);
  private readonly renderer: WebGLRenderer;
  private readonly controls: OrbitControls;
  private readonly watch: ResizeObserver;
  private readonly sunlight = new DirectionalLight(0xffffff, 2.2);
  private readonly ambient = new AmbientLight(0xffffff, 0.7);
  private readonly earth = new Mesh(new SphereGeometry(0.998, 64, 48), new MeshLambertMaterial());
  private readonly land = new LineSegments(new BufferGeometry(), new LineBasicMaterial());
  private moving: Object3D[] = [];

  constructor(private readonly element: HTMLElement) {
    this.renderer = new WebGLRenderer({ antialias: true, alpha: true });
    this.renderer.setPixelRatio(Math.min(2, devicePixelRatio));
    element.append(this.renderer.domElement);
    this.camera.position.set(2.2, 1.3, -2.2);
    this.controls = new OrbitControls(this.camera, this.renderer.domElement);
    Object.assign(this.controls, { enablePan: false, minDistance: 1.3, maxDistance: 12 });
    this.controls.addEventListener("change", () => this.draw());
    this.land.geometry.setAttribute("position", new Float32BufferAttribute(landLines(), 3));
    this.scene.add(this.earth, this.land, this.sunlight, this.ambient);
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(element);
    this.fit();
  }

  show({ ways, crafts, stations, sun }: Drawn): void {
    this.earth.material.color.set(colour("--raised"));
    this.land.material.color.set(colour("--muted"));
    this.ambient.intensity = sun === null ? 2.5 : 0.7;
    this.sunlight.visible = sun !== null;
    if (sun !== null) this.sunlight.position.set(...sun);
    this.forget();
    for (const way of ways)
      this.add(new Line(through(way), new LineBasicMaterial({ color: colour("--accent") })));
    for (const at of stations) this.dot(at, 0.012, "--normal");
    for (const { place, axes } of crafts) {
      this.dot(place, 0.022, "--focus");
      // The point of the ground that lies below it.
      this.add(new Line(through([place, below(place)]), new LineBasicMaterial({ color: colour("--off") })));
      for (const [index, { colour: name, dash, gap }] of AXES.entries()) {
        const axis = axes?.[index];
        if (axis === undefined) continue;
        const material = new LineDashedMaterial({ color: colour(name), dashSize: dash, gapSize: gap });
        this.add(new Line(through([place, add(place, axis)]), material).computeLineDistances());
      }
    }
    this.draw();
  }

  /** Turns the globe; whether the key was one that does. */
  onKey(key: string): boolean {
    const turn = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] }[
      key
    ];
    const zoom = { "+": 0.85, "=": 0.85, "-": 1.18 }[key];
    if (turn === undefined && zoom === undefined) return false;
    const { position } = this.camera;
    const distance = position.length() * (zoom ?? 1);
    const [around = 0, up = 0] = turn ?? [];
    const angle = Math.atan2(position.z, position.x) + around;
    const height = Math.min(1.5, Math.max(-1.5, Math.asin(position.y / position.length()) - up));
    position.set(
      distance * Math.cos(height) * Math.cos(angle),
      distance * Math.sin(height),
      distance * Math.cos(height) * Math.sin(angle),
    );
    this.controls.update();
    this.draw();
    return true;
  }

  end(): void {
    this.watch.disconnect();
    this.controls.dispose();
    this.forget();
    for (const { geometry, material } of [this.earth, this.land]) {
      geometry.dispose();
      material.dispose();
    }
    this.renderer.dispose();
    this.renderer.domElement.remove();
  }

  private dot(at: Vector, radius: number, name: string): void {
    const dot = new Mesh(new SphereGeometry(radius, 12, 8), new MeshBasicMaterial({ color: colour(name) }));
    dot.position.set(...at);
    this.add(dot);
  }

  private add(object: Object3D): void {
    this.moving.push(object);
    this.scene.add(object);
  }

  private forget(): void {
    for (const object of this.moving) {
      this.scene.remove(object);
      if (object instanceof Mesh || object instanceof Line) {
        object.geometry.dispose();
        object.material.dispose();
      }
    }
    this.moving = [];
  }

  private fit(): void {
    const { clientWidth, clientHeight } = this.element;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.renderer.setSize(clientWidth, clientHeight);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  private draw(): void {
    this.renderer.render(this.scene, this.camera);
  }
}

function through(points: readonly Vector[]): BufferGeometry {
  return new BufferGeometry().setFromPoints(points.map((point) => new Vector3(...point)));
}

function below([x, y, z]: Vector): Vector {
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
}

function add([x, y, z]: Vector, [a, b, c]: Vector): Vector {
  return [x + a * AXIS_LENGTH, y + b * AXIS_LENGTH, z + c * AXIS_LENGTH];
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
