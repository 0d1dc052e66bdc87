// The mock fleet: one node for each way a node can stand to the hub.
import type { Backlog, LinkReport, Node, NodeReport } from "../types";

const NOTHING_WAITS: Backlog = {
  batches: 0,
  packets: 0,
  bytes: 0,
  oldest: null,
  rates: { packets_in_per_s: 0, bytes_in_per_s: 0, packets_out_per_s: 0, bytes_out_per_s: 0 },
  drain: { kind: "empty" },
  room_bytes: 4_294_967_296,
  full_in_s: null,
  older_journals: 0,
};

export function makeNodes(now: number, kind: "edge" | "hub"): Node[] {
  const at = (ago: number) => new Date(now - ago).toISOString();
  const seconds = Math.floor(now / 1000) % 100_000;
  const link = (changes: Partial<LinkReport>): LinkReport => ({
    name: "baseband-a",
    mission: "aurora-1",
    listen: "tcp 10.20.0.4:5001",
    clients: 1,
    packets: 1_284_000 + seconds * 42,
    bytes: 411_000_000 + seconds * 13_300,
    rejected: [],
    last_packet: at(120),
    continuity: { missing: 0, gaps: 0, duplicates: 0, late: 0, resets: 0, idle: 0 },
    ...changes,
  });
  const report = (changes: Partial<NodeReport>): NodeReport => ({
    version: "0.1.0",
    at: at(400),
    packets_received: 1_284_000 + seconds * 42,
    backlog: {
      ...NOTHING_WAITS,
      batches: 1,
      packets: 42,
      bytes: 13_300,
      oldest: at(600),
      rates: {
        packets_in_per_s: 42,
        bytes_in_per_s: 13_300,
        packets_out_per_s: 42,
        bytes_out_per_s: 13_300,
      },
      drain: { kind: "keeps-up" },
    },
    links: [link({})],
    certificate_days: 24,
    clock: { offset_ms: 3.2, error_ms: 1.1 },
    ...changes,
  });
  const kiruna: NodeReport = report({
    packets_received: 88_120,
    backlog: NOTHING_WAITS,
    certificate_days: 6,
    clock: { offset_ms: -240.5, error_ms: 1.4 },
    links: [
      link({
        packets: 88_120,
        bytes: 28_198_400,
        rejected: [
          { cause: "garbage", count: 12, bytes: 3_411 },
          { cause: "bad-length", count: 3, bytes: 96 },
        ],
        continuity: { missing: 37, gaps: 2, duplicates: 1, late: 0, resets: 1, idle: 0 },
      }),
      link({
        name: "udp-spare",
        listen: "udp 10.21.0.4:5002",
        clients: 0,
        packets: 0,
        bytes: 0,
        last_packet: null,
        mission: "kestrel",
      }),
    ],
  });
  const svalbard: Node = {
    id: nodeId("svalbard-1"),
    name: "svalbard-1",
    site: "Longyearbyen, Svalbard",
    state: "connected",
    since: at(3 * 3_600_000),
    last_contact: at(400),
    problem: null,
    report: report({}),
    archived_packets: 1_283_958 + seconds * 42,
  };
  if (kind === "edge") return [svalbard];
  return [
    {
      id: nodeId("awarua-1"),
      name: "awarua-1",
      site: "Awarua, New Zealand",
      state: "disconnected",
      since: at(14 * 60_000),
      last_contact: at(14 * 60_000),
      problem: "session timed out: nothing heard for 15 s",
      report: report({
        at: at(14 * 60_000),
        backlog: {
          ...NOTHING_WAITS,
          batches: 211,
          packets: 35_280,
          bytes: 11_289_600,
          oldest: at(31 * 60_000),
          rates: {
            packets_in_per_s: 42,
            bytes_in_per_s: 13_300,
            packets_out_per_s: 0,
            bytes_out_per_s: 0,
          },
          drain: { kind: "disconnected" },
          older_journals: 1,
        },
        certificate_days: 29,
        links: [link({ packets: 937_393, bytes: 299_965_760, last_packet: at(14 * 60_000) })],
        packets_received: 937_393,
      }),
      archived_packets: 902_113,
    },
    {
      id: nodeId("inuvik-2"),
      name: "inuvik-2",
      site: "Inuvik, Canada",
      state: "never-connected",
      since: null,
      last_contact: null,
      problem: null,
      report: null,
      archived_packets: 0,
    },
    {
      id: nodeId("kiruna-1"),
      name: "kiruna-1",
      site: "Kiruna, Sweden",
      state: "connected",
      since: at(26 * 3_600_000),
      last_contact: at(650),
      problem: null,
      report: kiruna,
      archived_packets: 88_120,
    },
    {
      id: nodeId("santiago-1"),
      name: "santiago-1",
      site: "Santiago, Chile",
      state: "revoked",
      since: at(9 * 86_400_000),
      last_contact: at(9 * 86_400_000),
      problem: "certificate revoked by operator: hardware replaced",
      report: report({
        at: at(9 * 86_400_000),
        packets_received: 4_411_902,
        backlog: NOTHING_WAITS,
        certificate_days: -2,
        links: [],
      }),
      archived_packets: 4_411_902,
    },
    svalbard,
  ];
}

/** A node's identity, as its own page has it; alarms write it without dashes. */
export function nodeId(name: string): string {
  const digits = [...name].map((letter) => letter.charCodeAt(0).toString(16)).join("");
  const id = digits.padEnd(32, "0").slice(0, 32);
  return [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join("-");
}
