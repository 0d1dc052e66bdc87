// A packet taken apart: its header, its values with their place, and its bytes.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { count, value as valueText } from "../../format/quantity";
import { dateAndTime, parseTime, preciseClockTime } from "../../format/time";
import { StatusSymbol } from "../../shell/StatusSymbol";
import { writeMode } from "../../time/mode";
import type { Packet, PacketValue } from "../../types";
import { quality } from "../parameters/quality";
import { HexDump } from "./HexDump";
import { bytesOf, HOW, verdict } from "./packet";

const AROUND_MS = 10 * 60_000;

const OUTCOMES: Record<string, string> = {
  damaged: "damaged: it cannot be decoded",
  decoded: "decoded",
  idle: "an idle packet, which holds nothing",
  "not-a-packet": "no space packet",
  partial: "decoded as far as it goes",
  unresolved: "no container of the dictionary fits",
};

export function PacketView({ mission, packet }: { mission: string; packet: Packet }) {
  const [marked, setMarked] = useState<number | null>(null);
  const { summary, header, values } = packet;
  const { status, word } = verdict(summary);
  const place = marked === null ? undefined : values[marked];
  const made = summary.generation_time ?? summary.reception_time;
  return (
    <>
      <dl className="facts">
        <Fact name="Verdict">
          <StatusSymbol status={status} /> {word}
        </Fact>
        <Fact name="Decoding">
          {OUTCOMES[packet.outcome] ?? packet.outcome}
          {packet.container ? (
            <>
              {" "}
              as <bdi>{packet.container}</bdi>
            </>
          ) : null}
          {packet.dictionary_version ? `, dictionary version ${packet.dictionary_version}` : ""}
        </Fact>
        {packet.problem ? <Fact name="Because">{packet.problem}</Fact> : null}
        <Fact name="Generated">
          {summary.generation_time ? instant(summary.generation_time) : "not said by the packet"}
        </Fact>
        <Fact name="Received">
          {instant(summary.reception_time)} at <bdi>{summary.node}</bdi> on <bdi>{summary.link}</bdi>, came{" "}
          {HOW[summary.provenance]}
        </Fact>
        {header ? (
          <>
            <Fact name="APID">{header.apid}</Fact>
            <Fact name="Sequence">
              {header.sequence_count}, {header.sequence_flags}
            </Fact>
            <Fact name="Type">
              {header.packet_type}, {header.secondary_header ? "with" : "without"} secondary header
            </Fact>
            <Fact name="Length">
              {count(summary.bytes)} bytes (length field {count(header.data_length_field)})
            </Fact>
          </>
        ) : (
          <Fact name="Header">none: the bytes do not begin with a packet's header</Fact>
        )}
      </dl>
      {values.length === 0 ? null : (
        <div className="scroll-x values">
          <table className="grid" aria-label="Values of the packet">
            <thead>
              <tr>
                <th scope="col">Parameter</th>
                <th scope="col" className="number">
                  Raw
                </th>
                <th scope="col" className="number">
                  Value
                </th>
                <th scope="col">State</th>
                <th scope="col">Place</th>
              </tr>
            </thead>
            <tbody>
              {values.map((value, index) => (
                <tr key={`${value.first_bit} ${value.parameter}`}>
                  <th scope="row" title={value.parameter}>
                    <Link
                      to="/m/$mission/explore"
                      params={{ mission }}
                      search={{ p: [value.parameter], t: around(parseTime(made)) }}
                    >
                      <bdi>{value.parameter}</bdi>
                    </Link>
                  </th>
                  <td className="number">
                    <bdi>{valueText(value.raw)}</bdi>
                  </td>
                  <td className="number">
                    <bdi>{valueText(value.engineering)}</bdi> <span className="faint">{value.unit}</span>
                  </td>
                  <State value={value} />
                  <td>
                    <button
                      type="button"
                      className="quiet place"
                      aria-pressed={marked === index}
                      title="Show these bytes in the dump"
                      onClick={() => setMarked(marked === index ? null : index)}
                    >
                      bits {value.first_bit}–{value.first_bit + value.bits - 1}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <HexDump hex={packet.hex} marked={place === undefined ? null : bytesOf(place)} />
    </>
  );
}

function State({ value }: { value: PacketValue }) {
  const { status, word } = quality(value);
  return (
    <td>
      {status === null ? null : <StatusSymbol status={status} />}{" "}
      <span className={status === null ? "faint" : undefined}>{word}</span>
    </td>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function instant(text: string): string {
  const at = parseTime(text);
  return `${dateAndTime(at).slice(0, 10)} ${preciseClockTime(at)}`;
}

function around(at: number): string {
  return writeMode({ kind: "fixed", from: Math.floor(at - AROUND_MS), to: Math.ceil(at + AROUND_MS) });
}
