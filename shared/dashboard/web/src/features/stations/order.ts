// In which order stations are listed: what needs a human first.
import { parseTime } from "../../format/time";
import { rankOf } from "../../shell/status";
import type { Node } from "../../types";
import { fullView } from "./backlog";
import { STATE_STATUS } from "./station";

export const SORT_TITLES = {
  site: "By site",
  name: "By name",
  connection: "The worst connections first",
  contact: "Those heard of the longest ago first",
  backlog: "Those with the most packets waiting first",
  oldest: "Those with the oldest packets waiting first",
  full: "Those whose journal is full the soonest first",
  certificate: "Those whose certificate ends the soonest first",
} as const;

export type NodesSort = keyof typeof SORT_TITLES;

export function isNodesSort(value: unknown): value is NodesSort {
  return typeof value === "string" && Object.hasOwn(SORT_TITLES, value);
}

const LAST = Number.POSITIVE_INFINITY;

/** The smaller, the further up. */
const KEYS: Record<Exclude<NodesSort, "name" | "site">, (node: Node) => number> = {
  connection: (node) => rankOf(STATE_STATUS[node.state]),
  contact: (node) => (node.last_contact ? parseTime(node.last_contact) : -1),
  backlog: (node) => -(node.report?.backlog.packets ?? 0),
  oldest: (node) => (node.report?.backlog.oldest ? parseTime(node.report.backlog.oldest) : LAST),
  full: ({ report }) =>
    !report || fullView(report.backlog) === null ? LAST : (report.backlog.full_in_s ?? 0),
  certificate: (node) => node.report?.certificate_days ?? LAST,
};

export function foundNodes(nodes: readonly Node[], q: string, sort: NodesSort): Node[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = nodes.filter((node) => {
    const text = `${node.site} ${node.name} ${node.state}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const byName = (a: Node, b: Node) => compare(a.name, b.name);
  const bySite = (a: Node, b: Node) => compare(a.site, b.site) || byName(a, b);
  if (sort === "name") return hits.sort(byName);
  if (sort === "site") return hits.sort(bySite);
  const key = KEYS[sort];
  return hits.sort((a, b) => compare(key(a), key(b)) || bySite(a, b));
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
