// Where a moment lies to a pass, in words.
import { duration } from "../../format/time";
import type { Status } from "../../shell/StatusSymbol";
import type { Pass } from "../../types";
import { phaseAt, spanOf } from "../passes/pass";

/** By the time shown, not by when the server was asked. */
export function phaseOf(pass: Pass, now: number): { status: Status; text: string } {
  const { from, to } = spanOf(pass);
  switch (phaseAt(pass, now)) {
    case "past":
      return { status: "off", text: `${duration(now - to)} ago` };
    case "to-come":
      return { status: "standby", text: `in ${duration(from - now)}` };
    case "under-way":
      return {
        status: "normal",
        text: Number.isFinite(to) ? `under way, ${duration(to - now)} left` : "under way",
      };
  }
}
