// Fetches what is known of a stretch of a band: declared losses, and backfill that was asked for.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { askForBackfill, backfillQuery, gapsQuery } from "../../api/completeness";
import { parseTime } from "../../format/time";
import { useRefusal } from "../../session/access";
import type { Node } from "../../types";
import { type Bands, type Part, pendingOf, type Run, sumOf } from "./bands";
import { PartView } from "./PartView";

interface Props {
  mission: string;
  part: Part;
  bands: Bands;
  node: Node | null;
  onClose: () => void;
}

export function PartDetail({ mission, part, bands, node, onClose }: Props) {
  const client = useQueryClient();
  const gaps = useQuery(gapsQuery(mission, part.from, part.to));
  const backfill = useQuery(backfillQuery(mission));
  const mayNot = useRefusal("operate");
  const asking = useMutation({
    mutationFn: () =>
      askForBackfill(mission, {
        node: part.node,
        from: new Date(part.from).toISOString(),
        to: new Date(part.to).toISOString(),
      }),
    onSettled: () => void client.invalidateQueries({ queryKey: backfillQuery(mission).queryKey }),
  });
  const station = bands.stations.find((known) => known.station.node === part.node);
  const runs = runsOf(part, bands);
  const isPending = station !== undefined && pendingOf(station.station, node) !== null;
  const nothingWaits =
    (station?.station.waiting?.records ?? 0) === 0 && !isPending
      ? `${part.node} has told that nothing waits there.`
      : null;
  return (
    <PartView
      mission={mission}
      part={part}
      fates={[...new Set(runs.map((run) => run.fate))]}
      counts={sumOf(runs.map((run) => run.counts))}
      gaps={(gaps.data?.gaps ?? []).filter((gap) => gap.node === part.node)}
      requests={(backfill.data?.requests ?? []).filter(
        (request) =>
          request.node === part.node &&
          parseTime(request.from) < part.to &&
          parseTime(request.to) > part.from,
      )}
      refusal={mayNot ?? nothingWaits}
      isAsking={asking.isPending}
      error={asking.error ?? gaps.error ?? backfill.error}
      onAsk={() => asking.mutate()}
      onClose={onClose}
    />
  );
}

/** The account may have changed since the address was written: what of it lies in the stretch now. */
function runsOf(part: Part, bands: Bands): Run[] {
  const station = bands.stations.find((known) => known.station.node === part.node);
  const band =
    part.channel === null
      ? station?.total
      : station?.channels.find(
          ({ channel }) => channel?.apid === part.channel?.apid && channel?.link === part.channel?.link,
        );
  return (band?.runs ?? []).filter((run) => run.from < part.to && run.to > part.from);
}
