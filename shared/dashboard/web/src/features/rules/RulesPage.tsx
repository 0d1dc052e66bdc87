// What decides about a mission's alarms: its rules of alarms, and those of detection.
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { AlarmRulesPart } from "./AlarmRulesPart";
import { DetectionRulesPart } from "./DetectionRulesPart";
import "../alarms/alarms.css";
import "./rules.css";

/** Both are of one path: which one is shown is said here, not by the address alone. */
const WHICH = { exact: true, includeSearch: true };

export function RulesPage() {
  const { mission } = useParams({ from: "/m/$mission/rules" });
  const { of, from, to } = useSearch({ from: "/m/$mission/rules" });
  const compared = from === undefined || to === undefined ? null : ([from, to] as const);
  return (
    <>
      <header className="page-head">
        <h1>Rules</h1>
        <Link to="/m/$mission/deliveries" params={{ mission }}>
          Delivery log
        </Link>
        <Link to="/m/$mission/limits" params={{ mission }}>
          Limits
        </Link>
      </header>
      <nav className="tabs" aria-label="Which rules">
        <Link
          to="/m/$mission/rules"
          params={{ mission }}
          search={{}}
          activeOptions={WHICH}
          aria-current={of === undefined ? "page" : undefined}
        >
          Of alarms
        </Link>
        <Link
          to="/m/$mission/rules"
          params={{ mission }}
          search={{ of: "detection" }}
          activeOptions={WHICH}
          aria-current={of === "detection" ? "page" : undefined}
        >
          Of detection
        </Link>
      </nav>
      {of === "detection" ? (
        <DetectionRulesPart key={mission} mission={mission} compared={compared} />
      ) : (
        <AlarmRulesPart key={mission} mission={mission} compared={compared} />
      )}
    </>
  );
}
