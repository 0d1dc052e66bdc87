// A native dialog that steps aside while the session is over: a modal one would keep the login form out of reach.
import { type ReactNode, use, useId, useLayoutEffect, useRef } from "react";
import { SessionOverContext } from "../session/access";

interface Props {
  title: string;
  /** The title is for those who hear the page; what is seen says it already. */
  titleHidden?: boolean;
  className?: string;
  onClose: () => void;
  children: ReactNode;
}

export function Modal({ title, titleHidden = false, className = "", onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const isOver = use(SessionOverContext);
  const meantOpen = useRef(false);
  const focused = useRef<Element | null>(null);
  // Before the browser paints and, when it goes, before it leaves the page: only then does the browser give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element === null || isOver) return;
    element.showModal();
    meantOpen.current = true;
    if (focused.current instanceof HTMLElement) focused.current.focus();
    return () => {
      const { activeElement } = document;
      focused.current = element.contains(activeElement) ? activeElement : null;
      meantOpen.current = false;
      element.close();
    };
  }, [isOver]);
  return (
    <dialog
      ref={dialog}
      className={`panel modal ${className}`.trimEnd()}
      aria-labelledby={heading}
      // Browsers tell of it later: by then it may be open again.
      onClose={({ currentTarget }) => {
        if (meantOpen.current && !currentTarget.open) onClose();
      }}
    >
      <h2 id={heading} className={titleHidden ? "visually-hidden" : undefined}>
        {title}
      </h2>
      {children}
    </dialog>
  );
}
