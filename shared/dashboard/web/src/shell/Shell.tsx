// The frame around every page: where one is, whose data it is, and whether it is current.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { clockTime, dayOfYear } from "../format/time";
import { useFrame } from "../live/hooks";
import type { Session } from "../types";
import { ConnectionChip } from "./ConnectionChip";
import { ThemeSwitch } from "./ThemeSwitch";

interface Props {
  session: Session;
  onLogOut: () => void;
  children: ReactNode;
}

export function Shell({ session, onLogOut, children }: Props) {
  const { server } = session;
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="bar">
        <span className="server" title={`version ${server.version}, run ${server.boot_id}`}>
          <span className="server-kind">{server.kind}</span>
          {server.kind === "hub" && server.name === "hub" ? "Telemetry Operations" : server.name}
        </span>
        <nav aria-label="Main">
          <Link to="/stations" activeProps={{ "aria-current": "page" }}>
            {server.kind === "edge" ? "Station" : "Stations"}
          </Link>
          <Link to="/m" activeProps={{ "aria-current": "page" }}>
            Parameters
          </Link>
          <Link to="/alarms" activeProps={{ "aria-current": "page" }}>
            Alarms
          </Link>
        </nav>
        <span className="grow" />
        <Chip />
        <UtcClock />
        <ThemeSwitch />
        <button
          type="button"
          className="quiet"
          onClick={onLogOut}
          title={`Logged in as ${session.principal}`}
        >
          Log out
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Chip() {
  return <ConnectionChip health={useFrame().health} />;
}

function UtcClock() {
  const { serverNow } = useFrame();
  return (
    <time className="clock" title="Day of year, date and time, UTC, by the server's clock">
      <span className="faint">
        {new Date(serverNow).toISOString().slice(0, 10)} · {dayOfYear(serverNow)}
      </span>
      <span className="clock-time">{clockTime(serverNow)}</span>
    </time>
  );
}
