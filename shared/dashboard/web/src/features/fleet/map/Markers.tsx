// The buttons over the painted symbols. One of them is reached with Tab; arrow keys go to its neighbours.
import { type KeyboardEvent, memo, useCallback, useMemo, useRef, useState } from "react";
import { plural } from "../../../format/quantity";
import { type Cluster, type Direction, isSpread, neighbour } from "./clusters";
import { type MapSize, type MapView, scaleOf, toScreen } from "./view";

interface Props {
  clusters: readonly Cluster[];
  view: MapView;
  size: MapSize;
  onChoose: (cluster: Cluster) => void;
  /** The keyboard went to a symbol that is not in sight. */
  onFar: (cluster: Cluster) => void;
  onLeave: () => void;
}

const DIRECTIONS: Record<string, Direction> = {
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
};

export function Markers({ clusters, view, size, onChoose, onFar, onLeave }: Props) {
  const list = useRef<HTMLUListElement>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const home = clusters.find((cluster) => cluster.id === current) ?? clusters[0];
  // Buttons are painted again only when they say something else, so they find what a click means through this.
  const latest = useRef({ clusters, onChoose });
  latest.current = { clusters, onChoose };
  const choose = useCallback((id: string) => {
    const cluster = latest.current.clusters.find((one) => one.id === id);
    if (cluster !== undefined) latest.current.onChoose(cluster);
  }, []);
  const scale = scaleOf(view, size);
  const homeId = home?.id;
  // Moving the map moves the list as one; its buttons are looked at only when they are others.
  const buttons = useMemo(
    () =>
      clusters.map((cluster) => (
        <Marker
          key={cluster.id}
          cluster={cluster}
          scale={scale}
          isHome={cluster.id === homeId}
          onChoose={choose}
          onFocus={setCurrent}
        />
      )),
    [clusters, scale, homeId, choose],
  );
  const origin = toScreen(view, size, { latitude: 0, longitude: 0 });

  const goTo = (cluster: Cluster) => {
    setCurrent(cluster.id);
    const { x, y } = toScreen(view, size, cluster);
    if (x < 0 || y < 0 || x > size.width || y > size.height) onFar(cluster);
    const index = clusters.indexOf(cluster);
    list.current?.querySelectorAll("button")[index]?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = DIRECTIONS[event.key];
    if (direction !== undefined && home !== undefined) {
      const next = neighbour(clusters, home, direction);
      if (next !== null) goTo(next);
    } else if (event.key === "Escape") onLeave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="map-markers">
      <ul
        ref={list}
        aria-label="Stations on the map"
        style={{ transform: `translate(${origin.x}px, ${origin.y}px)` }}
        onKeyDown={onKeyDown}
      >
        {buttons}
      </ul>
    </div>
  );
}

interface MarkerProps {
  cluster: Cluster;
  scale: number;
  isHome: boolean;
  onChoose: (id: string) => void;
  onFocus: (id: string) => void;
}

const Marker = memo(
  function Marker({ cluster, scale, isHome, onChoose, onFocus }: MarkerProps) {
    const text = clusterText(cluster);
    return (
      <li style={{ left: cluster.longitude * scale, top: -cluster.latitude * scale }}>
        <button
          type="button"
          tabIndex={isHome ? 0 : -1}
          title={text}
          aria-label={text}
          onFocus={() => onFocus(cluster.id)}
          onClick={() => onChoose(cluster.id)}
        />
      </li>
    );
  },
  (a, b) =>
    a.scale === b.scale &&
    a.isHome === b.isHome &&
    (a.cluster === b.cluster ||
      (a.cluster.longitude === b.cluster.longitude &&
        a.cluster.latitude === b.cluster.latitude &&
        clusterText(a.cluster) === clusterText(b.cluster))),
);

const NAMED = 3;

export function clusterText(cluster: Cluster): string {
  const [first] = cluster.members;
  if (first !== undefined && cluster.members.length === 1)
    return `${first.site}, ${first.id}: ${first.word}${first.hollow ? ", last known" : ""}`;
  const names = cluster.members.slice(0, NAMED).map(({ id }) => id);
  const more = cluster.members.length - names.length;
  const worst = cluster.members.find((site) => site.status === cluster.status);
  return [
    `${plural(cluster.members.length, "station")}: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
    `worst ${worst?.id}: ${worst?.word}`,
    isSpread(cluster) ? "zooms in" : "all at one place",
  ].join("; ");
}
