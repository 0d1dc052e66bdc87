// Fetches the history behind a live plot, again whenever the live stream may have lost something.
import { useQuery } from "@tanstack/react-query";
import { historyQuery } from "../../api/queries";
import { useFrame, useLive } from "../../live/hooks";
import { type Range, timeWindow } from "./range";

/** When no snapshot comes for so long, the history is shown without waiting for it. */
const PATIENCE_MS = 2_000;

interface Asked {
  mission: string;
  parameter: string;
  range: Range;
  end: number | null;
  points: number | null;
}

export function useHistory({ mission, parameter, range, end, points }: Asked) {
  const live = useLive();
  const frame = useFrame();
  const { trace } = live.feed;
  const generation = trace?.generation ?? 0;
  // Subscribed first and fetched then: the other way round, what is committed in between would be in neither.
  const subscribed = generation > 0;
  const waited = trace === null || frame.now - trace.startedAt > PATIENCE_MS;
  return useQuery({
    ...historyQuery({
      mission,
      parameter,
      windowName: end === null ? range : `${range}@${end}`,
      points: points ?? 0,
      generation,
      window: () => {
        const { serverNow } = live.frame();
        const newest = live.feed.latestOf(mission, parameter);
        const ahead = newest === null ? null : Date.parse(newest.generation_time) + 1;
        return timeWindow(range, end, serverNow, ahead);
      },
    }),
    enabled: points !== null && (subscribed || waited),
  });
}
