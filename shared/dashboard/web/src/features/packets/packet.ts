// What a packet's facts mean in words and shapes, and its bytes as a dump.
import { parseTime } from "../../format/time";
import type { Status } from "../../shell/StatusSymbol";
import type { PacketSummary, PacketValue } from "../../types";

export interface Verdict {
  status: Status;
  word: string;
}

/** What intake and decoding said of it, in a word and a shape. */
export function verdict({ quarantine, verdicts }: PacketSummary): Verdict {
  const words = verdicts.map((word) => word.replaceAll("-", " ")).join(", ");
  if (quarantine) return { status: "serious", word: `quarantined: ${quarantine.replaceAll("-", " ")}` };
  return words === "" ? { status: "normal", word: "good" } : { status: "caution", word: words };
}

export const HOW: Record<PacketSummary["provenance"], string> = {
  backfilled: "backfilled",
  imported: "carried by hand",
  live: "live",
  reprocessed: "read again",
};

const ROW_BYTES = 16;

export interface DumpRow {
  offset: number;
  /** Two hexadecimal digits each. */
  hex: string[];
  /** The same bytes as ASCII; what is no printable character is a dot. */
  ascii: string[];
}

export function dump(hex: string): DumpRow[] {
  const pairs = hex.match(/../g) ?? [];
  return Array.from({ length: Math.ceil(pairs.length / ROW_BYTES) }, (_, row) => {
    const part = pairs.slice(row * ROW_BYTES, (row + 1) * ROW_BYTES);
    return { offset: row * ROW_BYTES, hex: part, ascii: part.map(printable) };
  });
}

function printable(pair: string): string {
  const code = Number.parseInt(pair, 16);
  return code >= 0x20 && code <= 0x7e ? String.fromCharCode(code) : ".";
}

/** First byte, and the byte behind the last, of where a value stands. */
export function bytesOf({ first_bit, bits }: Pick<PacketValue, "bits" | "first_bit">): [number, number] {
  return [Math.floor(first_bit / 8), Math.ceil((first_bit + Math.max(1, bits)) / 8)];
}

/** Rows that a replay has not come to are not there yet. `packets` are in order of reception. */
export function receivedUntil(packets: readonly PacketSummary[], now: number): readonly PacketSummary[] {
  // Of fifty thousand packets at each frame, reading the time of each would take longer than the frame.
  let [low, high] = [0, packets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (parseTime(packets[middle]?.reception_time ?? "") <= now) low = middle + 1;
    else high = middle;
  }
  return low === packets.length ? packets : packets.slice(0, low);
}
