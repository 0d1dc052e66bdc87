// A map of the world that needs no other host: land, night, ground tracks, stations and their links to the hub.
// Symbols are painted; over each lies a button, so that keys and screen readers reach what the eye sees.
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { useTheme } from "../../../shell/theme";
import { type Cluster, clustered, isSpread, type MapSite } from "./clusters";
import { type Craft, drawMap, Paths } from "./draw";
import { Markers } from "./Markers";
import { type MapTrack, positionsOf, useLayers } from "./useLayers";
import { useMapSize } from "./useMapSize";
import {
  type MapView,
  moved,
  type Place,
  type Point,
  scaleOf,
  WHOLE_WORLD,
  zoomedAt,
  zoomedTo,
} from "./view";

export interface WorldMapProps {
  label: string;
  sites: readonly MapSite[];
  /** Where the hub is; without it no links are drawn. */
  hub?: Place | null;
  tracks?: readonly MapTrack[];
  /** Draws around each site where the first of the tracks' spacecraft is heard. */
  masks?: ReadonlyMap<string, number>;
  /** Where the Sun is at the zenith. */
  sun?: Place | null;
  /** The moment shown, Unix milliseconds. */
  now: number;
  /** Where the map stands at first. */
  initialView?: MapView;
  /** Told when the map has come to rest. */
  onView?: (view: MapView) => void;
  /** One station, or several that stand at the same place. */
  onChoose: (sites: readonly MapSite[]) => void;
}

const STEP = 60;
const ZOOM_STEP = 1.5;
/** A wheel turns many times in a row; the address gets the last view only. */
const REST_MS = 300;

const NO_TRACKS: readonly MapTrack[] = [];
const NO_MASKS: ReadonlyMap<string, number> = new Map();

export function WorldMap(props: WorldMapProps) {
  const { label, sites, hub = null, tracks = NO_TRACKS, masks = NO_MASKS, sun = null, now, onChoose } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const surface = useRef<HTMLDivElement>(null);
  const paths = useRef(new Paths());
  const [view, setView] = useState(props.initialView ?? WHOLE_WORLD);
  const size = useMapSize(surface);
  const scale = scaleOf(view, size);
  const clusters = useMemo(() => clustered(sites, scale), [sites, scale]);
  const crafts = useMemo(() => positionsOf(tracks, now), [tracks, now]);
  const layers = useLayers({ sites, hub, tracks, masks, sun, now });
  const theme = useTheme((state) => state.theme);
  useAtRest(view, props.onView);
  useWheel(surface, (factor, point) => setView((old) => zoomedAt(old, size, factor, point)));

  // Colours are read from the style sheet while drawing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme changes what the style sheet says.
  useEffect(() => {
    const ctx = canvas.current?.getContext("2d") ?? null;
    if (ctx === null) return;
    const ratio = globalThis.devicePixelRatio || 1;
    Object.assign(ctx.canvas, { width: size.width * ratio, height: size.height * ratio });
    drawMap(ctx, { paths: paths.current.read(layers), clusters, crafts, hub }, view, size, ratio);
  }, [layers, clusters, crafts, hub, view, size, theme]);

  const zoom = (factor: number) =>
    setView((old) => zoomedAt(old, size, factor, { x: size.width / 2, y: size.height / 2 }));
  const choose = (cluster: Cluster) => {
    if (isSpread(cluster)) setView((old) => zoomedTo(old, size, 2.5, cluster));
    else onChoose(cluster.members);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = MOVES[event.key];
    if (step !== undefined) setView((old) => moved(old, size, step));
    else if (event.key === "+" || event.key === "=") zoom(ZOOM_STEP);
    else if (event.key === "-") zoom(1 / ZOOM_STEP);
    else if (event.key === "0") setView(WHOLE_WORLD);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <section className="world-map panel" aria-label={label}>
      <canvas ref={canvas} />
      <div
        ref={surface}
        className="map-surface"
        role="application"
        aria-label={`${label}: arrow keys move it, plus and minus zoom, 0 shows the whole world, Tab goes to the stations`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved with the keyboard.
        tabIndex={0}
        onKeyDown={onKeyDown}
        {...useDrag((by) => setView((old) => moved(old, size, by)))}
      />
      <Markers
        clusters={clusters}
        view={view}
        size={size}
        onChoose={choose}
        onFar={(cluster) => setView((old) => zoomedTo(old, size, 1, cluster))}
        onLeave={() => surface.current?.focus()}
      />
      <CraftNames crafts={crafts} />
      <fieldset className="map-controls segments">
        <legend className="visually-hidden">Zoom</legend>
        <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => zoom(ZOOM_STEP)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => zoom(1 / ZOOM_STEP)}>
          −
        </button>
        <button type="button" title="The whole world (0)" onClick={() => setView(WHOLE_WORLD)}>
          World
        </button>
      </fieldset>
    </section>
  );
}

const MOVES: Record<string, Point> = {
  ArrowDown: { x: 0, y: -STEP },
  ArrowLeft: { x: STEP, y: 0 },
  ArrowRight: { x: -STEP, y: 0 },
  ArrowUp: { x: 0, y: STEP },
};

/** What is painted of spacecraft, for those who do not see it. */
function CraftNames({ crafts }: { crafts: readonly Craft[] }) {
  if (crafts.length === 0) return null;
  return (
    <ul className="visually-hidden" aria-label="Spacecraft on the map">
      {crafts.map((craft) => (
        <li key={craft.id}>
          {craft.name}: latitude {craft.latitude.toFixed(0)}°, longitude {craft.longitude.toFixed(0)}°,{" "}
          {craft.sunlit ? "in sunlight" : "in shadow"}
        </li>
      ))}
    </ul>
  );
}

function useDrag(onMove: (by: Point) => void) {
  const last = useRef<Point | null>(null);
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      last.current = { x: event.clientX, y: event.clientY };
    },
    onPointerMove: (event: PointerEvent) => {
      if (last.current === null) return;
      onMove({ x: event.clientX - last.current.x, y: event.clientY - last.current.y });
      last.current = { x: event.clientX, y: event.clientY };
    },
    onPointerUp: () => {
      last.current = null;
    },
    onPointerCancel: () => {
      last.current = null;
    },
  };
}

/** React listens to wheels passively; the page must not scroll while the map zooms. */
function useWheel(surface: { current: HTMLElement | null }, onZoom: (factor: number, at: Point) => void) {
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  useEffect(() => {
    const element = surface.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      zoom.current(Math.exp(-event.deltaY / 400), { x: event.clientX - left, y: event.clientY - top });
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [surface]);
}

function useAtRest(view: MapView, onView: ((view: MapView) => void) | undefined) {
  const tell = useRef(onView);
  tell.current = onView;
  const told = useRef(view);
  useEffect(() => {
    if (view === told.current) return;
    const timer = setTimeout(() => {
      told.current = view;
      tell.current?.(view);
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [view]);
}
