// A stretch of a band: what came, what did not and why, and what can be done about it.
import { Link } from "@tanstack/react-router";
import { useId } from "react";
import { count, plural } from "../../format/quantity";
import { clockTime, dateAndTime, parseTime } from "../../format/time";
import { Failure } from "../../shell/Notice";
import { writeMode } from "../../time/mode";
import type { BackfillRequest, CompletenessCounts, DeclaredGap } from "../../types";
import { nameOf } from "./BandTable";
import { FATE_MEANINGS, FATE_WORDS, type Fate, type Part } from "./bands";

interface Props {
  mission: string;
  part: Part;
  fates: readonly Fate[];
  counts: CompletenessCounts;
  gaps: readonly DeclaredGap[];
  requests: readonly BackfillRequest[];
  /** Why backfill cannot be asked for. */
  refusal: string | null;
  isAsking: boolean;
  error: unknown;
  onAsk: () => void;
  onClose: () => void;
}

const COUNT_WORDS: [keyof CompletenessCounts, string][] = [
  ["received_live", "came as received"],
  ["backfilled", "came later"],
  ["not_received", "not heard by the station"],
  ["damaged", "lost: could not be read at the station any more"],
  ["evicted", "lost: given up at the station for new ones"],
  ["forgotten", "lost: the hub was set back, and the station held them no longer"],
  ["quarantined", "of those that came are in quarantine"],
  ["duplicates", "of those that came are copies"],
];

const REQUEST_WORDS: Record<BackfillRequest["state"], string> = {
  asked: "asked; the station has not answered yet",
  expired: "given up after a day",
  "node-silent": "waits for the station's next session",
  "nothing-waits": "nothing of it waits at the station: the hub has what there is",
  served: "served: all that waited is here",
  "under-way": "under way",
};

export function PartView(props: Props) {
  const { mission, part, fates, counts, gaps, requests, refusal } = props;
  const reason = useId();
  const t = writeMode({ kind: "fixed", from: part.from, to: part.to });
  const apid = part.channel?.apid ?? undefined;
  return (
    <section className="panel part" aria-label="Part of the account">
      <header>
        <h2>
          <bdi>{part.node}</bdi>, <bdi>{nameOf(part)}</bdi>
        </h2>
        <span>
          {dateAndTime(part.from)} – {dateAndTime(part.to)}
        </span>
        <span className="grow" />
        <button
          type="button"
          aria-disabled={refusal !== null || props.isAsking}
          aria-describedby={refusal === null ? undefined : reason}
          title={refusal ?? "The station sends what it still has of these hours before the rest"}
          onClick={() => refusal === null && !props.isAsking && props.onAsk()}
        >
          Request backfill
        </button>
        <Link to="/m/$mission/explore" params={{ mission }} search={{ t }}>
          Plot there
        </Link>
        <Link
          to="/m/$mission/packets"
          params={{ mission }}
          search={{ t, node: part.node, ...(apid === undefined ? {} : { apid }) }}
        >
          Packets there
        </Link>
        <Link to="/m/$mission/events" params={{ mission }} search={{ t }}>
          Events there
        </Link>
        <button type="button" onClick={props.onClose}>
          Close
        </button>
      </header>
      {refusal === null ? null : (
        <p id={reason} className="faint">
          Backfill cannot be requested: {refusal}
        </p>
      )}
      {props.error === null ? null : <Failure error={props.error} />}
      <ul className="why">
        {fates.map((fate) => (
          <li key={fate}>
            <span className={`swatch fate ${fate}`} aria-hidden="true" /> <strong>{FATE_WORDS[fate]}</strong>:{" "}
            {FATE_MEANINGS[fate]}
          </li>
        ))}
      </ul>
      <ul className="counts">
        {COUNT_WORDS.filter(([name]) => counts[name] > 0).map(([name, words]) => (
          <li key={name}>
            <strong>{count(counts[name])}</strong> {words}
          </li>
        ))}
      </ul>
      {gaps.length === 0 ? null : (
        <ul aria-label="Losses that the station declared">
          {gaps.map((gap) => (
            <li key={`${gap.epoch} ${gap.lane} ${gap.first}`}>
              {gapText(gap)}{" "}
              <span className="faint">noticed at {dateAndTime(parseTime(gap.noticed_at))}</span>
            </li>
          ))}
        </ul>
      )}
      <ul aria-label="Requests for backfill" aria-live="polite">
        {requests.map((request) => (
          <li key={request.id}>
            Backfill of {dateAndTime(parseTime(request.from))} – {dateAndTime(parseTime(request.to))}:{" "}
            <strong>{REQUEST_WORDS[request.state] ?? request.state}</strong>
            {request.batches ? `, ${plural(request.batches, "batch")}` : ""}{" "}
            <span className="faint">
              asked by <bdi>{request.asked_by}</bdi> at {clockTime(parseTime(request.asked_at))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function gapText({ reason, records, first, last, received_before, received_after }: DeclaredGap): string {
  const between = [received_before, received_after].map((text) =>
    text ? dateAndTime(parseTime(text)) : "an unknown moment",
  );
  return `${plural(last - first + 1, "batch")} ${reason.replaceAll("-", " ")}, ${plural(records, "record")} as far as is known, received between ${between.join(" and ")}`;
}
