// What came of what there was: bands of each station and APID, what is missing and why, and asking for it.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { completenessQuery } from "../../api/completeness";
import { clockTime, dateAndTime, parseTime } from "../../format/time";
import { useFrame, useNodes } from "../../live/hooks";
import { useLoggedIn } from "../../session/access";
import { Failure, Loading } from "../../shell/Notice";
import { useTime } from "../../time/useTime";
import type { Completeness, Node } from "../../types";
import { AccountList } from "./AccountList";
import { BandTable } from "./BandTable";
import { bandsOf, readPart, writePart } from "./bands";
import { Legend } from "./Legend";
import { PartDetail } from "./PartDetail";
import { accountSpan, unitOf } from "./span";
import { Totals } from "./Totals";
import "./completeness.css";

const route = getRouteApi("/m/$mission/data");
const NO_NODES: readonly Node[] = [];

export function CompletenessPage() {
  const { mission } = route.useParams();
  const { server } = useLoggedIn().session;
  if (server.kind === "edge")
    return (
      <>
        <h1>Completeness</h1>
        <p className="empty">
          The account of what came of what there was is kept at the hub. What waits here is on the page of
          this station.
        </p>
      </>
    );
  return <Account key={mission} mission={mission} />;
}

function Account({ mission }: { mission: string }) {
  const { mode, now, window: shown } = useTime();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const span = accountSpan(mode, now, shown);
  const account = useQuery(completenessQuery(mission, span, unitOf(span), mode.kind === "live"));
  const isList = search.view === "list";
  return (
    <>
      <header className="page-head">
        <h1>Completeness</h1>
        <span className="faint">
          {mission} · received {dateAndTime(span.from)} – {dateAndTime(Math.min(span.to, now))} · by{" "}
          {account.data?.by === "day" ? "day" : "hour"}
          {account.data?.counted_at
            ? ` · counted up to ${clockTime(parseTime(account.data.counted_at))}`
            : ""}
        </span>
        <span className="grow" />
        <button
          type="button"
          aria-pressed={isList}
          onClick={() =>
            void navigate({ search: (old) => ({ ...old, view: isList ? undefined : "list" }), replace: true })
          }
        >
          Show as list
        </button>
      </header>
      {mode.kind === "replay" ? (
        <p className="notice caution" role="note">
          Hours up to {dateAndTime(now)}, the last one as a whole, with what is known of them today.
        </p>
      ) : null}
      {account.isError ? <Failure error={account.error} onRetry={() => void account.refetch()} /> : null}
      {account.isPending ? <Loading what="the account" /> : null}
      {account.data === undefined ? null : (
        <Shown mission={mission} answer={account.data} isList={isList} closed={search.closed ?? []} />
      )}
    </>
  );
}

interface ShownProps {
  mission: string;
  answer: Completeness;
  isList: boolean;
  closed: readonly string[];
}

function Shown({ mission, answer, isList, closed }: ShownProps) {
  const { serverNow } = useFrame();
  const nodes = useNodes() ?? NO_NODES;
  const { part: written } = route.useSearch();
  const navigate = route.useNavigate();
  const minute = Math.ceil(serverNow / 60_000) * 60_000;
  const bands = useMemo(() => bandsOf(answer, nodes, minute), [answer, nodes, minute]);
  const part = readPart(written);
  if (answer.stations.length === 0)
    return (
      <p className="empty">No station received anything of {mission} in this span, as far as is known.</p>
    );
  return (
    <>
      <Totals mission={mission} stations={answer.stations} />
      {isList ? (
        <AccountList mission={mission} answer={answer} />
      ) : (
        <>
          <BandTable
            mission={mission}
            bands={bands}
            closed={closed}
            chosen={part === null ? null : writePart(part)}
            onToggle={(node) =>
              void navigate({
                search: (old) => ({
                  ...old,
                  closed: closed.includes(node) ? closed.filter((name) => name !== node) : [...closed, node],
                }),
                replace: true,
              })
            }
          />
          <Legend />
        </>
      )}
      {part === null ? null : (
        <PartDetail
          key={written}
          mission={mission}
          part={part}
          bands={bands}
          node={nodes.find((node) => node.name === part.node) ?? null}
          onClose={() => void navigate({ search: (old) => ({ ...old, part: undefined }), replace: true })}
        />
      )}
    </>
  );
}
