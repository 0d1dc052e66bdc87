// Starts the dashboard in a browser.
import "./styles/tokens.css";
import "./styles/app.css";
import "./styles/shell.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { createQueryClient, forgetDescriptions } from "./api/queries";
import { takeCode } from "./features/session/fragment";
import { LiveClient, type Socket } from "./live/client";
import { createAppRouter } from "./router";
import { applyTheme } from "./shell/theme";

const clock = () => performance.timeOrigin + performance.now();

async function start(): Promise<void> {
  applyTheme();
  // Taken before the router reads the address, so that the code is never part of a page's location.
  let pending = takeCode(window);
  const queries = createQueryClient();
  const live = new LiveClient({
    openSocket: await socketFactory(),
    clock,
    random: Math.random,
    onRefusedConnection: () => void queries.invalidateQueries({ queryKey: ["session"] }),
    onDescriptions: (mission) => forgetDescriptions(queries, mission),
  });
  window.addEventListener("online", () => live.retryNow());
  const place = document.getElementById("root");
  if (place === null) throw new Error("index.html has no #root");
  createRoot(place).render(
    <StrictMode>
      <App
        queries={queries}
        live={live}
        router={createAppRouter()}
        takeCode={() => {
          const code = pending ?? takeCode(window);
          pending = null;
          return code;
        }}
      />
    </StrictMode>,
  );
}

async function socketFactory(): Promise<() => Socket> {
  if (import.meta.env.MODE === "mock") {
    const { installMock } = await import("./mock/install");
    const search = new URLSearchParams(location.search);
    const mock = installMock({
      clock: Date.now,
      loggedIn: !search.has("logged-out"),
      flood: search.has("flood"),
    });
    Object.assign(window, { mock: mock.world });
    return mock.openSocket;
  }
  return () => {
    const address = new URL("/api/v1/live", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    return new WebSocket(address);
  };
}

void start();
