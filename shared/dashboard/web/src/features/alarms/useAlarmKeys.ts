// The keys of the alarms page: j and k go down and up, x selects, a acknowledges, s shelves, Enter opens, Escape closes.
import { useEffect, useRef } from "react";
import { PATIENCE_MS } from "../../shell/keys";

export interface AlarmKeys {
  onMove: (by: 1 | -1) => void;
  onSelect: () => void;
  onAcknowledge: () => void;
  onShelve: () => void;
  onOpen: () => void;
  onClose: () => void;
}

export function useAlarmKeys(keys: AlarmKeys): void {
  const current = useRef(keys);
  useEffect(() => {
    current.current = keys;
  });
  useEffect(() => {
    let leavingUntil = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent) => {
      const { target } = event;
      // Behind `g` a letter leads to another page.
      const isLeaving = event.timeStamp <= leavingUntil;
      leavingUntil = event.key === "g" ? event.timeStamp + PATIENCE_MS : Number.NEGATIVE_INFINITY;
      if (isLeaving) return;
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (target instanceof Element && target.closest(TAKES_KEYS) !== null) return;
      const act = actOf(event.key, current.current, target);
      if (act === null) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

const TAKES_KEYS = "input:not([type=checkbox]), select, textarea, dialog";

function actOf(key: string, keys: AlarmKeys, target: EventTarget | null): (() => void) | null {
  switch (key) {
    case "j":
      return () => keys.onMove(1);
    case "k":
      return () => keys.onMove(-1);
    case "x":
      return keys.onSelect;
    case "a":
      return keys.onAcknowledge;
    case "s":
      return keys.onShelve;
    case "Escape":
      return keys.onClose;
    case "Enter":
      // On a button or link it does what they say.
      return target instanceof Element && target.closest("button, a, input") !== null ? null : keys.onOpen;
    default:
      return null;
  }
}
