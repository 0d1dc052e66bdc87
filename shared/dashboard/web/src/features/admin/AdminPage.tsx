// Administration: who and what may take part. Everything here is done by the hub, and written into its events.
import { getRouteApi, Link } from "@tanstack/react-router";
import { useRefusal } from "../../session/access";
import { StatusSymbol } from "../../shell/StatusSymbol";
import "./admin.css";
import { ApiTokens } from "./ApiTokens";
import { Dictionaries } from "./Dictionaries";
import { EnrolmentTokens } from "./EnrolmentTokens";
import { Hub } from "./Hub";
import { Missions } from "./Missions";
import { People } from "./People";
import { SECTIONS, type Section } from "./sections";

const route = getRouteApi("/admin/$section");

export function AdminPage() {
  const section = route.useParams().section as Section;
  const { mission } = route.useSearch();
  const navigate = route.useNavigate();
  const refusal = useRefusal("administer");
  return (
    <>
      <header className="page-head">
        <h1>Administration</h1>
      </header>
      <nav className="tabs" aria-label="Parts of administration">
        {(Object.keys(SECTIONS) as Section[]).map((one) => (
          <Link
            key={one}
            to="/admin/$section"
            params={{ section: one }}
            aria-current={one === section ? "page" : undefined}
          >
            {SECTIONS[one]}
          </Link>
        ))}
        <a href="/api/docs" target="_blank" rel="noreferrer">
          API reference<span className="visually-hidden"> (opens another tab)</span> ↗
        </a>
      </nav>
      {refusal === null ? null : (
        <p className="notice caution">
          <StatusSymbol status="caution" /> {refusal}
        </p>
      )}
      <SectionOf
        section={section}
        refusal={refusal}
        mission={mission ?? null}
        onMission={(next) => void navigate({ search: (old) => ({ ...old, mission: next }) })}
      />
    </>
  );
}

export interface SectionProps {
  /** Why nothing can be administered; lists of it are then not asked for. */
  refusal: string | null;
}

interface AllProps extends SectionProps {
  section: Section;
  mission: string | null;
  onMission: (mission: string) => void;
}

function SectionOf({ section, refusal, mission, onMission }: AllProps) {
  switch (section) {
    case "api-tokens":
      return <ApiTokens refusal={refusal} />;
    case "dictionaries":
      return <Dictionaries refusal={refusal} mission={mission} onMission={onMission} />;
    case "hub":
      return <Hub refusal={refusal} />;
    case "missions":
      return <Missions refusal={refusal} />;
    case "nodes":
      return <EnrolmentTokens refusal={refusal} />;
    case "people":
      return <People refusal={refusal} />;
  }
}
