// The route above all pages. Its search parameter `t` is the one time all panels show, and every link keeps it.
import { createRootRoute, Outlet, retainSearchParams } from "@tanstack/react-router";
import { Suspense } from "react";
import { useLoggedIn } from "../session/access";
import { readMode, writeMode } from "../time/mode";
import { TimeProvider } from "../time/useTime";
import { Failure, Loading } from "./Notice";
import { Shell } from "./Shell";

export interface RootSearch {
  /** As `time/mode.ts` writes it; absent: the last 15 minutes, live. */
  t?: string;
}

export const root = createRootRoute({
  validateSearch: (search: Record<string, unknown>): RootSearch => {
    const mode = readMode(search.t);
    return mode === null ? {} : { t: writeMode(mode) };
  },
  search: { middlewares: [retainSearchParams<RootSearch>(["t"])] },
  component: function Root() {
    return (
      <TimeProvider>
        <Shell {...useLoggedIn()}>
          <Suspense fallback={<Loading what="page" />}>
            <Outlet />
          </Suspense>
        </Shell>
      </TimeProvider>
    );
  },
  notFoundComponent: () => <p className="empty">There is no such page. Choose one from the navigation.</p>,
  errorComponent: ({ error }) => <Failure error={error} />,
});
