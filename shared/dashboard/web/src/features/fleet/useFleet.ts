// The rows of the fleet: stations as they are, judged part by part at most once a second.
import { useMemo } from "react";
import { useFrame } from "../../live/hooks";
import { useLoggedIn } from "../../session/access";
import { useStations } from "../stations/useStations";
import { type StationRow, stationRow } from "./status";

export interface Fleet {
  rows: readonly StationRow[] | null;
  /** Nothing can have been heard since, because the connection is frozen. */
  frozen: boolean;
  error: unknown;
  retry: () => void;
}

export function useFleet(): Fleet {
  const { server } = useLoggedIn().session;
  const { health, serverNow } = useFrame();
  const { nodes, error, retry } = useStations();
  const second = Math.floor(serverNow / 1000) * 1000;
  const state = health.state;
  const rows = useMemo(() => {
    // Only whether the connection stands counts for a row, and that does not change with each frame.
    const frame = { health: { state } as typeof health, serverNow: second };
    return nodes === null ? null : nodes.map((node) => stationRow(node, server, frame));
  }, [nodes, server, second, state]);
  return { rows, frozen: state !== "live", error, retry };
}
