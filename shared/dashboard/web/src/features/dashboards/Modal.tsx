// A native dialog that steps aside while the session is over: a modal one would keep the login form out of reach.
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useId, useRef, useSyncExternalStore } from "react";
import type { SessionState } from "../../api/queries";

interface Props {
  title: string;
  wide?: boolean;
  onClose: () => void;
  children: ReactNode;
}

export function Modal({ title, wide = false, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const isOver = useSessionIsOver();
  const steppedAside = useRef(false);
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    steppedAside.current = isOver;
    if (isOver) element.close();
    else if (!element.open) element.showModal();
  }, [isOver]);
  return (
    <dialog
      ref={dialog}
      className={`panel modal${wide ? " wide" : ""}`}
      aria-labelledby={heading}
      onClose={() => {
        if (!steppedAside.current) onClose();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

function useSessionIsOver(): boolean {
  const client = useQueryClient();
  const subscribe = useCallback(
    (listener: () => void) => client.getQueryCache().subscribe(listener),
    [client],
  );
  return useSyncExternalStore(
    subscribe,
    () => client.getQueryData<SessionState>(["session"])?.kind === "closed",
  );
}
