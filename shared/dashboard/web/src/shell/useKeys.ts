// Carries out what `Keys` reads, on every page.
import { type LinkProps, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { DEFAULT_MODE, shifted, zoomed } from "../time/mode";
import { useTimeMode, useTimeNow } from "../time/useTime";
import { type Destination, isTaken, type KeyAct, Keys } from "./keys";
import { useCurrentMission } from "./mission";

const WHERE: Record<Destination, NonNullable<LinkProps["to"]>> = {
  alarms: "/m/$mission/alarms",
  completeness: "/m/$mission/data",
  dashboards: "/m/$mission/d",
  events: "/m/$mission/events",
  explore: "/m/$mission/explore",
  fleet: "/fleet",
  nodes: "/nodes",
  orbit: "/m/$mission/orbit",
  overview: "/",
  packets: "/m/$mission/packets",
  parameters: "/m/$mission/parameters",
  passes: "/m/$mission/passes",
};

export type Opened = "help" | "search";

export function useKeys(open: (what: Opened) => void): void {
  const navigate = useNavigate();
  const mission = useCurrentMission();
  const { setMode } = useTimeMode();
  const timeNow = useTimeNow();
  const carryOut = (act: KeyAct) => {
    switch (act.kind) {
      case "go": {
        const to = WHERE[act.to];
        if (to.includes("$mission") && mission === null) return;
        void navigate({ to, params: { mission } } as unknown as Parameters<typeof navigate>[0]);
        return;
      }
      case "help":
        open("help");
        return;
      case "search": {
        const field = document.querySelector<HTMLInputElement>('main input[type="search"]');
        if (field === null) open("search");
        else field.focus();
        return;
      }
      case "live":
        setMode(DEFAULT_MODE);
        return;
      case "time":
        document.getElementById("time-live")?.focus();
        return;
      case "shift":
        setMode(shifted(timeNow().window, act.by), true);
        return;
      case "zoom":
        setMode(zoomed(timeNow().window, act.factor), true);
        return;
    }
  };
  const latest = useRef(carryOut);
  latest.current = carryOut;
  const openLatest = useRef(open);
  openLatest.current = open;
  useEffect(() => {
    const keys = new Keys();
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "k" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) {
        event.preventDefault();
        openLatest.current("search");
        return;
      }
      if (isTaken(event)) return;
      const act = keys.next(event.key, event.timeStamp);
      if (act === null) return;
      event.preventDefault();
      latest.current(act);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
