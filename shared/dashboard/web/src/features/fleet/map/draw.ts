// Draws the map. All paths are made once and only scaled here, so that a frame costs the same at any zoom.
import type { Status } from "../../../shell/status";
import type { Cluster } from "./clusters";
import { type MapSize, type MapView, type Place, scaleOf, toScreen } from "./view";

/** Paths in degrees, as `geometry.ts` makes them. */
export interface Layers {
  land: string;
  grid: string;
  /** Empty while it is not known where the Sun is. */
  night: string;
  terminator: string;
  circles: string;
  past: string;
  ahead: string;
  liveLinks: string;
  degradedLinks: string;
}

/** Paths that the browser has read, for as long as they are drawn. */
export class Paths {
  private known = new Map<string, Path2D>();

  read(layers: Layers): Record<keyof Layers, Path2D> {
    const kept = new Map<string, Path2D>();
    const entries = Object.entries(layers).map(([layer, text]: [string, string]) => {
      const path = this.known.get(text) ?? new Path2D(text);
      kept.set(text, path);
      return [layer, path];
    });
    this.known = kept;
    return Object.fromEntries(entries);
  }
}

export interface Craft extends Place {
  id: string;
  name: string;
  sunlit: boolean;
}

export interface Scene {
  paths: Record<keyof Layers, Path2D>;
  clusters: readonly Cluster[];
  crafts: readonly Craft[];
  hub: Place | null;
}

const SYMBOL = 7;
const LABEL_ROOM = 90;

export function drawMap(
  ctx: CanvasRenderingContext2D,
  { paths, clusters, crafts, hub }: Scene,
  view: MapView,
  size: MapSize,
  ratio: number,
): void {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const scale = scaleOf(view, size);
  const corner = toScreen(view, size, { latitude: 0, longitude: 0 });
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, size.width, size.height);
  ctx.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * corner.x, ratio * corner.y);
  const stroke = (path: Path2D, name: string, width: number, dash: readonly number[] = []) => {
    ctx.strokeStyle = colour(name);
    ctx.lineWidth = width / scale;
    ctx.setLineDash(dash.map((length) => length / scale));
    ctx.stroke(path);
  };
  ctx.fillStyle = colour("--map-sea");
  ctx.fillRect(-180, -90, 360, 180);
  ctx.fillStyle = colour("--map-land");
  ctx.fill(paths.land);
  stroke(paths.land, "--map-coast", 1);
  stroke(paths.grid, "--map-grid", 1);
  ctx.fillStyle = colour("--map-night");
  ctx.fill(paths.night);
  stroke(paths.terminator, "--map-terminator", 1, [2, 4]);
  stroke(paths.circles, "--map-circle", 1, [1, 3]);
  stroke(paths.past, "--map-track", 1, [2, 4]);
  stroke(paths.ahead, "--map-track", 1.75);
  stroke(paths.liveLinks, "--map-link", 1.25);
  stroke(paths.degradedLinks, "--map-link", 1.25, [5, 5]);
  ctx.setLineDash([]);

  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.font = `12px ${style.getPropertyValue("--font") || "sans-serif"}`;
  ctx.textBaseline = "middle";
  const write = (text: string, beside: number, y: number, away = 0) => {
    // Where the map ends on the right, names stand on the left.
    const { width } = ctx.measureText(text);
    const x = beside + width <= size.width ? beside : beside - width - 2 * away;
    // The line around the letters keeps them readable over coasts and tracks.
    ctx.lineWidth = 3;
    ctx.strokeStyle = colour("--map-sea");
    ctx.strokeText(text, x, y);
    ctx.fillStyle = colour("--text");
    ctx.fillText(text, x, y);
  };
  if (hub !== null) {
    const { x, y } = toScreen(view, size, hub);
    ctx.lineWidth = 2;
    ctx.strokeStyle = colour("--accent");
    ctx.strokeRect(x - 11, y - 11, 22, 22);
    write("hub", x + 15, y + 12, 15);
  }
  const isRoomy = clusters.length <= LABEL_ROOM;
  for (const cluster of clusters) {
    const { x, y } = toScreen(view, size, cluster);
    const count = cluster.members.length;
    const radius = count === 1 ? SYMBOL : SYMBOL + 2;
    if (count > 1) {
      ctx.fillStyle = colour("--panel");
      ctx.strokeStyle = colour("--muted");
      ctx.lineWidth = 1;
      disc(ctx, x, y, radius + 5);
      ctx.fill();
      ctx.stroke();
    }
    drawSymbol(ctx, cluster, x, y, radius, {
      fill: colour(`--${cluster.status === "invalid" ? "off" : cluster.status}`),
      edge: colour("--map-symbol-edge"),
    });
    if (count > 1) write(String(count), x + radius + 8, y, radius + 8);
    else if (isRoomy) write(cut(cluster.members[0]?.site ?? ""), x + radius + 4, y, radius + 4);
  }
  for (const craft of crafts) {
    const { x, y } = toScreen(view, size, craft);
    ctx.fillStyle = craft.sunlit ? colour("--map-track") : colour("--map-sea");
    ctx.strokeStyle = colour("--map-track");
    ctx.lineWidth = 2;
    ctx.beginPath();
    for (const [dx, dy] of STAR) ctx.lineTo(x + dx, y + dy);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
    write(cut(craft.name), x + 12, y - 10, 12);
  }
}

