// What waits at a station, how fast it comes and goes, and how long it lasts. The same at the hub and at the node.
import { bytes, count, rate } from "../../format/quantity";
import { duration, parseTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import type { Backlog } from "../../types";
import { drainView, fullView, type OutlookView } from "./backlog";
import { Metric } from "./Metric";

interface Props {
  backlog: Backlog;
  stale: boolean;
  serverNow: number;
}

export function BacklogMetrics({ backlog, stale, serverNow }: Props) {
  const rates = backlog.rates ?? null;
  const older = backlog.older_journals ?? 0;
  const full = fullView(backlog);
  return (
    <>
      <Metric label="Backlog" value={count(backlog.packets)} unit="packets" />
      <Metric label="Backlog batches" value={count(backlog.batches)} />
      <Metric label="Backlog size" value={bytes(backlog.bytes)} />
      <Metric
        label="Oldest waiting"
        value={backlog.oldest ? duration(serverNow - parseTime(backlog.oldest)) : oldestText(backlog)}
        title={backlog.oldest ?? undefined}
      />
      {rates === null ? null : (
        <>
          <Metric
            label="Into the backlog"
            value={rate(rates.packets_in_per_s)}
            unit="packets/s"
            title={`${bytes(Math.round(rates.bytes_in_per_s))}/s`}
          />
          <Metric
            label="Out of the backlog"
            value={rate(rates.packets_out_per_s)}
            unit="packets/s"
            title={`${bytes(Math.round(rates.bytes_out_per_s))}/s`}
          />
        </>
      )}
      <Outlook label="Backlog drains" view={drainView(backlog)} stale={stale} />
      {full === null ? null : <Outlook label="Journal full" view={full} stale={stale} />}
      {older === 0 ? null : <Metric label="Older journals" value={count(older)} unit="waiting" />}
    </>
  );
}

function oldestText({ batches }: Backlog): string {
  return batches === 0 ? "nothing waits" : "not known";
}

function Outlook({ label, view, stale }: { label: string; view: OutlookView; stale: boolean }) {
  return (
    <div title={view.why}>
      <dt>{label}</dt>
      <dd>
        <StatusSymbol status={view.status} hollow={stale} /> {view.text}
      </dd>
    </div>
  );
}
