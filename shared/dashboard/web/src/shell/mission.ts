// Which mission the navigation leads to: the one in the address, else the one last looked at, else the first.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { create } from "zustand";
import { missionsQuery } from "../api/queries";

const useLast = create<{ mission: string | null; see: (mission: string) => void }>((set) => ({
  mission: null,
  see: (mission) => set({ mission }),
}));

/** `null` while no mission is known. */
export function useCurrentMission(): string | null {
  const { mission } = useParams({ strict: false }) as { mission?: string };
  const missions = useQuery(missionsQuery);
  const last = useLast();
  useEffect(() => {
    if (mission !== undefined) last.see(mission);
  }, [mission, last.see]);
  if (mission !== undefined) return mission;
  const known = missions.data?.map(({ name }) => name) ?? [];
  if (last.mission !== null && known.includes(last.mission)) return last.mission;
  return known[0] ?? null;
}
