// Fetches one packet and shows what it is made of.
import { useQuery } from "@tanstack/react-query";
import { packetQuery } from "../../api/records";
import { Failure, Loading } from "../../shell/Notice";
import { PacketView } from "./PacketView";

interface Props {
  mission: string;
  id: string;
  onClose: () => void;
}

export function PacketDetail({ mission, id, onClose }: Props) {
  const packet = useQuery(packetQuery(mission, id));
  return (
    <section className="panel packet" aria-label="Packet">
      <header className="packet-head">
        <h2>Packet</h2>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </header>
      {packet.isPending ? <Loading what="packet" /> : null}
      {packet.isError ? <Failure error={packet.error} onRetry={() => void packet.refetch()} /> : null}
      {packet.data === undefined ? null : <PacketView mission={mission} packet={packet.data} />}
    </section>
  );
}
