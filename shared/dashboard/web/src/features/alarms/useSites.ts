// What nodes are called on the screen: people know sites, alarms know ids.
import { useCallback, useMemo } from "react";
import { useNodes } from "../../live/hooks";

/** Hexadecimal digits of an id that are shown where no name is known. */
const DIGITS = 8;

export type SiteOf = (node: string) => string;

export function useSites(): SiteOf {
  const nodes = useNodes() ?? [];
  // Nodes are told anew each second, and are rarely called otherwise.
  const names = JSON.stringify(
    nodes.flatMap(({ id, site, name }) => (id ? [[plain(id), site || name]] : [])),
  );
  const sites = useMemo(() => new Map<string, string>(JSON.parse(names)), [names]);
  return useCallback((id) => sites.get(plain(id)) ?? `node ${id.slice(0, DIGITS)}`, [sites]);
}

/** Identities are written with dashes, ids in alarms without. */
function plain(id: string): string {
  return id.replaceAll("-", "").toLowerCase();
}
