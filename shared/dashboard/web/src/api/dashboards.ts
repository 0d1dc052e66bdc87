// What is asked about dashboards that people keep. An open one is asked for again: others may change it.
import { queryOptions } from "@tanstack/react-query";
import type { Aligned, Dashboard, DashboardChange, Dashboards, NewDashboard } from "../types";
import { missionPath, request } from "./client";

const AGAIN_MS = 10_000;

export function dashboardsQuery(mission: string) {
  return queryOptions({
    queryKey: ["dashboards", mission],
    queryFn: async () => (await request<Dashboards>("GET", missionPath(mission, "dashboards"))).dashboards,
    staleTime: 0,
    refetchInterval: AGAIN_MS,
  });
}

export function dashboardQuery(mission: string, id: string) {
  return queryOptions({
    queryKey: ["dashboard", mission, id],
    queryFn: () => request<Dashboard>("GET", dashboardPath(mission, id)),
    staleTime: 0,
    refetchInterval: AGAIN_MS,
  });
}

export function createDashboard(mission: string, dashboard: NewDashboard): Promise<Dashboard> {
  return request("POST", missionPath(mission, "dashboards"), dashboard);
}

/** The same `id` sent again is the same change. */
export function changeDashboard(mission: string, id: string, change: DashboardChange): Promise<Dashboard> {
  return request("POST", `${dashboardPath(mission, id)}/changes`, change);
}

export function removeDashboard(mission: string, id: string): Promise<void> {
  return request("DELETE", dashboardPath(mission, id));
}

/** Where a browser downloads it as a file. */
export function exportPath(mission: string, id: string): string {
  return `${dashboardPath(mission, id)}/export`;
}

function dashboardPath(mission: string, id: string): string {
  return missionPath(mission, `dashboards/${encodeURIComponent(id)}`);
}

export interface AlignedRequest {
  mission: string;
  parameters: readonly string[];
  /** Asked for when the request is sent, because a live window moves. Unix milliseconds. */
  window: () => { from: number; to: number };
  windowName: string;
  points: number;
  isLive: boolean;
}

/** Several parameters on one grid of cells. */
export function alignedQuery({ mission, parameters, window, windowName, points, isLive }: AlignedRequest) {
  return queryOptions({
    queryKey: ["aligned", mission, parameters, windowName, points],
    queryFn: () => {
      const { from, to } = window();
      const search = new URLSearchParams({
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        points: String(points),
      });
      for (const parameter of parameters) search.append("parameter", parameter);
      return request<Aligned>("GET", `${missionPath(mission, "aligned")}?${search}`);
    },
    staleTime: 0,
    gcTime: 10_000,
    ...(isLive ? { refetchInterval: 5_000 } : {}),
  });
}
