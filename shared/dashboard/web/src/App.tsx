// Puts the parts together: queries, live connection, session, pages.
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { SessionGate } from "./features/session/SessionGate";
import type { LiveClient } from "./live/client";
import { LiveContext } from "./live/hooks";
import type { createAppRouter } from "./router";
import { LoggedInContext } from "./session/access";

export interface AppProps {
  queries: QueryClient;
  live: LiveClient;
  router: ReturnType<typeof createAppRouter>;
  takeCode: () => string | null;
}

export function App({ queries, live, router, takeCode }: AppProps) {
  return (
    <QueryClientProvider client={queries}>
      <LiveContext value={live}>
        <SessionGate takeCode={takeCode}>
          {(session, onLogOut) => (
            <LoggedInContext value={{ session, onLogOut }}>
              <RouterProvider router={router} />
            </LoggedInContext>
          )}
        </SessionGate>
      </LiveContext>
    </QueryClientProvider>
  );
}
