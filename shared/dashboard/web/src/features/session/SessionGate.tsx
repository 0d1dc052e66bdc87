// Lets the pages through with a session; asks for a code without one.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { logIn, logOut, type SessionState, sessionQuery } from "../../api/queries";
import { useLive } from "../../live/hooks";
import { SessionOverContext } from "../../session/access";
import { forgetDrafts } from "../../session/draft";
import { Failure, Loading } from "../../shell/Notice";
import type { Session } from "../../types";
import { LoginForm } from "./LoginForm";

const LOGGED_OUT: SessionState = { kind: "closed", refused: null };

interface Props {
  takeCode: () => string | null;
  children: (session: Session, onLogOut: () => void) => ReactNode;
}

export function SessionGate({ takeCode, children }: Props) {
  const client = useQueryClient();
  const query = useQuery(sessionQuery(takeCode));
  // Who was logged in until the session ended by itself: the pages stay, with whatever was typed into them.
  const [shown, setShown] = useState<Session | null>(null);
  const login = useMutation({
    mutationFn: logIn,
    onSuccess: () => client.invalidateQueries({ queryKey: ["session"] }),
  });
  const logout = useMutation({
    mutationFn: logOut,
    // Nothing of the former session may be seen by whoever logs in next.
    onSuccess: () => {
      // Closed from this moment, however long the server's next answer takes: else the pages would stay until then.
      client.setQueryData(sessionQuery(takeCode).queryKey, LOGGED_OUT);
      setShown(null);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
      forgetDrafts();
      login.reset();
      return client.invalidateQueries({ queryKey: ["session"] });
    },
  });
  useLoginLinks(takeCode);

  const open = query.data?.kind === "open" ? query.data.session : null;
  if (open !== null && open !== shown) {
    if (shown !== null && shown.principal !== open.principal)
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
    setShown(open);
  }
  const session = open ?? shown;
  const form =
    query.data?.kind === "closed" ? (
      <LoginForm
        busy={login.isPending}
        error={login.error ?? query.data.refused}
        onCode={(code) => login.mutate(code)}
      />
    ) : null;
  if (session !== null)
    return (
      <>
        <WithLiveConnection key={session.principal}>
          <div inert={form !== null}>
            {logout.isError ? <Failure error={logout.error} /> : null}
            <SessionOverContext value={form !== null}>
              {children(session, () => logout.mutate())}
            </SessionOverContext>
          </div>
        </WithLiveConnection>
        {form === null ? null : (
          <div className="session-over">
            <p className="notice serious" role="status">
              The session is over. Nothing that was typed is lost: log in as {session.principal} to go on.
            </p>
            {form}
          </div>
        )}
      </>
    );
  if (form !== null) return form;
  if (query.isError)
    return (
      <main className="login">
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      </main>
    );
  return <Loading what="session" />;
}

function WithLiveConnection({ children }: { children: ReactNode }) {
  const live = useLive();
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return children;
}

/** A login link opened in a tab that already shows the dashboard changes only the fragment. */
function useLoginLinks(takeCode: () => string | null): void {
  const client = useQueryClient();
  useEffect(() => {
    const onHash = () => {
      if (new URLSearchParams(window.location.hash.slice(1)).has("code"))
        void client.invalidateQueries({ queryKey: sessionQuery(takeCode).queryKey });
    };
    window.addEventListener("hashchange", onHash);
    return () => window.removeEventListener("hashchange", onHash);
  }, [client, takeCode]);
}
