// A file to download, or why there is none.
import type { ReactNode } from "react";
import { useLoggedIn } from "../../session/access";
import "./download.css";

interface Props {
  href: string;
  /** Why this file cannot be had; `null` when it can. */
  refused?: string | null;
  children: ReactNode;
}

export function DownloadLink({ href, refused = null, children }: Props) {
  const { session } = useLoggedIn();
  const reason = session.server.kind === "edge" ? "Files are made at the hub, from its archive." : refused;
  if (reason !== null)
    return (
      <button type="button" className="download" aria-disabled="true" title={reason}>
        {children}
        <span className="visually-hidden">: {reason}</span>
      </button>
    );
  return (
    <a className="download" href={href} download>
      {children}
    </a>
  );
}
