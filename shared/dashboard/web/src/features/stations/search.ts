// What the addresses of the stations' pages hold.
import { isNodesSort, type NodesSort } from "./order";
import { TABS, type Tab } from "./tabs";

export interface NodesSearch {
  q?: string;
  sort?: NodesSort;
  /** At a station alone, whose own page this is. */
  tab?: Tab;
}

export function nodesSearch(search: { [name in keyof NodesSearch]?: unknown }): NodesSearch {
  return {
    ...(search.q === undefined || search.q === "" ? {} : { q: String(search.q) }),
    ...(isNodesSort(search.sort) && search.sort !== "site" ? { sort: search.sort } : {}),
    ...tabSearch(search),
  };
}

export function tabSearch({ tab }: { tab?: unknown }): { tab?: Tab } {
  return typeof tab === "string" && Object.hasOwn(TABS, tab) && tab !== "health" ? { tab: tab as Tab } : {};
}
