// What nodes are called on the screen: people know sites, alarms know ids.
import { useQueries } from "@tanstack/react-query";
import { useCallback } from "react";
import { type NodeDetail, nodeQuery } from "../../api/fleet";
import { useNodes } from "../../live/hooks";

/** Hexadecimal digits of an id that are shown where no name is known. */
const DIGITS = 8;
/** The list of nodes has no ids: each node is asked for its own, once, in fleets up to this size. */
const ASKED_MAX = 64;

export type SiteOf = (node: string) => string;

/** `ids`: the nodes that are to be named, as alarms name them. */
export function useSites(ids: Iterable<string>): SiteOf {
  const nodes = useNodes() ?? [];
  const isNeeded = nodes.length <= ASKED_MAX && !isEmpty(ids);
  const sites = useQueries({
    queries: (isNeeded ? nodes : []).map((node) => ({
      ...nodeQuery(node.name),
      queryKey: ["node-id", node.name],
      staleTime: Number.POSITIVE_INFINITY,
      refetchInterval: false as const,
    })),
    combine: byId,
  });
  return useCallback((id) => sites.get(plain(id)) ?? `node ${id.slice(0, DIGITS)}`, [sites]);
}

function byId(details: readonly { data: NodeDetail | undefined }[]): ReadonlyMap<string, string> {
  return new Map(
    details.flatMap(({ data }) => (data?.id ? [[plain(data.id), data.node.site || data.node.name]] : [])),
  );
}

function isEmpty(ids: Iterable<string>): boolean {
  for (const _ of ids) return false;
  return true;
}

/** Identities are written with dashes, ids in alarms without. */
function plain(id: string): string {
  return id.replaceAll("-", "").toLowerCase();
}
