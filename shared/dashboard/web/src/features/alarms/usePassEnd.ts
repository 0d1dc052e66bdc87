// Asks when the pass is over that alarms of a mission are watched in.
import { useQuery } from "@tanstack/react-query";
import { explain } from "../../api/client";
import { passesQuery } from "../../api/passes";
import { useNodes } from "../../live/hooks";
import { type PassEnd, passEnd } from "./shelving";

const AHEAD_MS = 24 * 3_600_000;
/** The question stays the same for so long. */
const STEP_MS = 10 * 60_000;

export interface OfPass {
  mission: string;
  /** The node that the alarm is about: only its station's passes count. */
  node?: string | null | undefined;
}

/** Of alarms of one mission; of several missions there is no one pass. */
export function usePassEnd(of: readonly OfPass[], serverNow: number): PassEnd {
  const missions = [...new Set(of.map(({ mission }) => mission))];
  const [mission] = missions;
  const from = Math.floor(serverNow / STEP_MS) * STEP_MS;
  const asked = useQuery({
    ...passesQuery(mission ?? "", from, from + AHEAD_MS + STEP_MS),
    enabled: missions.length === 1,
  });
  const nodes = useNodes() ?? [];
  if (missions.length !== 1) return { refusal: "The alarms are of several missions." };
  if (asked.data === undefined)
    return {
      refusal: asked.isError
        ? `Passes are not known: ${explain(asked.error).detail}`
        : "Passes are asked for.",
    };
  const stations = new Set(of.map(({ node }) => node ?? null));
  if (stations.size > 1) return { refusal: "The alarms are about several stations." };
  const [about = null] = stations;
  const station = about === null ? null : nodes.find(({ id }) => id?.replaceAll("-", "") === about)?.name;
  const passes = asked.data.passes.filter((pass) => about === null || pass.station === station);
  return passEnd(passes, serverNow);
}
