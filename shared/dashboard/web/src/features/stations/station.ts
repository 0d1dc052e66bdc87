// What a station's state means on the screen, and when what is known of it has become old.
import { parseTime } from "../../format/time";
import type { Frame } from "../../live/client";
import type { Status } from "../../shell/StatusSymbol";
import type { Node, NodeState, Server } from "../../types";

/** A node reports every second while its session is open; ten missed reports are no hiccup. */
const STALE_MS = 10_000;

export const STATE_WORDS: Record<NodeState, string> = {
  connected: "connected",
  disconnected: "disconnected",
  "never-connected": "never connected",
  "not-enrolled": "not enrolled",
  revoked: "revoked",
};

export const STATE_STATUS: Record<NodeState, Status> = {
  connected: "normal",
  disconnected: "serious",
  "never-connected": "off",
  "not-enrolled": "standby",
  revoked: "critical",
};

/** When the information shown was true: a node's own page reads itself, the hub hears of it. */
export function informationTime(node: Node, server: Server["kind"]): number | null {
  const at = server === "edge" ? (node.report?.at ?? node.last_contact) : node.last_contact;
  return at === null || at === undefined ? null : parseTime(at);
}

export interface Information {
  age: number | null;
  stale: boolean;
}

export function information(
  node: Node,
  server: Server["kind"],
  frame: Pick<Frame, "health" | "serverNow">,
): Information {
  const at = informationTime(node, server);
  const age = at === null ? null : frame.serverNow - at;
  return { age, stale: frame.health.state !== "live" || age === null || age > STALE_MS };
}

export interface CertificateView {
  status: Status;
  text: string;
}

export function certificate(days: number | null | undefined): CertificateView {
  if (days === null || days === undefined) return { status: "off", text: "none" };
  if (days < 0) return { status: "critical", text: `ended ${-days} d ago` };
  const status = days <= 2 ? "critical" : days <= 7 ? "serious" : days <= 14 ? "caution" : "normal";
  return { status, text: `${days} d left` };
}
