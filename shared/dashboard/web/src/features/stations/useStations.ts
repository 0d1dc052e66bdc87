// All nodes as they are now: asked for once, then followed through the heartbeat.
import { useQuery } from "@tanstack/react-query";
import { nodesQuery } from "../../api/queries";
import { useNodes } from "../../live/hooks";
import type { Node } from "../../types";

export interface Stations {
  /** `null` while nothing has come. */
  nodes: readonly Node[] | null;
  error: unknown;
  retry: () => void;
}

export function useStations(): Stations {
  const live = useNodes();
  const fetched = useQuery(nodesQuery);
  return {
    nodes: live ?? fetched.data?.nodes ?? null,
    error: fetched.error,
    retry: () => void fetched.refetch(),
  };
}
