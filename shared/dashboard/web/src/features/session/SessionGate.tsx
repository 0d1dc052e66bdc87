// Lets the pages through with a session; asks for a code without one.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { logIn, logOut, sessionQuery } from "../../api/queries";
import { useLive } from "../../live/hooks";
import { Failure, Loading } from "../../shell/Notice";
import type { Session } from "../../types";
import { LoginForm } from "./LoginForm";

interface Props {
  takeCode: () => string | null;
  children: (session: Session, onLogOut: () => void) => ReactNode;
}

export function SessionGate({ takeCode, children }: Props) {
  const client = useQueryClient();
  const query = useQuery(sessionQuery(takeCode));
  const login = useMutation({
    mutationFn: logIn,
    onSuccess: () => client.invalidateQueries({ queryKey: ["session"] }),
  });
  const logout = useMutation({
    mutationFn: logOut,
    // Nothing of the former session may be seen by whoever logs in next.
    onSuccess: () => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
      login.reset();
      return client.invalidateQueries({ queryKey: ["session"] });
    },
  });
  useLoginLinks(takeCode);

  if (query.data?.kind === "closed") {
    const error = login.error ?? query.data.refused;
    return <LoginForm busy={login.isPending} error={error} onCode={(code) => login.mutate(code)} />;
  }
  if (query.data?.kind === "open")
    return (
      <WithLiveConnection>
        {logout.isError ? <Failure error={logout.error} /> : null}
        {children(query.data.session, () => logout.mutate())}
      </WithLiveConnection>
    );
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
