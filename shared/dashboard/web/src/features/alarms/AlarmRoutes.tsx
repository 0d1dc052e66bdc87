// What the address says, as the alarms page takes it.
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { AlarmsPage } from "./AlarmsPage";
import type { AlarmSearch } from "./filters";

export function AllAlarms() {
  return <Page mission={null} search={useSearch({ from: "/alarms" })} />;
}

export function MissionAlarms() {
  const { mission } = useParams({ from: "/m/$mission/alarms" });
  return <Page key={mission} mission={mission} search={useSearch({ from: "/m/$mission/alarms" })} />;
}

function Page({ mission, search }: { mission: string | null; search: AlarmSearch }) {
  const navigate = useNavigate();
  return (
    <AlarmsPage
      mission={mission}
      search={search}
      // Typing a search is one step back, opening an alarm is another.
      onSearch={(change) =>
        void navigate({ to: ".", search: (old) => ({ ...old, ...change }), replace: !("alarm" in change) })
      }
    />
  );
}