const STAR = [
  [0, -9],
  [2.5, -2.5],
  [9, 0],
  [2.5, 2.5],
  [0, 9],
  [-2.5, 2.5],
  [-9, 0],
  [-2.5, -2.5],
] as const;

/** The same shapes as `StatusSymbol`: critical is a triangle, serious a diamond, caution a square. */
function drawSymbol(
  ctx: CanvasRenderingContext2D,
  { status, hollow }: { status: Status; hollow: boolean },
  x: number,
  y: number,
  r: number,
  { fill, edge }: { fill: string; edge: string },
): void {
  outline(ctx, status, x, y, r);
  if (hollow || status === "off" || status === "invalid" || status === "standby") {
    ctx.lineWidth = 5;
    ctx.strokeStyle = edge;
    ctx.stroke();
    ctx.lineWidth = 2.5;
    ctx.strokeStyle = fill;
    ctx.stroke();
    if (status === "standby") {
      disc(ctx, x, y, r * 0.35);
      ctx.fillStyle = fill;
      ctx.fill();
    }
    return;
  }
  ctx.lineWidth = 3;
  ctx.strokeStyle = edge;
  ctx.stroke();
  ctx.fillStyle = fill;
  ctx.fill();
}

function outline(ctx: CanvasRenderingContext2D, status: Status, x: number, y: number, r: number): void {
  ctx.beginPath();
  switch (status) {
    case "critical":
      ctx.moveTo(x, y - r);
      ctx.lineTo(x + r, y + r * 0.85);
      ctx.lineTo(x - r, y + r * 0.85);
      break;
    case "serious":
      ctx.moveTo(x, y - r);
      ctx.lineTo(x + r, y);
      ctx.lineTo(x, y + r);
      ctx.lineTo(x - r, y);
      break;
    case "caution":
      ctx.rect(x - r * 0.8, y - r * 0.8, r * 1.6, r * 1.6);
      return;
    case "invalid":
      ctx.moveTo(x - r * 0.7, y - r * 0.7);
      ctx.lineTo(x + r * 0.7, y + r * 0.7);
      ctx.moveTo(x + r * 0.7, y - r * 0.7);
      ctx.lineTo(x - r * 0.7, y + r * 0.7);
      return;
    default:
      disc(ctx, x, y, r * 0.85);
      return;
  }
  ctx.closePath();
}

function disc(ctx: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
}

/** Sites have up to 64 bytes; the whole name stands in the label of the symbol's button. */
function cut(text: string): string {
  return text.length <= 24 ? text : `${text.slice(0, 23)}…`;
}
