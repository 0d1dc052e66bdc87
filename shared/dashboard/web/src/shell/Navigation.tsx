// Where one can go: the fleet, one mission, the server.
import { useQuery } from "@tanstack/react-query";
import { Link, type LinkProps, useNavigate, useParams } from "@tanstack/react-router";
import { missionsQuery } from "../api/queries";
import type { Server } from "../types";
import { useCurrentMission } from "./mission";

type To = NonNullable<LinkProps["to"]>;

const OF_MISSION: readonly [to: To, text: string, atHub: boolean][] = [
  ["/m/$mission/d", "Dashboards", false],
  ["/m/$mission/parameters", "Parameters", false],
  ["/m/$mission/alarms", "Alarms", false],
  ["/m/$mission/explore", "Explore", false],
  ["/m/$mission/data", "Completeness", true],
  ["/m/$mission/events", "Events", true],
  ["/m/$mission/limits", "Limits", true],
  ["/m/$mission/rules", "Rules", false],
  ["/m/$mission/packets", "Packets", true],
  ["/m/$mission/passes", "Passes", true],
  ["/m/$mission/orbit", "Orbit", true],
];

export function Navigation({ server }: { server: Server }) {
  const mission = useCurrentMission();
  const isHub = server.kind === "hub";
  return (
    <nav aria-label="Main" className="side">
      <Section>
        {isHub ? <Entry to="/" text="Overview" exact /> : null}
        {isHub ? <Entry to="/fleet" text="Fleet map" /> : null}
        <Entry to="/nodes" text={isHub ? "Nodes" : "Station"} />
      </Section>
      <MissionChoice mission={mission} />
      {mission === null ? null : (
        <Section>
          {OF_MISSION.filter(([, , atHub]) => isHub || !atHub).map(([to, text]) => (
            <Entry key={to} to={to} text={text} params={{ mission }} />
          ))}
        </Section>
      )}
      <Section>
        {isHub ? <Entry to="/admin" text="Administration" /> : null}
        <Entry to="/help/$" text="Help" params={{ _splat: "introduction" }} />
        <li>
          <a href="/api/docs">API reference</a>
        </li>
      </Section>
    </nav>
  );
}

function Section({ children }: { children: React.ReactNode }) {
  return <ul>{children}</ul>;
}

interface EntryProps {
  to: To;
  text: string;
  params?: Record<string, string>;
  exact?: boolean;
}

function Entry({ to, text, params, exact = false }: EntryProps) {
  return (
    <li>
      <Link
        {...({ to, params } as LinkProps)}
        activeOptions={{ exact, includeSearch: false }}
        activeProps={{ "aria-current": "page" }}
      >
        {text}
      </Link>
    </li>
  );
}

/** Leads to the same page of another mission; what belongs to one mission alone stays behind. */
function MissionChoice({ mission }: { mission: string | null }) {
  const missions = useQuery(missionsQuery);
  const navigate = useNavigate();
  const params = useParams({ strict: false }) as { mission?: string; dashboard?: string };
  if (missions.data === undefined || missions.data.length === 0) return null;
  const known = missions.data.some(({ name }) => name === mission);
  return (
    <label className="mission-choice">
      <span>Mission</span>
      <select
        value={mission ?? ""}
        onChange={(event) => {
          const next = { mission: event.target.value };
          if (params.mission === undefined) void navigate({ to: "/m/$mission/parameters", params: next });
          else if (params.dashboard !== undefined) void navigate({ to: "/m/$mission/d", params: next });
          else void navigate({ to: ".", params: next, search: {} });
        }}
      >
        {known || mission === null ? null : <option value={mission}>{mission}</option>}
        {missions.data.map(({ name, title }) => (
          <option key={name} value={name} title={title}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
