// All about one station: what the heartbeat says of it each second, and what the server knows beside that.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type NodeDetail, nodeQuery } from "../../api/fleet";
import type { Frame } from "../../live/client";
import { useFrame } from "../../live/hooks";
import { useLoggedIn } from "../../session/access";
import { Failure, Loading } from "../../shell/Notice";
import type { Node, Server } from "../../types";
import "./stations.css";
import { BacklogTab } from "./BacklogTab";
import { ConfigurationTab } from "./ConfigurationTab";
import { EventsTab } from "./EventsTab";
import { GapsTab } from "./GapsTab";
import { HealthTab } from "./HealthTab";
import { NodeActions } from "./NodeActions";
import { NodeHeader } from "./NodeHeader";
import { PassesTab } from "./PassesTab";
import { TABS, type Tab } from "./tabs";
import { useStations } from "./useStations";

export function NodePage({ name, tab }: { name: string; tab: Tab }) {
  const { server } = useLoggedIn().session;
  const frame = useFrame();
  const { nodes } = useStations();
  const asked = useQuery(nodeQuery(name));
  const detail = asked.data ?? null;
  const node = nodes?.find((one) => one.name === name) ?? detail?.node ?? null;
  if (node === null)
    return asked.isError ? (
      <Failure error={asked.error} onRetry={() => void asked.refetch()} />
    ) : (
      <Loading what="station" />
    );
  return (
    <>
      <NodeHeader node={node} server={server.kind} frame={frame} />
      <nav className="tabs" aria-label="Parts of the station's page">
        {(Object.keys(TABS) as Tab[]).map((one) => (
          <Link
            key={one}
            to="."
            search={(old: Record<string, unknown>) => ({ ...old, tab: one })}
            aria-current={one === tab ? "page" : undefined}
          >
            {TABS[one]}
          </Link>
        ))}
      </nav>
      {asked.isError ? (
        <Failure error={asked.error} onRetry={() => void asked.refetch()} />
      ) : detail === null ? (
        <Loading what="station" />
      ) : null}
      <TabOf tab={tab} node={node} detail={detail} server={server} frame={frame} />
    </>
  );
}

export interface TabProps {
  node: Node;
  /** `null` while it is asked for, or when the server does not say. */
  detail: NodeDetail | null;
  server: Server;
  frame: Frame;
}

function TabOf({ tab, ...props }: TabProps & { tab: Tab }) {
  switch (tab) {
    case "actions":
      return <NodeActions {...props} />;
    case "backlog":
      return <BacklogTab {...props} />;
    case "configuration":
      return <ConfigurationTab {...props} />;
    case "events":
      return <EventsTab {...props} />;
    case "gaps":
      return <GapsTab {...props} />;
    case "health":
      return <HealthTab {...props} />;
    case "passes":
      return <PassesTab {...props} />;
  }
}
