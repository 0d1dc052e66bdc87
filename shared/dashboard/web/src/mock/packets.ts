// Packets of the first mission: one a second of each APID, heard at two stations, as pure functions of time.
import type { Packet, PacketSummary, Packets } from "../types";
import { type MockRoute, problem } from "./answers";
import { iso, type MockWorld } from "./world";

const PERIOD_MS = 1_000;
const APIDS = [100, 101, 2047];
const BYTES = 34;

/** The packets received in a span, in order. */
function packetsIn(world: MockWorld, from: number, to: number): PacketSummary[] {
  const packets: PacketSummary[] = [];
  const end = Math.min(to, world.now());
  for (let at = Math.ceil(from / PERIOD_MS) * PERIOD_MS; at < end; at += PERIOD_MS)
    if (!world.outages.some((outage) => at >= outage.from && at < outage.to))
      for (const place of APIDS.keys()) packets.push(summary(at / PERIOD_MS, place));
  return packets;
}

function summary(second: number, place: number): PacketSummary {
  const isGarbage = place === 1 && second % 97 === 0;
  const apid = APIDS[place] ?? 0;
  const at = second * PERIOD_MS + 40 * place;
  return {
    id: `${"07".repeat(16)}.1.0.${second}.${place}`,
    reception_time: iso(at + 180),
    generation_time: isGarbage ? null : iso(at),
    apid,
    sequence_count: second % 16_384,
    bytes: BYTES,
    node: second % 5 === 0 ? "kiruna-1" : "svalbard-1",
    link: "baseband-a",
    provenance: second % 11 === 0 ? "backfilled" : "live",
    quarantine: isGarbage ? "crc" : null,
    verdicts: isGarbage ? ["crc"] : second % 53 === 0 ? ["sequence-gap"] : [],
  };
}

function answerList(world: MockWorld, search: URLSearchParams): Response {
  const from = Date.parse(search.get("from") ?? iso(world.now() - 3_600_000));
  const to = Date.parse(search.get("to") ?? iso(world.now()));
  const limit = Number(search.get("limit") ?? 100);
  const first = Number(search.get("cursor") ?? 0);
  const found = packetsIn(world, from, to).filter(
    (packet) =>
      (search.get("apid") ?? String(packet.apid)) === String(packet.apid) &&
      (search.get("node") ?? packet.node) === packet.node &&
      (search.get("link") ?? packet.link) === packet.link &&
      (search.get("quarantined") !== "true" || packet.quarantine !== null),
  );
  const next = first + limit < found.length ? String(first + limit) : null;
  const answer: Packets = { packets: found.slice(first, first + limit), next };
  return Response.json(answer);
}

function answerOne(world: MockWorld, id: string): Response {
  const [, , , second, place] = id.split(".").map(Number);
  if (second === undefined || place === undefined || !(second * PERIOD_MS <= world.now()))
    return problem(404, "STO-API-UNKNOWN-PACKET", "No such packet", "Ids are in the list of packets.");
  const told = summary(second, place);
  const isDecoded = place === 0;
  const header = [0x08, told.apid ?? 0, 0xc0 | (second >> 8), second & 0xff, 0, BYTES - 7];
  const text = [...`<b>AURORA</b> \u0007 ${second}`].map((letter) => letter.charCodeAt(0));
  const bytes = [...header, ...text, ...Array<number>(BYTES).fill(0)].slice(0, BYTES);
  const values = ["/aurora/eps/battery_voltage", "/aurora/eps/battery_current"].flatMap((path, index) => {
    const parameter = world.find("aurora-1", path);
    if (parameter === undefined) return [];
    const { raw, engineering, validity, monitoring } = world.sample(parameter, second * PERIOD_MS);
    const { unit } = parameter.description;
    const place = { first_bit: 48 + 16 * index, bits: 16 };
    return [{ parameter: path, ...place, raw, engineering, validity, monitoring, unit: unit ?? null }];
  });
  const answer: Packet = {
    summary: told,
    hex: bytes.map((byte) => (byte & 0xff).toString(16).padStart(2, "0")).join(""),
    header: {
      apid: told.apid ?? 0,
      packet_type: "telemetry",
      secondary_header: true,
      sequence_flags: "unsegmented",
      sequence_count: told.sequence_count ?? 0,
      data_length_field: BYTES - 7,
    },
    outcome: told.quarantine ? "damaged" : isDecoded ? "decoded" : "unresolved",
    container: isDecoded ? "/aurora/eps/housekeeping" : null,
    dictionary_version: isDecoded ? 2 : null,
    problem: isDecoded ? null : `no container fits a packet of APID ${told.apid}`,
    values: isDecoded ? values : [],
  };
  return Response.json(answer);
}

export const answerPackets: MockRoute = ({ world, path, url }) => {
  const [missions, mission, packets, id] = path;
  if (missions !== "missions" || packets !== "packets" || path.length > 4) return null;
  if (mission !== "aurora-1") return Response.json({ packets: [], next: null });
  return id === undefined ? answerList(world, url.searchParams) : answerOne(world, id);
};
