// What part of the world a map shows. A degree of longitude is as wide as one of latitude is high, and the world ends
// at 180 degrees: so moving and zooming only moves and scales what was drawn once.

export interface Place {
  latitude: number;
  longitude: number;
}

export interface MapView extends Place {
  /** 1 shows the whole world. */
  zoom: number;
}

export interface MapSize {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

export const WHOLE_WORLD: MapView = { latitude: 0, longitude: 0, zoom: 1 };
/** The outlines have points about 100 km apart: closer up they say nothing more. */
export const ZOOM_MAX = 64;

/** Pixels for a degree. */
export function scaleOf(view: MapView, { width, height }: MapSize): number {
  return view.zoom * Math.min(width / 360, height / 180);
}

export function toScreen(view: MapView, size: MapSize, place: Place): Point {
  const scale = scaleOf(view, size);
  return {
    x: size.width / 2 + (place.longitude - view.longitude) * scale,
    y: size.height / 2 - (place.latitude - view.latitude) * scale,
  };
}

/** Moves the map by pixels: what lay under the pointer stays under it. */
export function moved(view: MapView, size: MapSize, by: Point): MapView {
  const scale = scaleOf(view, size);
  return clamped(
    { ...view, longitude: view.longitude - by.x / scale, latitude: view.latitude + by.y / scale },
    size,
  );
}

/** Zooms so that what lies at `point` stays there, as far as the edges of the world let it. */
export function zoomedAt(view: MapView, size: MapSize, factor: number, point: Point): MapView {
  const before = scaleOf(view, size);
  const zoom = Math.min(ZOOM_MAX, Math.max(1, view.zoom * factor));
  const after = scaleOf({ ...view, zoom }, size);
  const shift = 1 / before - 1 / after;
  return clamped(
    {
      zoom,
      longitude: view.longitude + (point.x - size.width / 2) * shift,
      latitude: view.latitude - (point.y - size.height / 2) * shift,
    },
    size,
  );
}

/** Zooms to a place in the middle. */
export function zoomedTo(view: MapView, size: MapSize, factor: number, place: Place): MapView {
  return clamped({ ...place, zoom: Math.min(ZOOM_MAX, Math.max(1, view.zoom * factor)) }, size);
}

/** Nothing beyond the edges of the world is shown where the world is larger than the map. */
export function clamped(view: MapView, size: MapSize): MapView {
  const scale = scaleOf(view, size);
  return {
    zoom: view.zoom,
    longitude: within(view.longitude, 180 - size.width / 2 / scale),
    latitude: within(view.latitude, 90 - size.height / 2 / scale),
  };
}

function within(value: number, room: number): number {
  return room <= 0 ? 0 : Math.min(room, Math.max(-room, value));
}

/** `60.1,-12.5,4` in the address. */
export function writeView({ latitude, longitude, zoom }: MapView): string {
  return [latitude, longitude, zoom].map((number) => Number(number.toFixed(2))).join(",");
}

export function readView(text: unknown): MapView | null {
  if (typeof text !== "string") return null;
  const [latitude, longitude, zoom, ...rest] = text.split(",").map(Number);
  if (latitude === undefined || longitude === undefined || zoom === undefined || rest.length > 0) return null;
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 && zoom >= 1 && zoom <= ZOOM_MAX)) return null;
  return { latitude, longitude, zoom };
}
