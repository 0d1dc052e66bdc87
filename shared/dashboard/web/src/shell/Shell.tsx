// The frame around every page: where one is, whose data it is, and whether it is current.
import { type ReactNode, useState } from "react";
import { AlarmBar } from "../features/alarms/AlarmBar";
import { clockTime, dayOfYear } from "../format/time";
import { useFrame, useLive } from "../live/hooks";
import { useTimeMode } from "../time/useTime";
import type { Session } from "../types";
import { ConnectionChip } from "./ConnectionChip";
import { CLOCK_NAMES, CLOCKS, type SecondClock, secondTime, useSecondClock } from "./clocks";
import { KeyHelp } from "./KeyHelp";
import { Navigation } from "./Navigation";
import { RefusedStreams } from "./RefusedStreams";
import { Search } from "./Search";
import { ThemeSwitch } from "./ThemeSwitch";
import { TimeBar } from "./TimeBar";
import { type Opened, useKeys } from "./useKeys";

interface Props {
  session: Session;
  onLogOut: () => void;
  children: ReactNode;
}

export function Shell({ session, onLogOut, children }: Props) {
  const { server } = session;
  const { mode } = useTimeMode();
  const [opened, setOpened] = useState<Opened | null>(null);
  useKeys(setOpened);
  return (
    <div className="shell" data-time={mode.kind}>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="bar">
        <span className="server" title={`version ${server.version}, run ${server.boot_id}`}>
          <span className="server-kind">{server.kind}</span>
          {server.kind === "hub" && server.name === "hub" ? "Telemetry Operations" : server.name}
        </span>
        <span className="grow" />
        <button type="button" className="quiet" onClick={() => setOpened("search")}>
          Search <span className="key">Ctrl K</span>
        </button>
        <Chip />
        <Clock />
        <ThemeSwitch />
        <button
          type="button"
          className="quiet"
          onClick={() => setOpened("help")}
          aria-label="Keys and symbols"
        >
          ?
        </button>
        <button
          type="button"
          className="quiet"
          onClick={onLogOut}
          title={`Logged in as ${session.principal}, ${session.role}`}
        >
          Log out
        </button>
      </header>
      <div className="frame">
        <Navigation server={server} />
        <div className="content">
          <AlarmBar />
          <TimeBar />
          <RefusedStreams />
          <main id="main" tabIndex={-1}>
            {children}
          </main>
        </div>
      </div>
      {opened === "search" ? <Search onClose={() => setOpened(null)} /> : null}
      {opened === "help" ? <KeyHelp onClose={() => setOpened(null)} /> : null}
    </div>
  );
}

function Chip() {
  const { feed } = useLive();
  return <ConnectionChip health={useFrame().health} dropped={feed.dropped} />;
}

function Clock() {
  const { serverNow } = useFrame();
  const { clock, choose } = useSecondClock();
  const second = secondTime(clock, serverNow);
  return (
    <div className="clock">
      <time title="Day of year, date and time, UTC, by the server's clock">
        <span className="faint">
          {new Date(serverNow).toISOString().slice(0, 10)} · {dayOfYear(serverNow)}
        </span>{" "}
        <span className="clock-time">{clockTime(serverNow)}</span>
      </time>
      <label className="field compact">
        <span className="visually-hidden">Second clock</span>
        <select value={clock} onChange={(event) => choose(event.target.value as SecondClock)}>
          {CLOCKS.map((name) => (
            <option key={name} value={name}>
              {name === clock && second !== null ? second : CLOCK_NAMES[name]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
