// Downloads the packets of the time shown, as they were received, for the same station, link and APID.
import { exportPath } from "../../api/explore";
import type { PacketFilter } from "../../api/records";
import { useTime } from "../../time/useTime";
import { DownloadLink } from "../explore/DownloadLink";

export function PacketExport({ mission, filter }: { mission: string; filter: PacketFilter }) {
  const { mode, now, window: shown } = useTime();
  const { apid, node, link, quarantined } = filter;
  const refused = quarantined === true ? "A file holds good packets and those in quarantine alike." : null;
  const to = mode.kind === "replay" ? now : shown.to;
  return (
    <DownloadLink
      href={exportPath({ mission, format: "packets", from: shown.from, to, filter: { apid, node, link } })}
      refused={refused}
    >
      Download packets
    </DownloadLink>
  );
}
