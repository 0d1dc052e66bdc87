// Bytes as hexadecimal digits and as ASCII, sixteen in a row; those of a chosen value are marked.
import { VirtualTable } from "../../table/VirtualTable";
import { type DumpRow, dump } from "./packet";

interface Props {
  hex: string;
  /** First byte that is marked, and the one behind the last. */
  marked: [number, number] | null;
}

export function HexDump({ hex, marked }: Props) {
  const rows = dump(hex);
  if (rows.length === 0) return <p className="empty">The packet has no bytes.</p>;
  return (
    <VirtualTable
      label="Bytes of the packet"
      className="dump"
      rowHeight={22}
      columns={[
        { name: "offset", title: "Offset" },
        { name: "hex", title: "Hexadecimal" },
        { name: "ascii", title: "ASCII" },
      ]}
      count={rows.length}
      rowKey={(index) => index}
    >
      {(index) => {
        const row = rows[index];
        return row === undefined ? null : <Cells row={row} marked={marked} />;
      }}
    </VirtualTable>
  );
}

function Cells({ row: { offset, hex, ascii }, marked }: { row: DumpRow; marked: Props["marked"] }) {
  const [first, end] = marked ?? [0, 0];
  const [from, to] = [Math.max(0, first - offset), Math.max(0, end - offset)];
  return (
    <>
      <th scope="row">{offset.toString(16).padStart(4, "0")}</th>
      <td>
        {hex.slice(0, from).map((pair) => `${pair} `)}
        {to > from && from < hex.length ? <mark>{hex.slice(from, to).join(" ")}</mark> : null}
        {to > from && from < hex.length ? " " : ""}
        {hex.slice(Math.max(from, to)).map((pair) => `${pair} `)}
      </td>
      <td>
        {ascii.slice(0, from).join("")}
        {to > from && from < ascii.length ? <mark>{ascii.slice(from, to).join("")}</mark> : null}
        {ascii.slice(Math.max(from, to)).join("")}
      </td>
    </>
  );
}
