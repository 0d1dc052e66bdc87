// What is said of how long a backlog lasts. The node measures and judges; here it only gets words and a symbol.
import { wholeDuration } from "../../format/time";
import type { Status } from "../../shell/StatusSymbol";
import type { Backlog } from "../../types";

export interface OutlookView {
  status: Status;
  text: string;
  why?: string | undefined;
}

const HOUR_S = 3_600;

/** Nodes of older software say nothing about it, which is the same as not knowing. */
export function drainView({ batches, drain }: Backlog): OutlookView {
  if (batches === 0) return { status: "normal", text: "nothing waits" };
  switch (drain?.kind) {
    case "after":
      return {
        status: "normal",
        text: `in ${wholeDuration(drain.seconds * 1000)}`,
        why: "if the rates stay",
      };
    case "disconnected":
      return { status: "serious", text: "not now", why: "There is no session with the hub." };
    case "empty":
      return { status: "normal", text: "nothing waits" };
    case "keeps-up":
      return { status: "normal", text: "keeps up", why: "No more waits than came in within 5 seconds." };
    case "never":
      return { status: "serious", text: "never at this rate", why: "As much comes in as goes out, or more." };
    case "paused":
      return { status: "caution", text: "not now: paused", why: "Somebody holds the backlog back." };
    default:
      return { status: "off", text: "not known yet", why: "Nothing was measured for 3 seconds yet." };
  }
}

/** Nothing while there is nothing to fear. */
export function fullView({ full_in_s: seconds, room_bytes: room }: Backlog): OutlookView | null {
  if (room === 0)
    return { status: "critical", text: "now", why: "It takes nothing more, or gives up the oldest." };
  if (seconds === null || seconds === undefined) return null;
  const status = seconds < HOUR_S ? "critical" : seconds < 24 * HOUR_S ? "serious" : "caution";
  return { status, text: `in ${wholeDuration(seconds * 1000)}`, why: "if the rates stay" };
}
