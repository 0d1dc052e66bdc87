// How components learn which time they show. The page's time is in the address; a paused panel has its own.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { createContext, type ReactNode, use, useCallback, useMemo, useState } from "react";
import type { Frame } from "../live/client";
import { useFrame, useLive } from "../live/hooks";
import { DEFAULT_MODE, readMode, SPAN_MS, type TimeMode, type TimeWindow, writeMode } from "./mode";
import { ReplayClock } from "./replay";

export interface Time {
  mode: TimeMode;
  /** The moment that counts as the present: the server's time, a fixed range's end, or where the replay stands. */
  now: number;
  /** What charts show. It moves while the mode is live. */
  window: TimeWindow;
  setMode: SetMode;
}

/** `isStep`: one of many small ones, which together are one step back in the browser's history. */
export type SetMode = (mode: TimeMode, isStep?: boolean) => void;

interface Panel {
  mode: TimeMode;
  setMode: SetMode;
}

const PanelContext = createContext<Panel | null>(null);
interface Shared {
  clock: ReplayClock;
  /** The page's time as the last small step wrote it. */
  step: string | null;
}

const SharedContext = createContext<Shared | null>(null);

/** Above all pages: one replay for all panels. */
export function TimeProvider({ children }: { children: ReactNode }) {
  const [shared] = useState((): Shared => ({ clock: new ReplayClock(), step: null }));
  return <SharedContext value={shared}>{children}</SharedContext>;
}

/** A panel that may stand at a time of its own; `mode` is `null` while it shows the page's. */
export function PanelTime({ mode, onMode, children }: PanelTimeProps) {
  const panel = useMemo(() => (mode === null ? null : { mode, setMode: onMode }), [mode, onMode]);
  return <PanelContext value={panel}>{children}</PanelContext>;
}

interface PanelTimeProps {
  mode: TimeMode | null;
  onMode: (mode: TimeMode | null) => void;
  children: ReactNode;
}

/** Mode without the moving present: does not render again at each frame. */
export function useTimeMode(): { mode: TimeMode; setMode: SetMode } {
  const panel = use(PanelContext);
  const { t } = useSearch({ strict: false }) as { t?: string };
  const navigate = useNavigate();
  const shared = use(SharedContext);
  const ofPage = useMemo(() => readMode(t) ?? DEFAULT_MODE, [t]);
  const setOfPage = useCallback(
    (mode: TimeMode, isStep = false) => {
      const next = writeMode(mode);
      const replace = isStep && t !== undefined && t === shared?.step;
      if (shared !== null) shared.step = isStep ? next : null;
      void navigate({ to: ".", search: (old) => ({ ...old, t: next }), replace });
    },
    [navigate, shared, t],
  );
  return panel ?? { mode: ofPage, setMode: setOfPage };
}

/** Renders again at each frame. */
export function useTime(): Time {
  const { mode, setMode } = useTimeMode();
  const frame = useFrame();
  const moment = useMoment();
  const now = moment(mode, frame);
  return { mode, now, window: windowOf(mode, now), setMode };
}

/** The present of a mode at a frame, for code that runs later than it was rendered. */
export function useMoment(): (mode: TimeMode, frame: Frame) => number {
  const clock = use(SharedContext)?.clock ?? null;
  return useCallback(
    (mode, frame) => {
      if (mode.kind === "live") return frame.serverNow;
      if (mode.kind === "fixed") return mode.to;
      return clock === null ? mode.from : clock.position(mode, frame.now);
    },
    [clock],
  );
}

/** The time as it is when it is called, for requests. */
export function useTimeNow(): () => { now: number; window: TimeWindow } {
  const { mode } = useTimeMode();
  const live = useLive();
  const moment = useMoment();
  return useCallback(() => {
    const now = moment(mode, live.frame());
    return { now, window: windowOf(mode, now) };
  }, [mode, live, moment]);
}

/** A replay's charts show its whole range, filled up to where it stands. */
export function windowOf(mode: TimeMode, now: number): TimeWindow {
  if (mode.kind === "live") return { from: now - SPAN_MS[mode.span], to: now };
  return { from: mode.from, to: mode.to };
}
